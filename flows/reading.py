"""Reads a flow's nodes, fields and edges. What a file or Langflow's database leaves out counts as empty."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from flows.files import Flow


class Edge(NamedTuple):
    """An edge by its ends."""

    source: str
    """The id of the node that it leaves."""
    output: str
    target: str
    """The id of the node that it enters."""
    field: str


def nodes(flow: Flow) -> list[dict[str, Any]]:
    """The flow's nodes, notes and groups included."""
    return list((flow.get("data") or {}).get("nodes") or [])


def by_id(flow: Flow) -> dict[str, Any]:
    """The flow's nodes by id."""
    return {str(node.get("id")): node for node in nodes(flow)}


def inner(node: Mapping[str, Any]) -> dict[str, Any]:
    """What the node's component is: title, description, template, outputs; a group has its `flow`."""
    found: dict[str, Any] = (node.get("data") or {}).get("node") or {}
    return found


def kind(node: Mapping[str, Any]) -> str:
    """The node's component, as `ChatInput` or `ext:site_twin:RetrieverComponent@official`; "" if it has none."""
    return str((node.get("data") or {}).get("type") or "")


def fields(node: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The node's fields by name, without its code."""
    template = inner(node).get("template") or {}
    return {name: field for name, field in template.items() if isinstance(field, dict) and name != "code"}


def title(node: Mapping[str, Any]) -> str:
    """The node's name on the canvas."""
    return str(inner(node).get("display_name") or kind(node) or node.get("id"))


def place(node: Mapping[str, Any]) -> tuple[int, int]:
    """Where the node lies on the canvas, in whole units."""
    position = node.get("position") or {}
    return round(position.get("x", 0)), round(position.get("y", 0))


def edges(flow: Flow) -> list[Edge]:
    """The flow's edges."""
    found = []
    for edge in (flow.get("data") or {}).get("edges") or []:
        handles = edge.get("data") or {}
        output = (handles.get("sourceHandle") or {}).get("name")
        field = (handles.get("targetHandle") or {}).get("fieldName")
        found.append(Edge(*map(str, (edge.get("source"), output, edge.get("target"), field))))
    return found


def told(edge: Edge, known: Mapping[str, Any]) -> str:
    """An edge in words; a node that is not there is told by its id.

    Args:
        known: the flow's nodes by id.
    """
    names = [title(known[key]) if key in known else key for key in (edge.source, edge.target)]
    return f"{names[0]} ({edge.output}) to {names[1]} ({edge.field})"
