"""Which site a node works for."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lfx.custom.custom_component.component import Component
from lfx.io import StrInput

from pipeline.settings import FILE_NAME, Settings, load_settings


def configuration_input() -> StrInput:
    """Configuration."""
    return StrInput(
        # Langflow drops a text whose field's name has "config" in it, before the component sees it.
        name="site",
        display_name="Configuration",
        info=f"A {FILE_NAME} or its folder, on Langflow's computer; empty: as SITETWIN_CONFIG says.",
        value="",
        advanced=True,
    )


def settings_of(node: Component | Mapping[str, Any]) -> Settings:
    """The settings of the site that a node names, else those that `load_settings` finds.

    Args:
        node: a component, or its fields as `update_build_config` gets them.

    Raises:
        SettingsError: as `load_settings`.
    """
    named = node.get("site", {}).get("value") if isinstance(node, Mapping) else node.site
    if not (named := str(named or "").strip()):
        return load_settings()
    path = Path(named).expanduser()
    return load_settings(path / FILE_NAME if path.is_dir() else path)
