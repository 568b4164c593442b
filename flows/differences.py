"""What differs between two versions of a flow, in words: node, field, before, after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows.files import Flow

MOST_CHARS = 200
"""Longer values are cut to so many characters when they are shown."""
_SECRET = "(a secret)"


@dataclass(frozen=True)
class Difference:
    """One difference. What is not there is the empty text."""

    node: str
    """The node's name on the canvas; the flow's for what belongs to none."""
    field: str
    """What differs: the field's name on the node, or in words `node`, `edge`, `title`, `note`, `place`, `tool mode`."""
    before: str
    after: str

    def __str__(self) -> str:
        if not self.before:
            return f"{self.node}: {self.field} added: {_short(self.after)}"
        if not self.after:
            return f"{self.node}: {self.field} removed: {_short(self.before)}"
        return f"{self.node}: {self.field}: {_short(self.before)} -> {_short(self.after)}"


def differences(before: Flow, after: Flow) -> list[Difference]:
    """What an owner changed from `before` to `after`; what Langflow writes by itself, and code, are left out."""
    return [*_of_flow(before, after), *_of_nodes(nodes_of(before), nodes_of(after)), *_of_edges(before, after)]


def _of_flow(before: Flow, after: Flow) -> Iterator[Difference]:
    for field in ("name", "description", "endpoint_name"):
        yield from _compared(str(after.get("name")), field.replace("_", " "), before.get(field), after.get(field))


def _of_nodes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            name = name_of(old or new or {})
            yield Difference(name, "node", "" if old is None else name, "" if new is None else name)
            continue
        name = name_of(new)
        yield from _compared(name, "title", _inner(old).get("display_name"), _inner(new).get("display_name"))
        yield from _compared(name, "note", _inner(old).get("description"), _inner(new).get("description"))
        yield from _compared(name, "tool mode", bool(_inner(old).get("tool_mode")), bool(_inner(new).get("tool_mode")))
        yield from _compared(name, "place", _place(old), _place(new))
        yield from _of_fields(name, _template(old), _template(new))


def _of_fields(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in sorted({*before, *after}):
        old, new = before.get(key) or {}, after.get(key) or {}
        label = str(new.get("display_name") or old.get("display_name") or key)
        if old.get("password") or new.get("password"):
            if old.get("value") != new.get("value"):
                yield Difference(name, label, _secret(old), _secret(new) or "(empty)")
            continue
        yield from _compared(name, label, old.get("value"), new.get("value"))


def _of_edges(before: Flow, after: Flow) -> Iterator[Difference]:
    old, new = _edges(before), _edges(after)
    flow = str(after.get("name"))
    yield from (Difference(flow, "edge", old[key], "") for key in old if key not in new)
    yield from (Difference(flow, "edge", "", new[key]) for key in new if key not in old)


def _compared(node: str, field: str, before: object, after: object) -> Iterator[Difference]:
    """A difference if the values differ. No value, an empty one and an empty list are the same."""
    old, new = ("" if value in (None, "", [], {}) else str(value) for value in (before, after))
    if old != new:
        yield Difference(node, field, old, new)


def nodes_of(flow: Flow) -> dict[str, Any]:
    """The flow's nodes by id."""
    return {str(node.get("id")): node for node in (flow.get("data") or {}).get("nodes") or []}


def _inner(node: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (node.get("data") or {}).get("node") or {}
    return found


def _template(node: Mapping[str, Any]) -> dict[str, Any]:
    fields = _inner(node).get("template") or {}
    return {name: field for name, field in fields.items() if isinstance(field, dict) and name != "code"}


def name_of(node: Mapping[str, Any]) -> str:
    """The node's name on the canvas."""
    return str(_inner(node).get("display_name") or (node.get("data") or {}).get("type") or node.get("id"))


def _place(node: Mapping[str, Any]) -> str:
    position = node.get("position") or {}
    return f"{round(position.get('x', 0))}, {round(position.get('y', 0))}"


def _secret(field: Mapping[str, Any]) -> str:
    return _SECRET if field.get("value") else ""


def _edges(flow: Flow) -> dict[tuple[str, ...], str]:
    """Each edge in words, by its ends."""
    nodes = nodes_of(flow)
    found: dict[tuple[str, ...], str] = {}
    for edge in (flow.get("data") or {}).get("edges") or []:
        handles = edge.get("data") or {}
        output = str((handles.get("sourceHandle") or {}).get("name"))
        field = str((handles.get("targetHandle") or {}).get("fieldName"))
        source, target = str(edge.get("source")), str(edge.get("target"))
        names = [name_of(nodes[key]) if key in nodes else key for key in (source, target)]
        found[(source, output, target, field)] = f"{names[0]} ({output}) to {names[1]} ({field})"
    return found


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}…")
