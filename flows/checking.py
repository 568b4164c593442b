"""What is wrong with a flow, by node and edge: components that are missing or older, edges without an end, lost inputs."""

from collections.abc import Iterator, Mapping
from typing import Any

from flows import reading
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
    nodes = reading.by_id(flow)
    return [*_of_components(flow, registry), *_of_edges(flow, nodes), *_of_inputs(flow, nodes)]


def _of_components(flow: Flow, registry: Registry) -> Iterator[str]:
    from lfx.upgrade.checker import check_flow_compatibility

    report = check_flow_compatibility(flow["data"], {}, registry=registry)
    for node in report.nodes:
        if node.status in _WORDS:
            yield f"node {node.display_name} ({node.node_id}): {_WORDS[node.status]}"


def _of_edges(flow: Flow, nodes: Mapping[str, Any]) -> Iterator[str]:
    for edge in reading.edges(flow):
        if reason := _misfit(nodes, edge):
            yield f"edge {reading.told(edge, nodes)}: {reason}: connect it anew"


def _misfit(nodes: Mapping[str, Any], edge: reading.Edge) -> str:
    from lfx.graph.edge.base import types_compatible

    for end in (edge.source, edge.target):
        if end not in nodes:
            return f"there is no node {end}"
    source, target = nodes[edge.source], nodes[edge.target]
    outputs = {made.get("name"): made for made in reading.inner(source).get("outputs") or []}
    fields = reading.inner(target).get("template") or {}
    made_there = {made.get("name") for made in reading.inner(target).get("outputs") or []}
    if edge.field in made_there and edge.field not in fields:
        return ""  # the way back into a loop
    if edge.output not in outputs:
        return f"{reading.title(source)} has no output {edge.output}"
    if edge.field not in fields:
        return f"{reading.title(target)} has no input {edge.field}"
    made, taken = outputs[edge.output].get("types") or [], fields[edge.field].get("input_types") or []
    if made and taken and not types_compatible(made, taken):
        return f"{' or '.join(made)} goes out, {' or '.join(taken)} goes in"
    return ""


def _of_inputs(flow: Flow, nodes: Mapping[str, Any]) -> Iterator[str]:
    """Inputs that must have an edge and have none. Others may be filled in the editor or by the caller."""
    fed = {(edge.target, edge.field) for edge in reading.edges(flow)}
    for key, node in nodes.items():
        for name, field in reading.fields(node).items():
            if not field.get("required") or not field.get("show", True):
                continue
            if field.get("type") == "other" and not field.get("value") and (key, name) not in fed:
                yield f"node {reading.title(node)} ({key}): nothing is connected to {field.get('display_name') or name}"
