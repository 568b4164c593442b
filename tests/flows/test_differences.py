"""What differs between two versions of a shipped flow."""

import copy
from typing import Any

import pytest

from flows.differences import Difference, differences
from flows.files import SHIPPED, read_flow

Flow = dict[str, Any]


@pytest.fixture
def own() -> Flow:
    return read_flow(SHIPPED / "rag_chat.json")


@pytest.fixture
def edited(own: Flow) -> Flow:
    return copy.deepcopy(own)


def node(flow: Flow, name: str) -> dict[str, Any]:
    return next(node for node in flow["data"]["nodes"] if node["data"]["node"]["display_name"] == name)


def field(flow: Flow, name: str, key: str) -> dict[str, Any]:
    found: dict[str, Any] = node(flow, name)["data"]["node"]["template"][key]
    return found


def test_the_same_flow_does_not_differ_and_what_langflow_writes_is_left_out(own: Flow, edited: Flow) -> None:
    edited["data"]["viewport"] = {"x": 3, "y": 4, "zoom": 2}
    node(edited, "Notes Retriever")["selected"] = True
    field(edited, "Notes Retriever", "code")["value"] = "class Other: ..."
    assert differences(own, edited) == []


def test_a_field_is_named_as_on_the_node(own: Flow, edited: Flow) -> None:
    changed = field(edited, "Notes Retriever", "visibility")
    before, changed["value"] = changed["value"], "public and private"
    (found,) = differences(own, edited)
    assert found == Difference("Notes Retriever", changed["display_name"], before, "public and private")
    assert str(found) == "Notes Retriever: Visibility: 'public' -> 'public and private'"


def test_nodes_edges_titles_and_places(own: Flow, edited: Flow) -> None:
    gone = edited["data"]["edges"].pop(0)
    retriever = node(edited, "Notes Retriever")
    retriever["position"]["x"] += 50
    retriever["data"]["node"]["display_name"] = "My notes"
    extra = copy.deepcopy(retriever)
    extra["id"], extra["data"]["node"]["display_name"] = "Extra-1", "Second notes"
    edited["data"]["nodes"].append(extra)
    found = {(one.node, one.field): one for one in differences(own, edited)}
    assert found[("My notes", "title")].before == "Notes Retriever"
    assert found[("My notes", "place")].before != found[("My notes", "place")].after
    assert str(found[("Second notes", "node")]) == "Second notes: node added: 'Second notes'"
    assert gone["data"]["targetHandle"]["fieldName"] in found[(own["name"], "edge")].before
    assert len(found) == 4


def test_a_secret_is_not_shown(own: Flow, edited: Flow) -> None:
    for flow, value in ((own, "sk-old"), (edited, "sk-new")):
        node(flow, "Notes Retriever")["data"]["node"]["template"]["key"] = {
            "display_name": "Key", "password": True, "value": value,
        }  # fmt: skip
    (found,) = differences(own, edited)
    assert "sk-" not in str(found)
    assert found.field == "Key"
