import copy
import re
from pathlib import Path

import pytest

from flows.files import SHIPPED, Flow, read_flow
from flows.visitors import OWNERS_ALONE, private_nodes, refusal


def opened(name: str, kind: str) -> Flow:
    flow = read_flow(SHIPPED / f"{name}.json")
    for node in flow["data"]["nodes"]:
        if kind in node["data"]["type"]:
            field = node["data"]["node"]["template"]["visibility"]
            field["value"] = field["options"][1]
    return flow


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*_chat.json")), ids=lambda path: path.stem)
def test_visitors_may_talk_to_the_shipped_chats(path: Path) -> None:
    assert refusal(read_flow(path)) == ""


@pytest.mark.parametrize(
    ("name", "kind", "node"),
    [("rag_chat", "Retriever", "Notes Retriever"), ("lora_chat", "MLXModel", "MLX Model")],
)
def test_a_node_open_to_private_text_is_named(name: str, kind: str, node: str) -> None:
    flow = opened(name, kind)
    assert private_nodes(flow) == [node]
    assert f"Visibility of {node}" in refusal(flow)


def test_a_node_inside_a_group_is_found() -> None:
    inner = opened("rag_chat", "Retriever")
    group = {"data": {"nodes": [{"id": "g", "data": {"node": {"flow": copy.deepcopy(inner), "template": {}}}}]}}
    assert private_nodes(group) == ["Notes Retriever"]


@pytest.mark.parametrize(("name", "node"), [("retrain", "Sync Notes, Adapter Training"), ("compare", "Compare")])
def test_what_starts_the_owners_work_is_refused(name: str, node: str) -> None:
    assert f"{node} is for you alone" in refusal(read_flow(SHIPPED / f"{name}.json"))


def test_visitors_may_talk_to_the_agent() -> None:
    assert refusal(read_flow(SHIPPED / "agent.json")) == ""


def test_each_component_that_says_for_you_alone_is_refused() -> None:
    files = (SHIPPED.parent / "components" / "sitetwin").glob("*.py")
    sources = [text for file in files if (text := file.read_text(encoding="utf-8"))]
    said = {re.findall(r"^class (\w+)", text, re.MULTILINE)[0] for text in sources if "For you alone." in text}
    assert said == OWNERS_ALONE
