"""What differs between two versions of a flow, in words: node, field, before, after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flows import reading
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
    return [
        *_of_flow(before, after),
        *_of_nodes(reading.by_id(before), reading.by_id(after)),
        *_of_edges(before, after),
    ]


def _of_flow(before: Flow, after: Flow) -> Iterator[Difference]:
    for field in ("name", "description", "endpoint_name"):
        yield from _compared(str(after.get("name")), field.replace("_", " "), before.get(field), after.get(field))


def _of_nodes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Difference]:
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        if old is None or new is None:
            name = reading.title(old or new or {})
            yield Difference(name, "node", "" if old is None else name, "" if new is None else name)
            continue
        name = reading.title(new)
        was, now = reading.inner(old), reading.inner(new)
        yield from _compared(name, "title", was.get("display_name"), now.get("display_name"))
        yield from _compared(name, "note", was.get("description"), now.get("description"))
        yield from _compared(name, "tool mode", bool(was.get("tool_mode")), bool(now.get("tool_mode")))
        yield from _compared(name, "place", _place(old), _place(new))
        yield from _of_fields(name, reading.fields(old), reading.fields(new))


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


def _place(node: Mapping[str, Any]) -> str:
    x, y = reading.place(node)
    return f"{x}, {y}"


def _secret(field: Mapping[str, Any]) -> str:
    return _SECRET if field.get("value") else ""


def _edges(flow: Flow) -> dict[reading.Edge, str]:
    """Each edge in words."""
    nodes = reading.by_id(flow)
    return {edge: reading.told(edge, nodes) for edge in reading.edges(flow)}


def _short(text: str) -> str:
    line = " ".join(text.split())
    return repr(line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}…")
