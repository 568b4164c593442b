"""The components that the installed Langflow knows, ours among them."""

import asyncio
import contextlib
import os
import sys
from typing import Any

Registry = dict[str, dict[str, Any]]
"""A component's type to its template, as Langflow puts it into a flow."""


def load_registry() -> Registry:
    """All component templates; takes some 10 s on two cores, as it imports every component.

    Raises:
        ImportError: Langflow is not installed.
    """
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Imported late, as it pulls in all of Langflow.
    from lfx.interface.components import get_and_cache_all_types_dict
    from lfx.services.deps import get_settings_service

    # Some components print while they are imported; stdout belongs to --json.
    with contextlib.redirect_stdout(sys.stderr):
        categories = asyncio.run(get_and_cache_all_types_dict(get_settings_service()))
    return {kind: template for category in categories.values() for kind, template in category.items()}
