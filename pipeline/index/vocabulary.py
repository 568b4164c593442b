"""How common words are in the index, and chunks to learn from: what is needed to weigh a question's words."""

import random
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from pipeline.index import generations
from pipeline.index.database import Database
from pipeline.index.keywords import totals
from pipeline.settings import Settings, Visibility


@dataclass(frozen=True, slots=True)
class Vocabulary:
    chunks: int
    """All that could hold a token."""
    frequencies: dict[str, int]
    """Chunks that hold a token, by token; only of the tokens asked for."""


@dataclass(frozen=True, slots=True)
class SampledChunk:
    number: int
    document: str
    digest: str
    text: str


class Statistics:
    """Of the index in the file `path`; with `visibility` public as if there were no private text, None of all text.

    Without an index there is nothing to count, which is no error.
    """

    def __init__(self, path: Path) -> None:
        self._database = Database(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def vocabulary(
        self, tokens: Collection[str] = (), visibility: Visibility | None = None, without: str = ""
    ) -> Vocabulary:
        """`tokens` as `pipeline.text.tokens` makes them; the document `without` is not counted."""
        if not self._database.path.exists():
            return Vocabulary(0, {})
        with self._database.reading() as connection:
            return _vocabulary(connection, tokens, visibility, without)

    def sample(
        self, count: int, visibility: Visibility | None, rng: random.Random
    ) -> tuple[list[SampledChunk], list[np.ndarray]]:
        """At most `count` chunks by chance, and the vectors (dimension,) float32 of those that are embedded."""
        if not self._database.path.exists():
            return [], []
        with self._database.reading() as connection:
            chunks = _sample(connection, count, visibility, rng)
            return chunks, _vectors(connection, chunks)

    def embedder_name(self) -> str | None:
        """Which embedder the vectors come from; None before the first one."""
        return generations.embedder_name(self._database)


def open_statistics(settings: Settings) -> Statistics:
    return Statistics(settings.state / "index.db")


def _vocabulary(
    connection: sqlite3.Connection, tokens: Collection[str], visibility: Visibility | None, without: str
) -> Vocabulary:
    table = "public_keywords" if visibility == "public" else "keywords"
    # In no schema: a table of the connection's own that reads the index of `table`.
    connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_terms USING fts5vocab(main, {table}, row)")
    marks = ", ".join("?" * len(tokens))
    rows = connection.execute(f"SELECT term, doc FROM temp.{table}_terms WHERE term IN ({marks})", tuple(tokens))
    frequencies = {row["term"]: row["doc"] for row in rows}
    _, chunks, _ = totals(connection, visibility)
    if without:
        own = "SELECT number FROM chunks WHERE document = ?"
        chunks -= connection.execute(f"SELECT COUNT(*) FROM ({own})", (without,)).fetchone()[0]
        for token in frequencies:
            counted = f"SELECT COUNT(*) FROM {table} WHERE {table} MATCH ? AND rowid IN ({own})"
            frequencies[token] -= connection.execute(counted, (f'"{token}"', without)).fetchone()[0]
    return Vocabulary(chunks, frequencies)


def _sample(
    connection: sqlite3.Connection, count: int, visibility: Visibility | None, rng: random.Random
) -> list[SampledChunk]:
    only = "WHERE visibility = 'public'" if visibility == "public" else ""
    joined = f"FROM chunks JOIN documents ON documents.id = chunks.document {only} ORDER BY number"
    numbers = [row["number"] for row in connection.execute(f"SELECT number {joined}")]
    chosen = rng.sample(numbers, min(count, len(numbers)))
    rows = connection.execute(
        f"SELECT number, document, digest, text FROM chunks WHERE number IN ({', '.join('?' * len(chosen))})", chosen
    )
    return [SampledChunk(*row) for row in rows]


def _vectors(connection: sqlite3.Connection, chunks: Sequence[SampledChunk]) -> list[np.ndarray]:
    active = generations.generations(connection, "active")
    if not active:
        return []
    stored = generations.stored_vectors(connection, active[0].number, [chunk.digest for chunk in chunks])
    return [stored[chunk.digest] for chunk in chunks if chunk.digest in stored]
