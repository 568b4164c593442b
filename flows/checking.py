"""What is wrong with a flow, by node and edge: components that are missing or older, edges without an end, lost inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows.differences import name_of, nodes_of
from flows.files import Flow
from flows.registry import Registry

_WORDS = {
    "blocked": "Langflow has no such component: install the package that brings it, or take the node out",
    "outdated_breaking": "it no longer fits the component of this version: `sitetwin flows upgrade` renews it, or add it anew",
    "outdated_safe": "its code is that of another version: `sitetwin flows upgrade` renews it",
}


def problems(flow: Flow, registry: Registry) -> list[str]:
    """What is wrong with `flow`, each with its node or edge; [] if nothing is.

    Args:
        registry: the components of the installed Langflow.
    """
    nodes = nodes_of(flow)
    return [*_of_components(flow, registry), *_of_edges(flow, nodes), *_of_inputs(flow, nodes)]


def _of_components(flow: Flow, registry: Registry) -> Iterator[str]:
    from lfx.upgrade.checker import check_flow_compatibility

    report = check_flow_compatibility(flow["data"], {}, registry=registry)
    for node in report.nodes:
        if node.status in _WORDS:
            yield f"node {node.display_name} ({node.node_id}): {_WORDS[node.status]}"


def _of_edges(flow: Flow, nodes: Mapping[str, Any]) -> Iterator[str]:
    for edge in flow["data"].get("edges") or []:
        source, target = (str(edge.get(end)) for end in ("source", "target"))
        handles = edge.get("data") or {}
        output = str((handles.get("sourceHandle") or {}).get("name"))
        field = str((handles.get("targetHandle") or {}).get("fieldName"))
        names = [name_of(nodes[end]) if end in nodes else end for end in (source, target)]
        if reason := _misfit(nodes, source, output, target, field):
            yield f"edge {names[0]} ({output}) to {names[1]} ({field}): {reason}: connect it anew"


def _misfit(nodes: Mapping[str, Any], source: str, output: str, target: str, field: str) -> str:
    from lfx.graph.edge.base import types_compatible

    for end in (source, target):
        if end not in nodes:
            return f"there is no node {end}"
    outputs = {made.get("name"): made for made in _inner(nodes[source]).get("outputs") or []}
    fields = _inner(nodes[target]).get("template") or {}
    if field in {made.get("name") for made in _inner(nodes[target]).get("outputs") or []} and field not in fields:
        return ""  # the way back into a loop
    if output not in outputs:
        return f"{name_of(nodes[source])} has no output {output}"
    if field not in fields:
        return f"{name_of(nodes[target])} has no input {field}"
    made, taken = outputs[output].get("types") or [], fields[field].get("input_types") or []
    if made and taken and not types_compatible(made, taken):
        return f"{' or '.join(made)} goes out, {' or '.join(taken)} goes in"
    return ""


def _of_inputs(flow: Flow, nodes: Mapping[str, Any]) -> Iterator[str]:
    """Inputs that must have an edge and have none. Others may be filled in the editor or by the caller."""
    fed = {
        (str(edge.get("target")), ((edge.get("data") or {}).get("targetHandle") or {}).get("fieldName"))
        for edge in flow["data"].get("edges") or []
    }
    for key, node in nodes.items():
        for name, field in (_inner(node).get("template") or {}).items():
            if not isinstance(field, dict) or not field.get("required") or not field.get("show", True):
                continue
            if field.get("type") == "other" and not field.get("value") and (key, name) not in fed:
                yield f"node {name_of(node)} ({key}): nothing is connected to {field.get('display_name') or name}"


def _inner(node: Mapping[str, Any]) -> Mapping[str, Any]:
    inner: Mapping[str, Any] = (node.get("data") or {}).get("node") or {}
    return inner
