"""Flow files on disk: sitetwin's own, and the owner's beside sitetwin.toml."""

import json
from pathlib import Path
from typing import Any

from pipeline.errors import ServiceError
from pipeline.settings import Settings

Flow = dict[str, Any]

SHIPPED = Path(__file__).parent


def owners_directory(settings: Settings) -> Path:
    """The folder to which `sitetwin flows pull` copies the editor's flows."""
    return settings.root / "flows"


def flows_to_serve(settings: Settings) -> tuple[dict[str, Flow], dict[str, str]]:
    """All flows by endpoint name, and the reason for each omitted file by file name.

    The owner's file replaces sitetwin's own, unless it is broken.
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
    """The flow in the file `path`.

    Raises:
        ServiceError: the file is not JSON, or not a flow.
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
