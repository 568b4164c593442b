"""Generations of vectors: which one is searched, which one is being built, and which chunks it still lacks.

Each function is part of the caller's transaction.
"""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.content.documents import Chunk
from pipeline.errors import StaleIndexError
from pipeline.index.database import Database
from pipeline.settings import Visibility

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder


@dataclass(frozen=True, slots=True)
class Generation:
    """The vectors of all chunks by one embedder."""

    number: int
    embedder: str
    dimension: int
    spec: str
    """From this, its embedder can be loaded again."""
    state: str
    """`active`, `building` or `retired`."""


@dataclass(frozen=True, slots=True)
class PendingChunk:
    """A chunk whose vector Chroma lacks."""

    id: str
    visibility: Visibility
    digest: str


def generations(connection: sqlite3.Connection, state: str) -> list[Generation]:
    """All generations in `state`, which is `active`, `building` or `retired`."""
    rows = connection.execute(
        "SELECT number, embedder, dimension, spec, state FROM generations WHERE state = ?", (state,)
    )
    return [Generation(*row) for row in rows]


def embedder_name(database: Database) -> str | None:
    """The name of the embedder that made the searched vectors; None before the first sync with vectors."""
    if not database.path.exists():
        return None
    with database.reading() as connection:
        active = generations(connection, "active")
    return active[0].embedder if active else None


def target(connection: sqlite3.Connection) -> Generation | None:
    """The generation that a sync fills: the one being built, or else the active one; None if there is neither."""
    return next(iter(generations(connection, "building") + generations(connection, "active")), None)


def check_embedder(generation: Generation, embedder: "Embedder") -> None:
    """
    Raises:
        StaleIndexError: the generation was made with another embedder.
    """
    if (generation.embedder, generation.dimension) != (embedder.name, embedder.dimension):
        raise StaleIndexError(
            f"the index was made with embedder {generation.embedder}, the settings name {embedder.name}: "
            "run `sitetwin index --rebuild`, or name the former again"
        )


def next_number(connection: sqlite3.Connection) -> int:
    """The number for a new generation."""
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM generations").fetchone()[0])


def begin(connection: sqlite3.Connection, number: int, embedder: str, dimension: int, spec: str) -> Generation:
    """Adds a generation. It is `active` at once if there is no other, or else `building` beside the active one."""
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'building'")
    state = "building" if generations(connection, "active") else "active"
    connection.execute("INSERT INTO generations VALUES (?, ?, ?, ?, ?)", (number, embedder, dimension, spec, state))
    return Generation(number, embedder, dimension, spec, state)


def activate(connection: sqlite3.Connection, number: int) -> None:
    """Makes generation `number` the one that is searched, and retires the one before."""
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'active'")
    connection.execute("UPDATE generations SET state = 'active' WHERE number = ?", (number,))


def remove(connection: sqlite3.Connection, number: int) -> None:
    """Forgets generation `number` and its vectors."""
    connection.execute("DELETE FROM vectors WHERE generation = ?", (number,))
    connection.execute("DELETE FROM generations WHERE number = ?", (number,))


def pending(connection: sqlite3.Connection, generation: int) -> list[PendingChunk]:
    """Chunks that Chroma lacks, the longest first.

    So the texts of a batch have similar lengths, and the sync becomes faster towards its end, never slower.
    """
    rows = connection.execute(
        "SELECT chunks.id, visibility, chunks.digest FROM chunks JOIN documents ON documents.id = chunks.document"
        " WHERE embedded < ? ORDER BY length(text) DESC, chunks.id",
        (generation,),
    )
    return [PendingChunk(*row) for row in rows]


def indexed_texts(connection: sqlite3.Connection, chunks: Sequence[str]) -> dict[str, str]:
    """By chunk id, the text that is embedded."""
    rows = connection.execute(
        "SELECT title, chunks.id, document, position, headings, anchor, text FROM chunks"
        f" JOIN documents ON documents.id = chunks.document WHERE chunks.id IN ({_marks(chunks)})",
        list(chunks),
    )
    return {
        id: Chunk(id, document, position, tuple(json.loads(headings)), anchor, text).indexed_text(title)
        for title, id, document, position, headings, anchor, text in rows
    }


def stored_vectors(connection: sqlite3.Connection, generation: int, digests: Sequence[str]) -> dict[str, np.ndarray]:
    """By digest, the known vectors (dimension,) float32."""
    rows = connection.execute(
        f"SELECT digest, vector FROM vectors WHERE generation = ? AND digest IN ({_marks(digests)})",
        [generation, *digests],
    )
    return {row["digest"]: np.frombuffer(row["vector"], dtype="<f4") for row in rows}


def mark_embedded(
    connection: sqlite3.Connection, generation: int, chunks: Sequence[PendingChunk], vectors: Mapping[str, np.ndarray]
) -> None:
    """Records that Chroma has `chunks` now.

    Args:
        vectors: by digest, the vectors (dimension,) float32 that were made for them.
    """
    connection.executemany(
        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
        ((digest, generation, vector.astype("<f4").tobytes()) for digest, vector in vectors.items()),
    )
    connection.executemany("UPDATE chunks SET embedded = ? WHERE id = ?", ((generation, chunk.id) for chunk in chunks))


def mark_missing(connection: sqlite3.Connection, chunks: Sequence[str]) -> None:
    """Records that Chroma lacks the chunks with these ids."""
    connection.executemany("UPDATE chunks SET embedded = 0 WHERE id = ?", ((chunk,) for chunk in chunks))


def chunk_ids(connection: sqlite3.Connection, visibility: Visibility) -> set[str]:
    """The ids of all chunks of this visibility."""
    rows = connection.execute(
        "SELECT chunks.id FROM chunks JOIN documents ON documents.id = chunks.document WHERE visibility = ?",
        (visibility,),
    )
    return {row["id"] for row in rows}


def chunk_count(connection: sqlite3.Connection, visibility: Visibility) -> int:
    """The number of all chunks of this visibility."""
    query = "SELECT COUNT(*) FROM chunks JOIN documents ON documents.id = chunks.document WHERE visibility = ?"
    return int(connection.execute(query, (visibility,)).fetchone()[0])


def tombstones(connection: sqlite3.Connection, visibility: Visibility) -> list[str]:
    """The ids of the chunks that Chroma still has to delete."""
    return [
        row["chunk"] for row in connection.execute("SELECT chunk FROM tombstones WHERE visibility = ?", (visibility,))
    ]


def bury(connection: sqlite3.Connection, visibility: Visibility, chunks: Sequence[str]) -> None:
    """Records that Chroma has deleted the chunks with these ids."""
    rows = ((chunk, visibility) for chunk in chunks)
    connection.executemany("DELETE FROM tombstones WHERE chunk = ? AND visibility = ?", rows)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
