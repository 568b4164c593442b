"""The two lists of a search: the passages nearest in meaning, and those that hold its words."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.index import filters, generations
from pipeline.index.dense import VISIBILITIES, VectorStore
from pipeline.index.filters import Condition, Filters
from pipeline.index.generations import Generation
from pipeline.index.keywords import keyword_scores
from pipeline.settings import Fusion, Retrieval, Visibility

FEW = 5000
"""Where filters let no more chunks through, each is compared with the question; of more, Chroma may know enough."""
DEEP = 1000
"""Neighbours that Chroma is asked for when most of them may not pass the filters."""
PAGE = 5000
"""Vectors read at a time."""


@dataclass(frozen=True, slots=True)
class Request:
    query: str
    retrieval: Retrieval
    k: int
    candidates: int
    """The most that each list hands to the fusion."""
    visibility: Visibility | None = None
    """None: public and private."""
    filters: Filters = field(default_factory=Filters)
    fusion: Fusion = "scores"
    rerank_candidates: int = 20
    """How many of the best a reranker reads, where there is one; `k` where that is more."""
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """The question as the dense list compares it."""

    generation: Generation
    vector: np.ndarray
    """(dimension,) float32 of unit length."""


@dataclass(frozen=True, slots=True)
class Lists:
    """Scores by chunk id, best first, and what is known of each chunk in them."""

    dense: dict[str, float]
    keyword: dict[str, float]
    cosines: dict[str, float]
    """The dense list, and after it the chunks that only the keywords found."""
    rows: dict[str, sqlite3.Row]


def find_lists(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning | None, request: Request
) -> Lists:
    """Both lists, or the one that `request.retrieval` names. `meaning` is needed for all but `keyword`."""
    only = filters.condition(connection, request.filters, request.visibility)
    keyword: dict[str, float] = {}
    # Chroma is another process: while it looks, so does this one.
    answer = _ask_nearest(connection, vectors, meaning, request, only) if meaning else dict
    if request.retrieval != "dense":
        numbers = _chunk_numbers(connection, only) if request.filters else None
        keyword = keyword_scores(connection, request.query, request.visibility, request.candidates, numbers)
    nearest = answer()
    # SQLite decides what there is and may be seen; Chroma may be a moment behind it.
    rows = {row["id"]: row for row in _rows(connection, [*nearest, *keyword], only)}
    dense = {id: score for id, score in nearest.items() if id in rows}
    cosines = dense
    if meaning and keyword:
        # A candidate of the keywords is judged by its own cosine, not by its absence from the dense list:
        # better than ranks, and than scores without this, on every measure of retrieval-dev.
        lacking = {id: rows[id]["digest"] for id in keyword if id not in dense}
        cosines = dense | _stored_cosines(connection, meaning, lacking)
    return Lists(dense, keyword, cosines, rows)


def _ask_nearest(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning, request: Request, only: Condition
) -> Callable[[], dict[str, float]]:
    """What gives the dense list."""
    if request.filters:
        return lambda: _nearest_passing(connection, vectors, meaning, request, only)
    return _ask_chroma(vectors, meaning, request.visibility, request.candidates)


def _nearest_passing(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning, request: Request, only: Condition
) -> dict[str, float]:
    if _is_more_than(FEW, connection, only):
        found = _ask_chroma(vectors, meaning, request.visibility, max(DEEP, request.candidates))()
        passing = {row["id"] for row in _rows(connection, list(found), only)}
        if len(passing) >= request.candidates:
            return _best({id: score for id, score in found.items() if id in passing}, request.candidates)
    return _best(_all_cosines(connection, meaning, only), request.candidates)


def _ask_chroma(
    vectors: VectorStore, meaning: Meaning, visibility: Visibility | None, count: int
) -> Callable[[], dict[str, float]]:
    collections = (visibility,) if visibility else VISIBILITIES
    return vectors.ask_nearest(meaning.generation.number, collections, meaning.vector, count)


def _best(scores: Mapping[str, float], count: int) -> dict[str, float]:
    return dict(sorted(scores.items(), key=lambda item: -item[1])[:count])


def _is_more_than(count: int, connection: sqlite3.Connection, only: Condition) -> bool:
    query = f"SELECT COUNT(*) FROM (SELECT 1 FROM {_CHUNKS} WHERE {only.sql} LIMIT {count + 1})"
    return bool(connection.execute(query, only.values).fetchone()[0] > count)


def _chunk_numbers(connection: sqlite3.Connection, only: Condition) -> np.ndarray:
    """Of every chunk that passes, (chunks,) int64."""
    rows = connection.execute(f"SELECT number FROM {_CHUNKS} WHERE {only.sql}", only.values)
    return np.array([row["number"] for row in rows], np.int64)


def _all_cosines(connection: sqlite3.Connection, meaning: Meaning, only: Condition) -> dict[str, float]:
    """Of every embedded chunk that passes."""
    rows = connection.execute(
        f"SELECT chunks.id, vector FROM {_CHUNKS} JOIN vectors ON vectors.digest = chunks.digest AND generation = ?"
        f" WHERE {only.sql}",
        (meaning.generation.number, *only.values),
    )
    cosines: dict[str, float] = {}
    while page := rows.fetchmany(PAGE):
        matrix = np.frombuffer(b"".join(row["vector"] for row in page), dtype="<f4").reshape(len(page), -1)
        cosines.update(zip((row["id"] for row in page), (matrix @ meaning.vector).tolist(), strict=True))
    return cosines


def _rows(connection: sqlite3.Connection, ids: Sequence[str], only: Condition) -> list[sqlite3.Row]:
    ids = list(dict.fromkeys(ids))
    return connection.execute(
        f"SELECT chunks.id, document, title, url, headings, anchor, text, visibility, chunks.digest FROM {_CHUNKS}"
        f" WHERE chunks.id IN ({', '.join('?' * len(ids))}) AND {only.sql}",
        (*ids, *only.values),
    ).fetchall()


def _stored_cosines(connection: sqlite3.Connection, meaning: Meaning, digests: Mapping[str, str]) -> dict[str, float]:
    """By chunk id; a chunk that is not embedded yet has none."""
    stored = generations.stored_vectors(connection, meaning.generation.number, list(digests.values()))
    return {id: float(meaning.vector @ stored[digest]) for id, digest in digests.items() if digest in stored}


_CHUNKS = "documents JOIN chunks ON chunks.document = documents.id"
