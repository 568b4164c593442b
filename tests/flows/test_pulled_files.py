import json
import warnings
from pathlib import Path

import pytest

from flows.files import SHIPPED, read_flow
from flows.pushing import file_ids, file_text, free_name


def flow(number: int, name: str, endpoint: str | None = None) -> dict[str, object]:
    return {"id": f"{number:08d}-0000-4000-8000-000000000000", "name": name, "endpoint_name": endpoint, "data": {}}


def test_flows_with_names_alike_get_files_of_their_own(tmp_path: Path) -> None:
    flows = [
        flow(1, "Notes (v1)"), flow(2, "Notes [v1]"), flow(3, "rag_chat "), flow(4, "RAG_CHAT"), flow(5, "x", "rag_chat"),
        flow(6, "../../../tmp/evil"), flow(7, "x", "../up"),
    ]  # fmt: skip
    names = [free_name(one, ids) for ids in [file_ids(tmp_path)] for one in flows]
    assert names == [
        "Notes__v1.json", "Notes__v1-00000002.json", "rag_chat.json", "RAG_CHAT-00000004.json", "rag_chat-00000005.json",
        "tmp_evil.json", "up.json",
    ]  # fmt: skip


def test_a_flow_keeps_its_file_at_the_next_pull_and_takes_no_other(tmp_path: Path) -> None:
    one, two = flow(1, "Notes"), flow(2, "notes")
    (tmp_path / "Notes.json").write_text(json.dumps(one), encoding="utf-8")
    (tmp_path / "own.json").write_text("{not a flow", encoding="utf-8")
    for _ in range(2):
        ids = file_ids(tmp_path)
        # Whichever comes first.
        names = [free_name(each, ids) for each in (two, one, flow(3, "own"))]
        assert names == ["notes-00000002.json", "Notes.json", "own-00000003.json"]
        (tmp_path / names[0]).write_text(json.dumps(two), encoding="utf-8")


@pytest.mark.slow
def test_a_flow_that_langflow_stored_as_it_came_is_the_shipped_file_again() -> None:
    with warnings.catch_warnings():
        # Langflow's dependencies warn while they are imported.
        warnings.simplefilter("ignore")
        import langflow.utils.flow_secrets  # noqa: F401
    added = {"icon_bg_color": None, "locked": False, "mcp_enabled": False, "tags": None, "webhook": False}
    for path in SHIPPED.glob("*.json"):
        assert file_text({**added, **read_flow(path)}) == path.read_text(encoding="utf-8")
    assert '"locked": true' in file_text({**flow(1, "mine"), "locked": True})


@pytest.mark.slow
def test_secrets_in_ordinary_fields_are_not_written() -> None:
    with warnings.catch_warnings():
        # Langflow's dependencies warn while they are imported.
        warnings.simplefilter("ignore")
        import langflow.utils.flow_secrets  # noqa: F401
    for path in SHIPPED.glob("*.json"):
        assert file_text(read_flow(path)) == path.read_text(encoding="utf-8")
    template = {
        "headers": {"name": "headers", "value": [{"key": "Authorization", "value": "Bearer SECRETBEARER"}]},
        "url_input": {"name": "url_input", "value": "https://user:SECRETURL@example.org"},
        "database_url": {"name": "database_url", "value": "postgresql://u:SECRETDB@h/db"},
        "api_key": {"name": "api_key", "value": "sk-SECRETLANG"},
        "text": {"name": "text", "value": "plain words"},
    }
    node = {"id": "n", "type": "genericNode", "data": {"id": "n", "node": {"template": template}}}
    text = file_text({**flow(1, "secrets"), "data": {"nodes": [node], "edges": []}})
    assert "SECRET" not in text
    assert "plain words" in text
