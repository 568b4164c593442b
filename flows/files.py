"""Flow files on disk: those that come with sitetwin, and the owner's beside sitetwin.toml."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import ServiceError
from pipeline.settings import Settings

Flow = dict[str, Any]

SHIPPED = Path(__file__).parent


def owners_directory(settings: Settings) -> Path:
    """Where `sitetwin flows pull` puts the flows as they are in the editor."""
    return settings.root / "flows"


def flows_to_serve(settings: Settings) -> dict[str, Flow]:
    """Every flow by its endpoint name; the owner's file wins over the one that came with sitetwin.

    Raises:
        ServiceError: a file is not a flow.
    """
    found: dict[str, Flow] = {}
    for folder in (SHIPPED, owners_directory(settings)):
        for path in sorted(folder.glob("*.json")):
            flow = read_flow(path)
            found[str(flow.get("endpoint_name") or path.stem)] = flow
    return found


def read_flow(path: Path) -> Flow:
    """One flow file.

    Raises:
        ServiceError: it is not JSON, or lacks what a flow has.
    """
    try:
        flow = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"{path} is not JSON ({error}): mend it, or pull it again with `sitetwin flows pull`"
        ) from None
    if not isinstance(flow, dict) or not {"id", "name", "data"} <= flow.keys():
        raise ServiceError(f"{path} is not a flow (no id, name or data): move it out of that folder")
    return flow
