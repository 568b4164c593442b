"""The two lists of a search: the passages nearest in meaning, and those that hold its words."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.index import filters, generations
from pipeline.index.dense import VISIBILITIES, VectorStore
from pipeline.index.filters import Condition, Filters
from pipeline.index.generations import Generation
from pipeline.index.keywords import keyword_scores, query_language
from pipeline.index.vocabulary import headed_by
from pipeline.settings import Fusion, Retrieval, Visibility
from pipeline.text.languages.tables import table
from pipeline.text.tokens import query_tokens
from pipeline.text.verbs import verbs_of

FEW = 5000
"""If at most this many chunks pass the filters, each is compared with the question. If more pass, Chroma is asked."""
DEEP = 1000
"""How many neighbours Chroma is asked for if there are filters, because most neighbours may not pass them."""
PAGE = 5000
"""Vectors read at a time."""


@dataclass(frozen=True, slots=True)
class ListRequest:
    """What a search is asked for."""

    query: str
    retrieval: Retrieval
    k: int
    candidates: int
    """The most chunks that each list hands to the fusion."""
    visibility: Visibility | None = None
    """None: public and private."""
    filters: Filters = field(default_factory=Filters)
    fusion: Fusion = "scores"
    rerank_candidates: int = 20
    """How many of the best chunks the reranker reads, if there is one. It reads `k` if that is more."""
    align: bool = False
    """Whether the words of the question may be compared with those of the best passages."""
    sentences: bool = False
    """Whether single sentences of the best passages may be read."""
    explain: bool = False


@dataclass(frozen=True, slots=True)
class Meaning:
    """The question as a vector, and the generation that it is compared with."""

    generation: Generation
    vector: np.ndarray
    """(dimension,) float32 of unit length."""


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a search: scores by chunk id, best first, and the row of each chunk in them."""

    dense: dict[str, float]
    keyword: dict[str, float]
    cosines: dict[str, float]
    """Those of the dense list, then those of the chunks that only the keyword list has."""
    rows: dict[str, sqlite3.Row]
    terms: list[str]
    """The tokens that the keyword list was asked for; [] without one."""
    language: str
    """The question's, an ISO 639-1 code; "" where it doesn't tell, or without a keyword list."""


def find_lists(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning | None, request: ListRequest
) -> Lists:
    """Both lists, or the one that `request.retrieval` names.

    Args:
        meaning: None for the retrieval `keyword`.

    Raises:
        StaleIndexError: Chroma has lost the index.
        ServiceError: Chroma can't be reached.
    """
    only = filters.condition(connection, request.filters, request.visibility)
    keyword: dict[str, float] = {}
    terms: list[str] = []
    language = ""
    # Chroma is another process, so both lists are computed at the same time.
    answer = _ask_nearest(connection, vectors, meaning, request, only) if meaning else dict
    if request.retrieval != "dense":
        numbers = _chunk_numbers(connection, only) if request.filters else None
        language = query_language(connection, request.query, request.visibility)
        terms = query_tokens(request.query, language, exact=True)
        also = _also(connection, request, terms, language)
        keyword = keyword_scores(connection, terms, request.visibility, request.candidates, numbers, also)
    nearest = answer()
    # SQLite decides which chunks exist and may be seen. Chroma may be a moment behind it.
    rows = {row["id"]: row for row in _rows(connection, [*nearest, *keyword], only)}
    dense = {id: score for id, score in nearest.items() if id in rows}
    keyword = {id: score for id, score in keyword.items() if id in rows}
    cosines = dense
    if meaning and keyword:
        # A chunk that only the keyword list has gets its own cosine, not 0 for its absence from the dense list.
        # On every measure of retrieval-dev this was better than ranks, and than scores without it.
        lacking = {id: rows[id]["digest"] for id in keyword if id not in dense}
        cosines = dense | _stored_cosines(connection, meaning, lacking)
    return Lists(dense, keyword, cosines, rows, terms, language)


def _also(
    connection: sqlite3.Connection, request: ListRequest, terms: Sequence[str], language: str
) -> dict[str, list[str]]:
    """What counts as a term of the question too: the compounds that it heads, and its verb in other forms."""
    also = headed_by(connection, terms, request.visibility) if table(language).compounds else {}
    for word, forms in verbs_of(request.query, language).items():
        if word in terms:
            also[word] = sorted({*also.get(word, ()), *forms})
    return also


def _ask_nearest(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning, request: ListRequest, only: Condition
) -> Callable[[], dict[str, float]]:
    """A function that returns the dense list."""
    if request.filters:
        return lambda: _nearest_passing(connection, vectors, meaning, request, only)
    return _ask_chroma(vectors, meaning, request.visibility, request.candidates)


def _nearest_passing(
    connection: sqlite3.Connection, vectors: VectorStore, meaning: Meaning, request: ListRequest, only: Condition
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
    """The numbers (chunks,) int64 of all chunks that pass."""
    rows = connection.execute(f"SELECT number FROM {_CHUNKS} WHERE {only.sql}", only.values)
    return np.array([row["number"] for row in rows], np.int64)


def _all_cosines(connection: sqlite3.Connection, meaning: Meaning, only: Condition) -> dict[str, float]:
    """The cosine of every embedded chunk that passes, by chunk id."""
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
        f"SELECT chunks.id, document, title, url, headings, anchor, text, visibility, date, language, chunks.digest FROM {_CHUNKS}"
        f" WHERE chunks.id IN ({', '.join('?' * len(ids))}) AND {only.sql}",
        (*ids, *only.values),
    ).fetchall()


def _stored_cosines(connection: sqlite3.Connection, meaning: Meaning, digests: Mapping[str, str]) -> dict[str, float]:
    """The cosines by chunk id. A chunk that is not embedded yet has none. `digests`: by chunk id."""
    stored = generations.stored_vectors(connection, meaning.generation.number, list(digests.values()))
    return {id: float(meaning.vector @ stored[digest]) for id, digest in digests.items() if digest in stored}


_CHUNKS = "documents JOIN chunks ON chunks.document = documents.id"
