"""Records the flows that the running Langflow was not given, and why. `status` reads the record."""

import json
from collections.abc import Mapping
from pathlib import Path

from pipeline import files
from pipeline.settings import Settings


def write_left_out(settings: Settings, reasons: Mapping[str, str]) -> None:
    """Replaces the record. `reasons`: by the name of the flow or of its file."""
    files.write_text(_file(settings), json.dumps(dict(reasons), indent=2))


def read_left_out(settings: Settings) -> dict[str, str]:
    """The reasons that were written last; {} if none were written yet."""
    try:
        reasons: dict[str, str] = json.loads(_file(settings).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return reasons


def _file(settings: Settings) -> Path:
    return settings.run_directory / "flows_left_out.json"
