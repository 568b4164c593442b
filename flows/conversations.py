"""Deletes visitors' old conversations from Langflow, where the editor's Playground lists them, and old logs of its nodes."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from pipeline.errors import ServiceError

VISITOR = "visitor-"
"""Begins the name of each conversation that is not the owner's own."""
LOGS = ("transaction", "vertex_build")
"""Langflow's tables of what each node read and wrote, visitors' questions among it."""
_PAGE = 200
_LOCKED_SECONDS = 10
_TIMEOUT_SECONDS = 60


async def forget_old(http: httpx.AsyncClient, base_url: str, api_key: str, before: datetime) -> int:
    """Delete the conversations of visitors whose last message is older than `before`. Returns how many.

    Raises:
        ServiceError: Langflow can't be reached or refuses.
    """

    async def call(method: str, path: str, **how: Any) -> Any:
        response = await http.request(
            method, f"{base_url}/api/v1/monitor/messages{path}", headers={"x-api-key": api_key},
            timeout=_TIMEOUT_SECONDS, **how,
        )  # fmt: skip
        return response.raise_for_status().json()

    try:
        old: list[str] = []
        for name in reversed(await _names(call)):
            (newest,) = await call("GET", "", params={"session_id": name, "order": "DESC", "limit": 1}) or [{}]
            if not newest or _moment(newest["timestamp"]) >= before:
                break  # the rest has been used since
            old.append(name)
        for at in range(0, len(old), _PAGE):
            await call("DELETE", "/sessions", json=old[at : at + _PAGE])
    except httpx.HTTPError as error:
        raise ServiceError(
            f"Langflow at {base_url} does not delete old conversations ({error or type(error).__name__}): see its log"
        ) from None
    return len(old)


def forget_logs(database: Path, before: datetime) -> int:
    """Delete what nodes logged before `before`. Langflow itself deletes it by number, and offers no other way.

    Args:
        database: Langflow's SQLite file; Langflow may be running.

    Returns:
        How many rows there were.

    Raises:
        ServiceError: the file is locked, or has not this version's tables.
    """
    # As SQLAlchemy writes it, so that texts compare as the moments do.
    moment = before.astimezone(UTC).replace(tzinfo=None).isoformat(" ")
    try:
        with closing(sqlite3.connect(database, timeout=_LOCKED_SECONDS)) as opened, opened:
            return sum(opened.execute(f'DELETE FROM "{log}" WHERE timestamp < ?', (moment,)).rowcount for log in LOGS)
    except sqlite3.Error as error:
        raise ServiceError(
            f"Langflow's old logs in {database} are not deleted ({error}): restart `sitetwin up`"
        ) from None


async def _names(call: Any) -> list[str]:
    """The visitors' conversations, the one that was used last first."""
    names: list[str] = []
    while page := await call("GET", "/sessions", params={"limit": _PAGE, "offset": len(names)}):
        names += page
    return [name for name in names if name.startswith(VISITOR)]


def _moment(timestamp: str) -> datetime:
    """Langflow writes UTC, with its name or without."""
    moment = datetime.fromisoformat(timestamp.removesuffix(" UTC"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
