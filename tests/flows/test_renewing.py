import copy
import json
from typing import Any

from flows.builder import CITED_ANSWER, RETRIEVER
from flows.files import SHIPPED, Flow, read_flow
from flows.renewing import renew

NOW = read_flow(SHIPPED / "rag_chat.json")
TEMPLATES = {
    node["data"]["type"]: node["data"]["node"] for node in NOW["data"]["nodes"] if node["type"] == "genericNode"
}
OURS = {kind: template for kind, template in TEMPLATES.items() if kind.startswith("ext:site_twin:")}


def node(flow: Flow, kind: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [node for node in flow["data"]["nodes"] if node["data"]["type"] == kind]
    return found


def older() -> Flow:
    """The flow as an older version saved it, edited since: no Tags yet, a field Language, and other choices."""
    flow = copy.deepcopy(NOW)
    retriever = node(flow, RETRIEVER)
    retriever["position"] = {"x": 7.0, "y": 8.0}
    inner = retriever["data"]["node"]
    inner["display_name"] = "My search"
    template = inner["template"]
    template["code"]["value"] = "class RetrieverComponent: ..."
    template["k"] |= {"value": 3, "advanced": True}
    template["retrieval"] |= {"value": "fuzzy", "options": ["fuzzy", "hybrid"]}
    del template["tags"]
    template["language"] = {"display_name": "Language", "value": "de", "type": "str"}
    answer = node(flow, CITED_ANSWER)["data"]["node"]["template"]
    answer["code"]["value"] = "class CitedAnswerComponent: ..."
    answer["persona"]["value"] = "Speak like a pirate."
    return flow


def test_code_is_renewed_and_what_the_owner_set_stays() -> None:
    flow = older()
    untouched = copy.deepcopy(flow)
    newer, done = renew(flow, OURS)
    assert flow == untouched
    retriever, answer = (node(newer, kind) for kind in (RETRIEVER, CITED_ANSWER))
    template = retriever["data"]["node"]["template"]
    assert template["code"] == TEMPLATES[RETRIEVER]["template"]["code"]
    assert (retriever["position"], retriever["data"]["node"]["display_name"]) == ({"x": 7.0, "y": 8.0}, "My search")
    assert (template["k"]["value"], template["k"]["advanced"]) == (3, True)
    assert template["tags"] == TEMPLATES[RETRIEVER]["template"]["tags"]
    assert "language" not in template
    assert template["retrieval"] == TEMPLATES[RETRIEVER]["template"]["retrieval"]
    assert answer["data"]["node"]["template"]["persona"]["value"] == "Speak like a pirate."
    assert newer["data"]["edges"] == NOW["data"]["edges"]
    assert [str(one) for one in done] == [
        "My search (Retrieval is 'as in sitetwin.toml': 'fuzzy' is no choice any more; new field Tags; field Language is "
        "gone, it was 'de')",
        "Cited Answer",
    ]
    assert renew(newer, OURS) == (newer, [])


def test_a_flow_of_today_and_foreign_components_are_left_alone() -> None:
    assert renew(NOW, OURS) == (NOW, [])
    flow = copy.deepcopy(NOW)
    node(flow, "ChatInput")["data"]["node"]["template"]["code"]["value"] = "class Mine: ..."
    assert renew(flow, OURS) == (flow, [])


def test_edges_get_the_new_types_and_those_without_an_end_are_told() -> None:
    flow = older()
    for edge in flow["data"]["edges"]:
        source = edge["data"]["sourceHandle"]
        if source["name"] == "passages":
            source["output_types"] = ["Data"]
            edge["sourceHandle"] = json.dumps(source).replace('"', "œ")
        if edge["data"]["targetHandle"]["fieldName"] == "question" and edge["target"].startswith("Retriever"):
            edge["data"]["targetHandle"]["fieldName"] = "query"
    newer, done = renew(flow, OURS)
    (retyped,) = [edge for edge in newer["data"]["edges"] if edge["source"].startswith("Retriever")]
    assert retyped["data"]["sourceHandle"]["output_types"] == ["Table"]
    assert json.loads(retyped["sourceHandle"].replace("œ", '"')) == retyped["data"]["sourceHandle"]
    assert not [edge for edge in newer["data"]["edges"] if edge["target"].startswith("Retriever")]
    assert "the edge to field query is gone with it" in done[0].changes


def test_a_tool_stays_a_tool_and_a_group_is_searched() -> None:
    flow = older()
    inner = node(flow, RETRIEVER)["data"]["node"]
    toolset = [{"name": "component_as_tool", "types": ["Tool"]}]
    metadata = {"value": [{"name": "retrieve", "description": "mine"}]}
    inner |= {"tool_mode": True, "outputs": toolset}
    inner["template"]["tools_metadata"] = metadata
    group = {"id": "g", "type": "genericNode", "data": {"type": "Group", "node": {"flow": flow, "template": {}}}}
    newer, done = renew({"data": {"nodes": [group], "edges": []}}, OURS)
    renewed = node(newer["data"]["nodes"][0]["data"]["node"]["flow"], RETRIEVER)["data"]["node"]
    assert renewed["outputs"] == toolset
    assert renewed["template"]["tools_metadata"] == metadata
    assert [one.node for one in done] == ["My search", "Cited Answer"]


def test_a_new_field_has_its_number_as_the_editor_writes_it() -> None:
    templates = copy.deepcopy(OURS)
    templates[RETRIEVER]["template"]["weight"] = {"display_name": "Weight", "value": 2.0, "type": "float"}
    newer, _ = renew(older(), templates)
    # The fingerprint of 2 is not that of 2.0, and the editor's first save writes 2.
    assert repr(node(newer, RETRIEVER)["data"]["node"]["template"]["weight"]["value"]) == "2"
