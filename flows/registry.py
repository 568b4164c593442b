"""The components of the installed Langflow, including ours."""

import asyncio
import contextlib
import os
import sys
from typing import Any

Registry = dict[str, dict[str, Any]]
"""Templates by component type, as Langflow puts them into a flow."""


def load_registry() -> Registry:
    """All component templates. It imports every component, which takes about 10 s on two cores.

    Raises:
        ImportError: Langflow is not installed.
    """
    os.environ.setdefault("DO_NOT_TRACK", "true")
    # Imported here because it loads all of Langflow.
    from lfx.interface.components import get_and_cache_all_types_dict
    from lfx.services.deps import get_settings_service

    # Some components print while they are imported, but stdout is for --json.
    with contextlib.redirect_stdout(sys.stderr):
        categories = asyncio.run(get_and_cache_all_types_dict(get_settings_service()))
    return {kind: template for category in categories.values() for kind, template in category.items()}
