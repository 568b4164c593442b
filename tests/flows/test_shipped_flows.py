"""The flow files as they are in the repository, read as plain JSON."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.builder import MODEL, NOTE_CHUNKS, PAIR_FILTER, RETRIEVER, TEACHER
from flows.files import SHIPPED
from pipeline.chat.prompt import RULE, TUNED_RULE
from pipeline.dataset.teachers import prompts
from pipeline.settings import LangflowSettings

FILES = sorted(SHIPPED.glob("*.json"))


def nodes(flow: dict[str, Any]) -> dict[str, Any]:
    return {node["id"]: node["data"]["node"] for node in flow["data"]["nodes"]}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def flow(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(request.param).read_text(encoding="utf-8"))
    return loaded


def test_the_flows_are_there_under_ids_of_their_own() -> None:
    assert {"rag_chat", "lora_chat", "hybrid_chat", "teach", "compare", "retrain", "agent"} <= {
        path.stem for path in FILES
    }
    assert len({json.loads(path.read_text(encoding="utf-8"))["id"] for path in FILES}) == len(FILES)


@pytest.mark.parametrize(
    ("name", "adapter", "looks_up"),
    [("rag_chat", "base", True), ("lora_chat", "promoted", False), ("hybrid_chat", "promoted", True)],
)
def test_who_answers_in_each_chat(name: str, adapter: str, looks_up: bool) -> None:
    shipped = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
    kinds = {node["data"]["type"]: node["data"]["node"] for node in shipped["data"]["nodes"]}
    assert kinds[MODEL]["template"]["adapter"]["value"] == adapter
    assert (RETRIEVER in kinds) == looks_up


def test_the_rule_stands_in_the_flow_and_the_passages_win_over_an_adapter() -> None:
    def rule(name: str) -> str:
        flow = json.loads((SHIPPED / f"{name}.json").read_text(encoding="utf-8"))
        (node,) = [node for id, node in nodes(flow).items() if id.startswith("CitedAnswer")]
        assert not node["template"]["rule"]["advanced"]
        return str(node["template"]["rule"]["value"])

    assert rule("rag_chat") == RULE
    assert rule("hybrid_chat") == TUNED_RULE
    assert "the notes are right" in TUNED_RULE


def test_the_agent_has_searching_and_asking_as_tools() -> None:
    flow = json.loads((SHIPPED / "agent.json").read_text(encoding="utf-8"))
    tools = {edge["source"] for edge in flow["data"]["edges"] if edge["data"]["targetHandle"]["fieldName"] == "tools"}
    assert {nodes(flow)[id]["display_name"] for id in tools} == {"Notes Retriever", "Ask Notes"}
    assert all(nodes(flow)[id]["tool_mode"] for id in tools)


def test_the_id_is_one_that_langflow_takes(flow: dict[str, Any]) -> None:
    assert UUID(flow["id"]).version == 4


def test_every_edge_joins_an_output_and_an_input_that_exist(flow: dict[str, Any]) -> None:
    known = nodes(flow)
    assert flow["data"]["edges"]
    for edge in flow["data"]["edges"]:
        source, target = edge["data"]["sourceHandle"], edge["data"]["targetHandle"]
        assert source["name"] in [output["name"] for output in known[edge["source"]]["outputs"]]
        assert target["fieldName"] in known[edge["target"]]["template"]
        assert json.loads(edge["sourceHandle"].replace("œ", '"')) == source
        assert json.loads(edge["targetHandle"].replace("œ", '"')) == target


def test_whatever_reads_notes_reads_public_ones_only(flow: dict[str, Any]) -> None:
    readers = [
        node["template"]["visibility"]["value"]
        for node in nodes(flow).values()
        if "visibility" in node.get("template", {})
    ]
    assert set(readers) <= {"public"}


def test_the_flow_of_visitors_can_not_reach_the_teacher() -> None:
    """Visitors talk to one flow, by default this one; only Chat Output's messages come to them, and teach has none."""
    served = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
    assert LangflowSettings().flow == "rag_chat"
    kinds = {name: {node["data"]["type"] for node in flow["data"]["nodes"]} for name, flow in served.items()}
    assert not kinds["rag_chat"] & {TEACHER, PAIR_FILTER, NOTE_CHUNKS}
    assert "ChatOutput" in kinds["rag_chat"]
    assert not kinds["teach"] & {"ChatInput", "ChatOutput"}


def test_a_first_run_of_teach_is_small() -> None:
    values = {
        name: field.get("value")
        for node in nodes(json.loads((SHIPPED / "teach.json").read_text(encoding="utf-8"))).values()
        for name, field in node["template"].items()
        if isinstance(field, dict)
    }
    assert (values["limit"], values["pairs_per_chunk"], values["judge"]) == (5, 3, False)
    assert values["prompt"] == prompts.TEACHER


def test_no_two_nodes_lie_on_each_other(flow: dict[str, Any]) -> None:
    places = [(node["position"]["x"], node["position"]["y"]) for node in flow["data"]["nodes"]]
    assert len(set(places)) == len(places)


def test_whole_numbers_are_written_as_the_editor_writes_them(flow: dict[str, Any]) -> None:
    values = [
        field.get("value")
        for node in nodes(flow).values()
        for field in node["template"].values()
        if isinstance(field, dict)
    ]
    assert not [value for value in values if isinstance(value, float) and value.is_integer()]
