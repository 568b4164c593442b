"""Whether visitors get one of sitetwin's own flows as it is, known without a running Langflow."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from flows.files import SHIPPED, Flow, read_flow
from flows.fingerprint import fingerprint
from flows.pushing import PushLog


def is_as_shipped(name: str, served: dict[str, Flow], log: PushLog, database: Path) -> bool:
    """Whether nobody has changed sitetwin's own flow `name`, in a file or in the editor.

    The pipeline then gives the same answers as the flow.

    Args:
        name: the flow's endpoint name.
        served: the flows that are pushed to Langflow, by endpoint name.
        log: what was pushed last. A flow of an older version that nobody edited counts as unchanged.
        database: Langflow's SQLite file. False if it can't be read as one.
    """
    file = SHIPPED / f"{name}.json"
    if not file.is_file() or name not in served:
        return False
    own = fingerprint(read_flow(file))
    if fingerprint(served[name]) != own:
        return False
    try:
        stored = _stored(name, database)
    except (sqlite3.Error, json.JSONDecodeError):
        return False
    return all(fingerprint(flow) in (own, log.read().get(str(served[name]["id"]), {}).get("server")) for flow in stored)


def _stored(name: str, database: Path) -> list[Flow]:
    """The flows under `name` in Langflow's database; [] before its first start.

    Raises:
        sqlite3.Error: the file is locked, or has not this version's tables.
    """
    if not database.is_file():
        return []
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
        rows = connection.execute(
            "SELECT name, description, endpoint_name, data FROM flow WHERE endpoint_name = ?", (name,)
        ).fetchall()
    return [
        {"name": title, "description": description, "endpoint_name": endpoint, "data": json.loads(data or "null")}
        for title, description, endpoint, data in rows
    ]
