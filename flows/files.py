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


def flows_to_serve(settings: Settings) -> tuple[dict[str, Flow], dict[str, str]]:
    """Every flow by its endpoint name, and by file name why a file is left out.

    The owner's file wins over the one that came with sitetwin, unless it is broken.
    """
    found: dict[str, Flow] = {}
    broken: dict[str, str] = {}
    for folder in (SHIPPED, owners_directory(settings)):
        for path in sorted(folder.glob("*.json")):
            try:
                flow = read_flow(path)
            except ServiceError as error:
                broken[path.name] = str(error)
            else:
                found[str(flow.get("endpoint_name") or path.stem)] = flow
    return found, broken


def read_flow(path: Path) -> Flow:
    """One flow file.

    Raises:
        ServiceError: it is not JSON, or lacks what a flow has.
    """
    try:
        flow = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ServiceError(
            f"{path} can't be read as JSON ({error}): mend it, or pull it again with `sitetwin flows pull`"
        ) from None
    if not isinstance(flow, dict) or not {"id", "name", "data"} <= flow.keys() or not _is_graph(flow["data"]):
        raise ServiceError(f"{path} is not a flow (no id, name or data with nodes): move it out of that folder")
    return flow


def _is_graph(data: Any) -> bool:
    parts = [part for name in ("nodes", "edges") for part in data.get(name) or ()] if isinstance(data, dict) else [None]
    return all(isinstance(part, dict) for part in parts)
