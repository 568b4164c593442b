import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from flows.files import SHIPPED
from flows.fingerprint import fingerprint

Flow = dict[str, Any]


@pytest.fixture
def flow() -> Flow:
    loaded: Flow = json.loads((SHIPPED / "rag_chat.json").read_text(encoding="utf-8"))
    return loaded


def node(flow: Flow, prefix: str) -> Any:
    return next(node for node in flow["data"]["nodes"] if node["id"].startswith(prefix))


def test_saving_in_the_editor_is_no_edit(flow: Flow) -> None:
    saved = copy.deepcopy(flow)
    saved["updated_at"] = "2026-11-21T04:00:00"
    saved["data"]["viewport"] = {"x": 1, "y": 2, "zoom": 0.5}
    saved["data"]["nodes"].reverse()
    for one in saved["data"]["nodes"]:
        one |= {"measured": {"width": 320, "height": 200}, "selected": True, "dragging": False}
    for edge in saved["data"]["edges"]:
        edge |= {"id": f"xy-edge__{edge['id']}", "selected": False}
    node(saved, "Cited")["data"]["node"]["template"]["code"]["value"] = "# an older copy"
    assert fingerprint(saved) == fingerprint(flow)


EDITS: dict[str, Callable[[Flow], Any]] = {
    "a persona": lambda f: node(f, "Cited")["data"]["node"]["template"]["persona"].update(value="Speak like a pirate."),
    "a place": lambda f: node(f, "Chat")["position"].update(x=-300),
    "a note": lambda f: node(f, "note")["data"]["node"].update(description="Mine"),
    "a name": lambda f: f.update(name="My chat"),
    "an edge gone": lambda f: f["data"]["edges"].pop(),
    "a node gone": lambda f: f["data"]["nodes"].remove(node(f, "note")),
    "a tool": lambda f: node(f, "Retriever")["data"]["node"].update(tool_mode=True),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_an_edit_is_an_edit(flow: Flow, edit: Callable[[Flow], Any]) -> None:
    before = fingerprint(flow)
    edit(flow)
    assert fingerprint(flow) != before
