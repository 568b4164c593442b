"""Statistics of the index: how common words are, to weigh a question's words, and a sample of chunks to learn from."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from pipeline.index import generations
from pipeline.index.database import Database
from pipeline.index.keywords import languages, totals
from pipeline.settings import Settings, Visibility
from pipeline.text.compounds import is_headed_by, may_be_head


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How many chunks hold a token."""

    chunks: int
    """The number of all chunks."""
    frequencies: dict[str, int]
    """The number of chunks that hold a token, by token, for the tokens that were asked for."""


@dataclass(frozen=True, slots=True)
class SampledChunk:
    """A chunk that was drawn at random."""

    number: int
    document: str
    digest: str
    text: str


class Statistics:
    """Statistics of the index in the file `path`.

    `visibility` public counts as if there were no private text, None counts all text. A missing index is no error: its
    counts are 0.
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
        """Counts the chunks that hold each of `tokens`.

        Args:
            tokens: as `pipeline.text.tokens` makes them.
            without: the id of a document whose chunks are not counted.
        """
        if not self._database.path.exists():
            return Vocabulary(0, {})
        with self._database.reading() as connection:
            return _vocabulary(connection, tokens, visibility, without)

    def sample(self, count: int, visibility: Visibility | None) -> tuple[list[SampledChunk], list[np.ndarray]]:
        """Draws at most `count` chunks: those whose digests come first.

        A digest is as good as chance, and a note that is added or removed changes little of the sample.

        Returns:
            The chunks, and the vectors (dimension,) float32 of those that are embedded.
        """
        if not self._database.path.exists():
            return [], []
        with self._database.reading() as connection:
            chunks = _sample(connection, count, visibility)
            return chunks, _vectors(connection, chunks)

    def languages(self, visibility: Visibility | None = None) -> dict[str, int]:
        """How many documents are in each language, by ISO 639-1 code, most first; {} before the first sync."""
        if not self._database.path.exists():
            return {}
        with self._database.reading() as connection:
            return languages(connection, visibility)

    def embedder_name(self) -> str | None:
        """The name of the embedder that made the vectors; None before the first sync with vectors."""
        return generations.embedder_name(self._database)


def open_statistics(settings: Settings) -> Statistics:
    """The statistics of the site's index."""
    return Statistics(settings.state / "index.db")


def frequencies(
    connection: sqlite3.Connection, tokens: Collection[str], visibility: Visibility | None
) -> tuple[dict[str, int], int]:
    """The number of chunks that hold each of `tokens`, also 0, and of all chunks."""
    known = _vocabulary(connection, tokens, visibility, "")
    return {token: known.frequencies.get(token, 0) for token in tokens}, known.chunks


def headed_by(
    connection: sqlite3.Connection, tokens: Collection[str], visibility: Visibility | None
) -> dict[str, list[str]]:
    """The compounds among the words of the notes whose last part is one of `tokens`, by token."""
    heads = [token for token in tokens if may_be_head(token)]
    if not heads:
        return {}
    _, terms = _terms(connection, visibility)
    # All at once: each look reads every term of the index. A list of conditions may be too long for SQLite.
    rows = connection.execute(
        f"SELECT DISTINCT term FROM {terms}, json_each(?) WHERE term LIKE '%' || value ORDER BY term",
        (json.dumps(heads),),
    )
    ends = [row["term"] for row in rows]
    found = {head: [word for word in ends if is_headed_by(word, head)] for head in heads}
    return {head: compounds for head, compounds in found.items() if compounds}


def _terms(connection: sqlite3.Connection, visibility: Visibility | None) -> tuple[str, str]:
    """The table of the keywords, and one that counts its terms."""
    table = "public_keywords" if visibility == "public" else "keywords"
    # A temporary table of this connection, which reads the index of `table`. It is not part of the schema.
    connection.execute(f"CREATE VIRTUAL TABLE IF NOT EXISTS temp.{table}_terms USING fts5vocab(main, {table}, row)")
    return table, f"temp.{table}_terms"


def _vocabulary(
    connection: sqlite3.Connection, tokens: Collection[str], visibility: Visibility | None, without: str
) -> Vocabulary:
    table, terms = _terms(connection, visibility)
    marks = ", ".join("?" * len(tokens))
    rows = connection.execute(f"SELECT term, doc FROM {terms} WHERE term IN ({marks})", tuple(tokens))
    frequencies = {row["term"]: row["doc"] for row in rows}
    _, chunks, _ = totals(connection, visibility)
    if without:
        own = "SELECT number FROM chunks WHERE document = ?"
        chunks -= connection.execute(f"SELECT COUNT(*) FROM ({own})", (without,)).fetchone()[0]
        for token in frequencies:
            counted = f"SELECT COUNT(*) FROM {table} WHERE {table} MATCH ? AND rowid IN ({own})"
            frequencies[token] -= connection.execute(counted, (f'"{token}"', without)).fetchone()[0]
    return Vocabulary(chunks, frequencies)


def _sample(connection: sqlite3.Connection, count: int, visibility: Visibility | None) -> list[SampledChunk]:
    only = "WHERE visibility = 'public'" if visibility == "public" else ""
    rows = connection.execute(
        "SELECT number, document, chunks.digest, text FROM chunks JOIN documents ON documents.id = chunks.document"
        f" {only} ORDER BY chunks.digest, number LIMIT ?",
        (count,),
    )
    return [SampledChunk(*row) for row in rows]


def _vectors(connection: sqlite3.Connection, chunks: Sequence[SampledChunk]) -> list[np.ndarray]:
    active = generations.generations(connection, "active")
    if not active:
        return []
    stored = generations.stored_vectors(connection, active[0].number, [chunk.digest for chunk in chunks])
    return [stored[chunk.digest] for chunk in chunks if chunk.digest in stored]
