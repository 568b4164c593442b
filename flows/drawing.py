"""Draws a flow on Langflow's canvas: nodes, connections, notes. The same templates give the same bytes."""

import copy
from collections.abc import Mapping
from typing import Any

from flows import reading
from flows.files import Flow
from flows.registry import Registry

TOOL = "component_as_tool"
"""The output of a component in Tool Mode."""
NOTE_WIDTH = 400
_LETTERS_IN_LINE = 34
_LINE = 24
_GAP = 56
_MARGIN = 60
"""Of a note, in the canvas's pixels, except the letters. The editor cuts off what is longer."""


def to_text(flow: Flow) -> str:
    """A flow as the text of its file: sorted, without secrets and without fields that change at each save."""
    from langflow_sdk.serialization import flow_to_json, normalize_flow

    return str(flow_to_json(normalize_flow(flow)))


def new_flow(flow_id: str, name: str, description: str, icon: str) -> Flow:
    """A flow without nodes.

    Args:
        flow_id: a UUID of version 4.
        name: also its endpoint name.
    """
    return {
        "id": flow_id,
        "name": name,
        "endpoint_name": name,
        "description": description,
        "icon": icon,
        "is_component": False,
        "data": {"nodes": [], "edges": [], "viewport": {"x": 40.0, "y": 120.0, "zoom": 0.75}},
    }


def set_value(flow: Flow, node_id: str, field: str, value: str | bool) -> None:
    """Writes `value` into a field of a node."""
    reading.fields(reading.by_id(flow)[node_id])[field]["value"] = value


def component(template: Mapping[str, Any]) -> dict[str, Any]:
    """A component as a node of a flow has it, of the template as Langflow tells it."""
    made = copy.deepcopy(dict(template))
    # The versions of the installed packages are not part of a flow.
    made.get("metadata", {}).pop("dependencies", None)
    for field in made["template"].values():
        if isinstance(field, dict) and isinstance(field.get("value"), float) and field["value"].is_integer():
            # As the editor writes it: otherwise its first save would look like an edit.
            field["value"] = int(field["value"])
    return made


def add(flow: Flow, registry: Registry, kind: str, node_id: str, *, x: float, y: float) -> None:
    """Adds a node of the component `kind` at a place on the canvas.

    Raises:
        ValueError: the registry lacks the component.
    """
    from lfx.graph.flow_builder.component import add_component

    if kind not in registry:
        raise ValueError(f"Langflow does not know the component {kind}: reinstall sitetwin[langflow], then build again")
    add_component(flow, kind, {kind: component(registry[kind])}, component_id=node_id)
    flow["data"]["nodes"][-1]["position"] = {"x": x, "y": y}


def connect(flow: Flow, source: str, output: str, target: str, field: str) -> None:
    """Connects the output of one node with a field of another.

    Raises:
        ValueError: there is no such node, output or field, or the two do not fit together.
    """
    from lfx.graph.flow_builder.connect import add_connection

    add_connection(flow, source, output, target, field)


def connect_tool(flow: Flow, source: str, target: str, field: str) -> None:
    """Turns a node into a tool and connects it with an agent. Raises ValueError as `connect`."""
    connect(flow, source, TOOL, target, field)
    for value in reading.fields(reading.by_id(flow)[source]).values():
        # The agent fills it in. `lfx validate` asks for an edge to whatever is required.
        if value.get("tool_mode"):
            value["required"] = False


def add_note(flow: Flow, node_id: str, text: str, *, x: float, y: float) -> None:
    """Adds a note in Markdown at a place on the canvas, high enough for its text."""
    size = {"width": NOTE_WIDTH, "height": _note_height(text)}
    flow["data"]["nodes"].append(
        {
            "id": node_id,
            "type": "noteNode",
            "position": {"x": x, "y": y},
            **size,
            "style": size,
            "measured": size,
            "data": {
                "id": node_id,
                "type": "note",
                "node": {
                    "description": text,
                    "display_name": "",
                    "documentation": "",
                    "template": {"backgroundColor": "neutral"},
                },
            },
        }
    )


def _note_height(text: str) -> int:
    lines = sum(-(-len(line) // _LETTERS_IN_LINE) for line in text.splitlines())
    return _MARGIN + _LINE * lines + _GAP * text.count("\n\n")
