"""Records the flows that Langflow was not given or that visitors are refused, and why; for `status` and `doctor`."""

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline import files
from pipeline.settings import Settings


def write_left_out(settings: Settings, reasons: Mapping[str, str]) -> None:
    """Replaces the record. `reasons`: by the name of the flow or of its file."""
    files.write_text(_file(settings), json.dumps(dict(reasons), indent=2))


def note_left_out(settings: Settings, name: str, reason: str) -> None:
    """Records one flow's reason; "" removes it."""
    reasons = read_left_out(settings)
    if reasons.get(name, "") == reason:
        return
    reasons[name] = reason
    write_left_out(settings, {flow: why for flow, why in reasons.items() if why})


def read_left_out(settings: Settings) -> dict[str, str]:
    """The reasons that were written last; {} if none were written yet."""
    try:
        reasons: dict[str, str] = json.loads(_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return reasons


def _file(settings: Settings) -> Path:
    return settings.run_directory / "flows_left_out.json"
