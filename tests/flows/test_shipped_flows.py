"""The flow files as they are in the repository, read as plain JSON."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from flows.files import SHIPPED

FILES = sorted(SHIPPED.glob("*.json"))


def nodes(flow: dict[str, Any]) -> dict[str, Any]:
    return {node["id"]: node["data"]["node"] for node in flow["data"]["nodes"]}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def flow(request: pytest.FixtureRequest) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(request.param).read_text(encoding="utf-8"))
    return loaded


def test_rag_chat_is_there() -> None:
    assert "rag_chat" in [path.stem for path in FILES]


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


def test_every_retriever_shows_public_text_only(flow: dict[str, Any]) -> None:
    retrievers = [node for node in nodes(flow).values() if node.get("name") == "RetrieverComponent"]
    assert retrievers
    assert {node["template"]["visibility"]["value"] for node in retrievers} == {"public"}


def test_no_two_nodes_lie_on_each_other(flow: dict[str, Any]) -> None:
    places = [(node["position"]["x"], node["position"]["y"]) for node in flow["data"]["nodes"]]
    assert len(set(places)) == len(places)
