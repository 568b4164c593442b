"""The state of each file and document. Only SQLite is read."""

import sqlite3
from datetime import date
from typing import Literal

from pipeline.index import generations
from pipeline.index.passages import DocumentCounts, DocumentEntry, FileStatus
from pipeline.settings import Visibility

_STATES: dict[str, Literal["indexed", "skipped", "failed"]] = {
    "read": "indexed",
    "skipped": "skipped",
    "failed": "failed",
}


def file_states(connection: sqlite3.Connection, dense: bool) -> tuple[DocumentCounts, list[FileStatus]]:
    """The state of every file that the last sync saw.

    Args:
        dense: whether searches use vectors. Then a file is `pending` if one of its chunks is not embedded yet.
    """
    target = generations.target(connection)
    needed = (target.number if target else 1) if dense else 0
    rows = connection.execute(
        "SELECT path, state, reason, indexed_at, visibility, COUNT(number) AS chunks, COALESCE(SUM(embedded < ?), 0) AS lacking"
        " FROM files LEFT JOIN documents ON documents.id = files.id LEFT JOIN chunks ON chunks.document = documents.id"
        " GROUP BY files.id ORDER BY files.id",
        (needed,),
    )
    files = [
        FileStatus(
            path=row["path"],
            state="pending" if row["lacking"] else _STATES[row["state"]],
            reason=row["reason"],
            chunks=row["chunks"],
            indexed_at=row["indexed_at"],
            visibility=row["visibility"],
        )
        for row in rows
    ]
    counts = DocumentCounts()
    for file in files:
        setattr(counts, file.state, getattr(counts, file.state) + 1)
    return counts, files


def document_days(connection: sqlite3.Connection, visibility: Visibility | None) -> set[date]:
    """The days that documents of this visibility (None: public and private) are of."""
    shown = (visibility,) * 2 if visibility else ("public", "private")
    rows = connection.execute(
        "SELECT DISTINCT date FROM documents WHERE date IS NOT NULL AND visibility IN (?, ?)", shown
    )
    return {date.fromisoformat(row["date"]) for row in rows}


def document_entries(connection: sqlite3.Connection, visibility: Visibility | None) -> list[DocumentEntry]:
    """All documents of this visibility (None: public and private), by id."""
    shown = (visibility,) * 2 if visibility else ("public", "private")
    rows = connection.execute("SELECT id, title, url FROM documents WHERE visibility IN (?, ?) ORDER BY id", shown)
    return [DocumentEntry(*row) for row in rows]
