"""A flow's fingerprint, which changes with an edit but not with a mere save."""

import hashlib
import json
from typing import Any

from flows import reading
from flows.files import Flow


def fingerprint(flow: Flow) -> str:
    """SHA-256, in hex, of what an owner edits: nodes, their values and places, notes, edges and names.

    It leaves out what Langflow writes itself: sizes, selections and the viewport. It also leaves out the components'
    source, because the server runs its own copy.
    """
    content = {
        "name": flow.get("name"),
        "description": flow.get("description") or "",
        "endpoint_name": flow.get("endpoint_name"),
        "nodes": sorted((_node(node) for node in reading.nodes(flow)), key=lambda node: str(node["id"])),
        "edges": sorted(reading.edges(flow)),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _node(node: dict[str, Any]) -> dict[str, Any]:
    component = reading.inner(node)
    return {
        "id": node.get("id"),
        "type": (node.get("data") or {}).get("type"),
        "place": reading.place(node),
        "title": component.get("display_name"),
        "text": component.get("description"),
        "tool_mode": bool(component.get("tool_mode")),
        "values": {
            name: field.get("value")
            for name, field in reading.fields(node).items()
            if field.get("value") not in (None, "")
        },
    }
