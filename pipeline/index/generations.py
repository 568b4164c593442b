"""Which build of the dense side is searched, which is being made, and which chunks it still lacks."""

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
    number: int
    embedder: str
    dimension: int
    spec: str
    """What its embedder is loaded from again."""
    state: str
    """`active`, `building` or `retired`."""


@dataclass(frozen=True, slots=True)
class PendingChunk:
    id: str
    visibility: Visibility
    digest: str


def generations(connection: sqlite3.Connection, state: str) -> list[Generation]:
    rows = connection.execute(
        "SELECT number, embedder, dimension, spec, state FROM generations WHERE state = ?", (state,)
    )
    return [Generation(*row) for row in rows]


def embedder_name(database: Database) -> str | None:
    """Which embedder the searched vectors come from; None before the first one."""
    if not database.path.exists():
        return None
    with database.reading() as connection:
        active = generations(connection, "active")
    return active[0].embedder if active else None


def target(connection: sqlite3.Connection) -> Generation | None:
    """The generation that a sync fills: the one being built, else the active one."""
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
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) + 1 FROM generations").fetchone()[0])


def begin(connection: sqlite3.Connection, number: int, embedder: str, dimension: int, spec: str) -> Generation:
    """A new generation: active at once when there is none, else built beside the active one."""
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'building'")
    state = "building" if generations(connection, "active") else "active"
    connection.execute("INSERT INTO generations VALUES (?, ?, ?, ?, ?)", (number, embedder, dimension, spec, state))
    return Generation(number, embedder, dimension, spec, state)


def activate(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("UPDATE generations SET state = 'retired' WHERE state = 'active'")
    connection.execute("UPDATE generations SET state = 'active' WHERE number = ?", (number,))


def remove(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("DELETE FROM vectors WHERE generation = ?", (number,))
    connection.execute("DELETE FROM generations WHERE number = ?", (number,))


def pending(connection: sqlite3.Connection, generation: int) -> list[PendingChunk]:
    """Chunks that Chroma lacks, the longest first, so that a batch has like lengths and the rate only rises."""
    rows = connection.execute(
        "SELECT chunks.id, visibility, chunks.digest FROM chunks JOIN documents ON documents.id = chunks.document"
        " WHERE embedded < ? ORDER BY length(text) DESC, chunks.id",
        (generation,),
    )
    return [PendingChunk(*row) for row in rows]


def indexed_texts(connection: sqlite3.Connection, chunks: Sequence[str]) -> dict[str, str]:
    """What is embedded of each chunk, by its id."""
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
    """The vectors (dimension,) float32 known for `digests`."""
    rows = connection.execute(
        f"SELECT digest, vector FROM vectors WHERE generation = ? AND digest IN ({_marks(digests)})",
        [generation, *digests],
    )
    return {row["digest"]: np.frombuffer(row["vector"], dtype="<f4") for row in rows}


def mark_embedded(
    connection: sqlite3.Connection, generation: int, chunks: Sequence[PendingChunk], vectors: Mapping[str, np.ndarray]
) -> None:
    """Chroma has `chunks` now. `vectors`: those made for them, by digest."""
    connection.executemany(
        "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
        ((digest, generation, vector.astype("<f4").tobytes()) for digest, vector in vectors.items()),
    )
    connection.executemany("UPDATE chunks SET embedded = ? WHERE id = ?", ((generation, chunk.id) for chunk in chunks))


def mark_missing(connection: sqlite3.Connection, chunks: Sequence[str]) -> None:
    connection.executemany("UPDATE chunks SET embedded = 0 WHERE id = ?", ((chunk,) for chunk in chunks))


def chunk_ids(connection: sqlite3.Connection, visibility: Visibility) -> set[str]:
    rows = connection.execute(
        "SELECT chunks.id FROM chunks JOIN documents ON documents.id = chunks.document WHERE visibility = ?",
        (visibility,),
    )
    return {row["id"] for row in rows}


def chunk_count(connection: sqlite3.Connection, visibility: Visibility) -> int:
    query = "SELECT COUNT(*) FROM chunks JOIN documents ON documents.id = chunks.document WHERE visibility = ?"
    return int(connection.execute(query, (visibility,)).fetchone()[0])


def tombstones(connection: sqlite3.Connection, visibility: Visibility) -> list[str]:
    return [
        row["chunk"] for row in connection.execute("SELECT chunk FROM tombstones WHERE visibility = ?", (visibility,))
    ]


def bury(connection: sqlite3.Connection, visibility: Visibility, chunks: Sequence[str]) -> None:
    """Chroma has forgotten `chunks`."""
    rows = ((chunk, visibility) for chunk in chunks)
    connection.executemany("DELETE FROM tombstones WHERE chunk = ? AND visibility = ?", rows)


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
