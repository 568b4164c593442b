"""The systems that a node compares: those to choose from, and those that are chosen."""

from typing import Any

from lfx.io import MultiselectInput

from components.configuration import settings_of
from pipeline.adapters import adapters
from pipeline.evaluation.systems import system_names


def systems_input() -> MultiselectInput:
    """Systems."""
    return MultiselectInput(
        name="systems",
        display_name="Systems",
        info="None chosen: those that this site has. Choose one, and the list also shows your own and the adapters.",
        options=["base", "persona", "rag", "rag+persona", "lora", "hybrid"],
        value=[],
        # The editor has no refresh button for a list of several.
        real_time_refresh=True,
    )


def with_all_systems(build_config: dict[str, Any], field_name: str | None) -> dict[str, Any]:
    """A node's fields with all systems of this site as options, after a choice under Systems."""
    if field_name == "systems":
        settings = settings_of(build_config)
        runs = [f"{mode}:{one.name}" for mode in ("lora", "hybrid") for one in adapters(settings)]
        build_config["systems"]["options"] = [*system_names(settings), *runs]
    return build_config
