"""Renews the components of sitetwin in a flow that an older version has saved, and keeps what its owner set. Pure."""

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flows import reading
from flows.drawing import component
from flows.files import Flow

OURS = "ext:site_twin:"
"""Begins the type of each component of sitetwin."""
_KEPT_OF_FIELD = ("value", "advanced", "load_from_db", "show")
_KEPT_OF_NODE = ("display_name", "frozen", "pinned", "minimized", "tool_mode", "edited")
_TOOLS_FIELD = "tools_metadata"
_SHORT = 60


@dataclass(frozen=True)
class Renewal:
    """What was done to one node."""

    node: str
    """Its name on the canvas."""
    changes: list[str] = field(default_factory=list)
    """In words, besides the code: fields that are new, gone or set anew, and edges that no longer fit."""

    def __str__(self) -> str:
        return f"{self.node} ({'; '.join(self.changes)})" if self.changes else self.node


def renew(flow: Flow, templates: Mapping[str, Any]) -> tuple[Flow, list[Renewal]]:
    """A copy of `flow` whose components of sitetwin are those of `templates`, and what was done.

    Values, places, titles and edges stay, as far as the new component has the field or output.

    Args:
        templates: sitetwin's components as Langflow knows them now, by type.
    """
    renewed = copy.deepcopy(flow)
    done: dict[str, Renewal] = {}
    for node in reading.nodes(renewed):
        inner = reading.inner(node)
        if inner.get("flow"):  # a group
            inner["flow"], within = renew(inner["flow"], templates)
            done |= {f"{node['id']}/{number}": one for number, one in enumerate(within)}
        template = templates.get(reading.kind(node))
        if template is not None and _code(inner) != _code(template):
            node["data"]["node"], done[node["id"]] = _renewed(inner, template)
    data, nodes = renewed.get("data") or {}, reading.by_id(renewed)
    data["edges"] = [edge for edge in data.get("edges") or [] if _still_fits(edge, nodes, done)]
    return renewed, list(done.values())


def _code(node: Mapping[str, Any]) -> str:
    return str(((node.get("template") or {}).get("code") or {}).get("value"))


def _renewed(old: dict[str, Any], template: Mapping[str, Any]) -> tuple[dict[str, Any], Renewal]:
    new = component(template)
    new |= {name: old[name] for name in _KEPT_OF_NODE if name in old}
    before, after = old.get("template") or {}, new["template"]
    if old.get("tool_mode"):
        # Langflow made these when the owner switched the node to a tool.
        new["outputs"] = old.get("outputs") or new.get("outputs")
        after |= {_TOOLS_FIELD: before[_TOOLS_FIELD]} if _TOOLS_FIELD in before else {}
    return new, Renewal(str(new.get("display_name")), list(_fields(before, after)))


def _fields(before: Mapping[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Moves the owner's values over; yields what can't be moved, in words."""
    for name, now in after.items():
        then = before.get(name)
        if not isinstance(now, dict) or name in ("code", _TOOLS_FIELD):
            continue
        if not isinstance(then, dict):
            yield f"new field {_label(name, now)}"
            continue
        kept = {key: then[key] for key in _KEPT_OF_FIELD if key in then}
        if _is_choice_gone(now, then):
            yield f"{_label(name, now)} is {_short(now.get('value'))}: {_short(then['value'])} is no choice any more"
            kept.pop("value")
        elif now.get("refresh_button"):
            now["options"] = then.get("options") or now.get("options")  # as the last refresh found them
        now |= kept
    for name, then in before.items():
        if isinstance(then, dict) and name not in after:
            value = f", it was {_short(then['value'])}" if then.get("value") not in (None, "", [], {}) else ""
            yield f"field {_label(name, then)} is gone{value}"


def _is_choice_gone(now: Mapping[str, Any], then: Mapping[str, Any]) -> bool:
    """Whether the owner's choice is not among the new ones. A list that is refreshed may hold anything."""
    options = now.get("options")
    if not isinstance(options, list) or now.get("refresh_button") or now.get("combobox"):
        return False
    value = then.get("value")
    return any(one not in options for one in (value if isinstance(value, list) else [value]))


def _still_fits(edge: dict[str, Any], nodes: Mapping[str, Any], done: dict[str, Renewal]) -> bool:
    """Whether the ends of an edge still exist; its handles get the new types. An edge without an end is told."""
    handles = edge.get("data") or {}
    source, target = handles.get("sourceHandle"), handles.get("targetHandle")
    if not isinstance(source, dict) or not isinstance(target, dict):
        return True
    if edge.get("source") in done and edge["source"] in nodes:
        outputs = {output["name"]: output for output in reading.inner(nodes[edge["source"]]).get("outputs") or []}
        if source.get("name") not in outputs:
            done[edge["source"]].changes.append(f"output {source.get('name')} is gone, and its edge with it")
            return False
        _retype(edge, "sourceHandle", "output_types", outputs[source["name"]].get("types"))
    if edge.get("target") in done and edge["target"] in nodes:
        fields = reading.inner(nodes[edge["target"]])["template"]
        if target.get("fieldName") not in fields:
            done[edge["target"]].changes.append(f"the edge to field {target.get('fieldName')} is gone with it")
            return False
        _retype(edge, "targetHandle", "inputTypes", fields[target["fieldName"]].get("input_types"))
    return True


def _retype(edge: dict[str, Any], handle: str, key: str, types: list[str] | None) -> None:
    """Sets a handle's types; Langflow keeps each handle twice, as JSON and as text."""
    described = edge["data"][handle]
    if types and set(described.get(key) or []) != set(types):
        described[key] = types
        edge[handle] = json.dumps(described, sort_keys=True, separators=(",", ":"), ensure_ascii=False).replace(
            '"', "œ"
        )


def _label(name: str, described: Mapping[str, Any]) -> str:
    return str(described.get("display_name") or name)


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return repr(text if len(text) <= _SHORT else f"{text[:_SHORT]}…")
