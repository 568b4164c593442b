"""Whether visitors get a flow as it is shipped, by files, log and a database like Langflow's."""

import copy
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flows.files import SHIPPED, read_flow
from flows.fingerprint import fingerprint
from flows.pushing import PushLog
from flows.shipped import is_as_shipped

NAME = "rag_chat"
Flow = dict[str, Any]


@pytest.fixture
def own() -> Flow:
    return read_flow(SHIPPED / f"{NAME}.json")


def edited(flow: Flow) -> Flow:
    flow = copy.deepcopy(flow)
    flow["data"]["nodes"][0]["position"]["x"] += 40
    return flow


def database(path: Path, *flows: Flow) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE flow (name TEXT, description TEXT, endpoint_name TEXT, data JSON)")
        for flow in flows:
            row = [flow["name"], flow.get("description"), flow["endpoint_name"], json.dumps(flow["data"])]
            connection.execute("INSERT INTO flow VALUES (?, ?, ?, ?)", row)
    return path


def test_before_the_first_start_the_files_decide(own: Flow, tmp_path: Path) -> None:
    log, nowhere = PushLog(tmp_path / "pushed.json"), tmp_path / "langflow.db"
    assert is_as_shipped(NAME, {NAME: own}, log, nowhere)
    assert not is_as_shipped(NAME, {NAME: edited(own)}, log, nowhere)
    assert not is_as_shipped("my_chat", {"my_chat": own}, log, nowhere)


def test_what_the_editor_changed_counts(own: Flow, tmp_path: Path) -> None:
    log = PushLog(tmp_path / "pushed.json")
    assert is_as_shipped(NAME, {NAME: own}, log, database(tmp_path / "same.db", own))
    changed = database(tmp_path / "changed.db", edited(own))
    assert not is_as_shipped(NAME, {NAME: own}, log, changed)
    # An older version that nobody edited will be replaced by this one.
    log.write({str(own["id"]): {"file": "old", "server": fingerprint(edited(own))}})
    assert is_as_shipped(NAME, {NAME: own}, log, changed)


def test_a_database_that_can_not_be_read_says_nothing(own: Flow, tmp_path: Path) -> None:
    broken = tmp_path / "langflow.db"
    broken.write_bytes(b"no database at all" * 100)
    assert not is_as_shipped(NAME, {NAME: own}, PushLog(tmp_path / "pushed.json"), broken)
