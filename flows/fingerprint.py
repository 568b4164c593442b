"""A flow's fingerprint, which changes with an edit but not with a mere save."""

import hashlib
import json
from typing import Any

Flow = dict[str, Any]


def fingerprint(flow: Flow) -> str:
    """SHA-256, in hex, of what an owner edits: nodes, their values and places, notes, edges and names.

    It leaves out what Langflow writes itself: sizes, selections and the viewport. It also leaves out the components'
    source, because the server runs its own copy.
    """
    data = flow.get("data") or {}
    content = {
        "name": flow.get("name"),
        "description": flow.get("description") or "",
        "endpoint_name": flow.get("endpoint_name"),
        "nodes": sorted((_node(node) for node in data.get("nodes") or []), key=lambda node: str(node["id"])),
        "edges": sorted(_edge(edge) for edge in data.get("edges") or []),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _node(node: dict[str, Any]) -> dict[str, Any]:
    data = node.get("data") or {}
    template = (data.get("node") or {}).get("template") or {}
    position = node.get("position") or {}
    return {
        "id": node.get("id"),
        "type": data.get("type"),
        "place": [round(position.get("x", 0)), round(position.get("y", 0))],
        "title": (data.get("node") or {}).get("display_name"),
        "text": (data.get("node") or {}).get("description"),
        "tool_mode": bool((data.get("node") or {}).get("tool_mode")),
        "values": {
            name: field.get("value")
            for name, field in sorted(template.items())
            if isinstance(field, dict) and name != "code" and field.get("value") not in (None, "")
        },
    }


def _edge(edge: dict[str, Any]) -> list[str]:
    handles = edge.get("data") or {}
    return [
        str(edge.get("source")),
        str((handles.get("sourceHandle") or {}).get("name")),
        str(edge.get("target")),
        str((handles.get("targetHandle") or {}).get("fieldName")),
    ]
