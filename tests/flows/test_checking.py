import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from flows.builder import CITED_ANSWER, RETRIEVER
from flows.checking import problems
from flows.commands import flows
from flows.files import SHIPPED, Flow, read_flow
from flows.registry import Registry
from pipeline.errors import ServiceError
from pipeline.settings import load_settings

pytestmark = pytest.mark.slow

ANSWER = "CitedAnswerComponent-c4ite"


@pytest.fixture
def flow() -> Flow:
    return copy.deepcopy(read_flow(SHIPPED / "rag_chat.json"))


def edge(flow: Flow, field: str) -> dict[str, Any]:
    found: dict[str, Any] = next(e for e in flow["data"]["edges"] if e["data"]["targetHandle"]["fieldName"] == field)
    return found


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.json")), ids=lambda path: path.stem)
def test_nothing_is_wrong_with_the_shipped_flows(registry: Registry, path: Path) -> None:
    assert problems(read_flow(path), registry) == []


def test_a_component_that_is_missing_older_or_no_longer_fits_is_named(registry: Registry, flow: Flow) -> None:
    for node in flow["data"]["nodes"]:
        if node["data"]["type"] == RETRIEVER:
            node["data"]["node"]["template"]["code"]["value"] += "\n"
        if node["data"]["type"] == CITED_ANSWER:
            node["data"]["type"] = "ext:elsewhere:Answer@official"
    assert sorted(problem.split(": ")[:2] for problem in problems(flow, registry)) == [
        ["node Cited Answer (CitedAnswerComponent-c4ite)", "Langflow has no such component"],
        ["node Notes Retriever (RetrieverComponent-n2tes)", "its code is that of another version"],
    ]


def test_an_edge_without_an_end_and_a_missing_one_are_named(registry: Registry, flow: Flow) -> None:
    edge(flow, "passages")["data"]["sourceHandle"]["name"] = "found"
    edge(flow, "input_value")["target"] = "Gone-1"
    flow["data"]["edges"].remove(edge(flow, "model"))
    wrong = edge(flow, "question")
    wrong["data"]["targetHandle"]["fieldName"] = "passages"
    wrong["target"] = ANSWER
    assert sorted(problems(flow, registry)) == [
        "edge Chat Input (message) to Cited Answer (passages): Message goes out, Table or JSON or DataFrame or Data goes "
        "in: connect it anew",
        "edge Cited Answer (answer) to Gone-1 (input_value): there is no node Gone-1: connect it anew",
        "edge Notes Retriever (found) to Cited Answer (passages): Notes Retriever has no output found: connect it anew",
        "node Chat Output (ChatOutput-a5nsw): nothing is connected to Inputs",
        "node Cited Answer (CitedAnswerComponent-c4ite): nothing is connected to Model",
    ]


def test_check_names_node_and_edge_of_the_owners_flows(registry: Registry, tmp_path: Path, flow: Flow) -> None:
    (tmp_path / "sitetwin.toml").write_text("", encoding="utf-8")
    (tmp_path / "flows").mkdir()
    flow["data"]["edges"].remove(edge(flow, "model"))
    (tmp_path / "flows" / "rag_chat.json").write_text(json.dumps(flow), encoding="utf-8")
    (tmp_path / "flows" / "oops.json").write_text("{oops", encoding="utf-8")
    settings = load_settings(tmp_path / "sitetwin.toml")
    with pytest.raises(ServiceError) as caught:
        CliRunner().invoke(flows, ["check"], obj=lambda: settings, catch_exceptions=False)
    assert "oops.json can't be read as JSON" in str(caught.value)
    assert f"rag_chat.json: node Cited Answer ({ANSWER}): nothing is connected to Model" in str(caught.value)
