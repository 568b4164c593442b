"""Documents, their chunks and keywords in SQLite. Each function is part of the caller's transaction."""

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence, Set
from datetime import UTC, datetime

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.index import keywords
from pipeline.text.detecting import main_language
from pipeline.text.tokens import tokens


def known_documents(connection: sqlite3.Connection, among: Collection[str] | None = None) -> dict[str, tuple[str, str]]:
    """Digest and recipe by document id, of all documents or of those whose id is in `among`."""
    query = "SELECT id, digest, recipe FROM documents"
    if among is not None:
        query += " WHERE id IN (SELECT value FROM json_each(?))"
    rows = connection.execute(query, () if among is None else (json.dumps(list(among)),))
    return {row["id"]: (row["digest"], row["recipe"]) for row in rows}


def fingerprint(connection: sqlite3.Connection) -> str:
    """A SHA-256 in hex of all documents, by id, digest, visibility and recipe."""
    rows = connection.execute("SELECT id, digest, visibility, recipe FROM documents ORDER BY id")
    return hashlib.sha256(json.dumps([tuple(row) for row in rows]).encode()).hexdigest()


def put_document(connection: sqlite3.Connection, document: Document, chunks: Sequence[Chunk], recipe: str) -> None:
    """Adds `document` or replaces what was known of it. Chunks that have not changed stay embedded."""
    before = _remove_chunks(connection, document.id)
    language = main_language(f"{document.title}\n{document.text}")
    connection.execute(
        "INSERT OR REPLACE INTO documents"
        " (id, title, url, visibility, tags, date, changes_at, language, digest, recipe, indexed_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            document.id, document.title, document.url, document.visibility,
            json.dumps(document.tags, ensure_ascii=False), document.date.isoformat() if document.date else None,
            document.changes_at.timestamp() if document.changes_at else None,
            language, document.digest, recipe, datetime.now(UTC).isoformat(timespec="seconds"),
        ),
    )  # fmt: skip
    if chunks:
        keywords.count_document(connection, document.visibility, 1)
    # the folders of a note are words of its owner's for it
    folders = document.id.split("/")[1:-1]
    for place, chunk in enumerate(chunks, keywords.next_place(connection)):
        digest = hashlib.sha256(chunk.indexed_text(document.title).encode()).hexdigest()
        heading = tokens("\n".join((*folders, document.title, *chunk.headings)), language)
        body = tokens(chunk.text, language)
        number = keywords.chunk_number(place, heading, body)
        connection.execute(
            "INSERT INTO chunks (number, id, document, position, headings, anchor, text, digest, embedded)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                number, chunk.id, document.id, chunk.position, json.dumps(chunk.headings, ensure_ascii=False),
                chunk.anchor, chunk.text, digest, before.get((chunk.id, document.visibility, digest), 0),
            ),
        )  # fmt: skip
        keywords.add(connection, document.visibility, number, heading, body)
        connection.execute("DELETE FROM tombstones WHERE chunk = ? AND visibility = ?", (chunk.id, document.visibility))
    _drop_vectors(connection, before)


def remove_document(connection: sqlite3.Connection, document: str) -> None:
    """Removes the document with this id, its chunks and their vectors, and has Chroma delete them too."""
    before = _remove_chunks(connection, document)
    _drop_vectors(connection, before)
    connection.execute("DELETE FROM documents WHERE id = ?", (document,))


def forget_recipes(connection: sqlite3.Connection) -> None:
    """Makes the next sync cut and tokenise every document again."""
    connection.execute("UPDATE documents SET recipe = ''")


def record_file(connection: sqlite3.Connection, report: FileReport) -> None:
    """Records what became of one file."""
    connection.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)", _file_row(report))


def _file_row(report: FileReport) -> tuple[str | int | None, ...]:
    return report.id, str(report.path), report.state, report.reason, *(report.version or (None, None))


def record_changed(connection: sqlite3.Connection, reports: Iterable[FileReport]) -> None:
    """Records what became of these files. The records of all other files stay."""
    for report in reports:
        if report.state == "gone":
            connection.execute("DELETE FROM files WHERE id = ?", (report.id,))
        else:
            record_file(connection, report)


def record_files(connection: sqlite3.Connection, reports: Iterable[FileReport], kept: Set[str]) -> None:
    """Records what became of all files, and removes the records of files that are gone.

    Args:
        reports: those of all files that the sources named.
        kept: ids of documents whose record stays although no report names them.
    """
    known = {row["id"]: tuple(row) for row in connection.execute("SELECT * FROM files")}
    seen = {report.id: report for report in reports}
    for id, report in seen.items():
        if known.get(id) != _file_row(report):
            record_file(connection, report)
    for id in known.keys() - seen.keys() - kept:
        connection.execute("DELETE FROM files WHERE id = ?", (id,))


def _remove_chunks(connection: sqlite3.Connection, document: str) -> dict[tuple[str, str, str], int]:
    """Removes the document's chunks and has Chroma delete their vectors.

    Returns:
        By chunk id, visibility and digest, the generation that the chunk was embedded in.
    """
    rows = connection.execute(
        "SELECT number, chunks.id, visibility, chunks.digest, embedded FROM chunks"
        " JOIN documents ON documents.id = chunks.document WHERE document = ?",
        (document,),
    ).fetchall()
    for row in rows:
        keywords.remove(connection, row["visibility"], row["number"])
    if rows:
        keywords.count_document(connection, rows[0]["visibility"], -1)
    connection.executemany(
        "INSERT OR IGNORE INTO tombstones VALUES (?, ?)", ((row["id"], row["visibility"]) for row in rows)
    )
    connection.execute("DELETE FROM chunks WHERE document = ?", (document,))
    return {(row["id"], row["visibility"], row["digest"]): row["embedded"] for row in rows}


def _drop_vectors(connection: sqlite3.Connection, before: Iterable[tuple[str, str, str]]) -> None:
    """Removes the vectors of the chunks `before` if no chunk has the same text now."""
    connection.executemany(
        "DELETE FROM vectors WHERE digest = :digest AND NOT EXISTS (SELECT 1 FROM chunks WHERE digest = :digest)",
        ({"digest": digest} for _, _, digest in before),
    )
