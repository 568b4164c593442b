import json
from pathlib import Path

import pytest

from flows.files import SHIPPED, flows_to_serve
from pipeline.settings import Settings


@pytest.fixture
def owners(tmp_path: Path) -> Path:
    folder = tmp_path / "flows"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{oops", "can't be read as JSON"),
        ("\udcff", "can't be read as JSON"),
        ("[]", "is not a flow"),
        ('{"id": "1", "name": "x"}', "is not a flow"),
        ('{"id": "1", "name": "x", "data": []}', "is not a flow"),
        ('{"id": "1", "name": "x", "data": {"nodes": ["a"]}}', "is not a flow"),
    ],
)
def test_a_broken_file_is_left_out_and_named(owners: Path, tmp_path: Path, text: str, reason: str) -> None:
    (owners / "rag_chat.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    flows, broken = flows_to_serve(Settings(root=tmp_path))
    assert flows["rag_chat"] == json.loads((SHIPPED / "rag_chat.json").read_text(encoding="utf-8"))
    assert list(broken) == ["rag_chat.json"]
    assert reason in broken["rag_chat.json"]


def test_the_owners_flow_wins(owners: Path, tmp_path: Path) -> None:
    mine = {"id": "1", "name": "mine", "endpoint_name": "rag_chat", "data": {"nodes": [], "edges": []}}
    (owners / "a.json").write_text(json.dumps(mine), encoding="utf-8")
    flows, broken = flows_to_serve(Settings(root=tmp_path))
    assert (flows["rag_chat"], broken) == (mine, {})
