"""A question to passages: the dense list, the keyword list, and their fusion."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.index import generations
from pipeline.index.database import Database
from pipeline.index.dense import VectorStore
from pipeline.index.fusion import fuse_scores
from pipeline.index.generations import Generation
from pipeline.index.keywords import keyword_scores
from pipeline.index.passages import Passage, SearchResult
from pipeline.index.sync import check_embedder
from pipeline.settings import Retrieval, Visibility

if TYPE_CHECKING:
    from pipeline.models.embedder import Embedder


@dataclass(frozen=True, slots=True)
class Request:
    query: str
    retrieval: Retrieval
    k: int
    candidates: int
    """The most that each list hands to the fusion."""
    visibility: Visibility | None
    """None: public and private."""


def search(
    database: Database, vectors: VectorStore, embedder: "Callable[[], Embedder]", request: Request
) -> SearchResult:
    """The best passages for `request`, best first.

    Raises:
        SitetwinError: the query is empty.
        StaleIndexError: nothing is indexed yet, or with another embedder.
        ServiceError: Chroma can't be reached.
    """
    started = time.perf_counter()
    if not request.query.strip():
        raise SitetwinError("the query is empty: ask with some words")
    similarities: dict[str, float] = {}
    keywords: dict[str, float] = {}
    if request.retrieval != "keyword":
        generation, vector = _embed_query(database, embedder, request.query)
        similarities = _nearest(vectors, generation, vector, request)
    with database.reading() as connection:
        if request.retrieval != "dense":
            keywords = keyword_scores(connection, request.query, request.visibility, request.candidates)
        known = {row["id"]: row for row in _rows(connection, [*similarities, *keywords], request.visibility)}
        dense = {id: score for id, score in similarities.items() if id in known}
        if request.retrieval == "hybrid":
            # A candidate of the keywords is judged by its own cosine, not by its absence from the dense list:
            # better than ranks, and than scores without this, on every measure of retrieval-dev.
            dense |= _similarities(
                connection, generation, vector, {id: known[id]["digest"] for id in keywords if id not in dense}
            )
    scores = {"hybrid": fuse_scores(dense, keywords), "dense": dense, "keyword": keywords}[request.retrieval]
    best = sorted(scores, key=lambda id: (-scores[id], id))[: request.k]
    passages = [_passage(known[id], scores[id], dense.get(id)) for id in best]
    took_ms = (time.perf_counter() - started) * 1000
    return SearchResult(query=request.query, retrieval=request.retrieval, passages=passages, took_ms=round(took_ms, 3))


def _shown(visibility: Visibility | None) -> tuple[Visibility, Visibility]:
    return (visibility, visibility) if visibility else ("public", "private")


def _embed_query(database: Database, embedder: "Callable[[], Embedder]", query: str) -> tuple[Generation, np.ndarray]:
    with database.reading() as connection:
        active = generations.generations(connection, "active")
    if not active:
        raise StaleIndexError("nothing is embedded yet: run `sitetwin index`")
    check_embedder(active[0], embedder())
    return active[0], embedder().embed([query])[0]


def _nearest(vectors: VectorStore, generation: Generation, vector: np.ndarray, request: Request) -> dict[str, float]:
    collections = tuple(dict.fromkeys(_shown(request.visibility)))
    return vectors.nearest(generation.number, collections, vector, request.candidates)


def _rows(connection: sqlite3.Connection, ids: Sequence[str], visibility: Visibility | None) -> list[sqlite3.Row]:
    """What SQLite knows of `ids` and lets be seen; Chroma may be a moment behind it."""
    ids = list(dict.fromkeys(ids))
    return connection.execute(
        "SELECT chunks.id, document, title, url, headings, anchor, text, visibility, chunks.digest FROM chunks"
        f" JOIN documents ON documents.id = chunks.document WHERE chunks.id IN ({', '.join('?' * len(ids))})"
        " AND visibility IN (?, ?)",
        (*ids, *_shown(visibility)),
    ).fetchall()


def _similarities(
    connection: sqlite3.Connection, generation: Generation, vector: np.ndarray, digests: Mapping[str, str]
) -> dict[str, float]:
    """Cosine of passages that only their keywords found; a chunk that is not embedded yet has none."""
    stored = generations.stored_vectors(connection, generation.number, list(digests.values()))
    return {id: float(vector @ stored[digest]) for id, digest in digests.items() if digest in stored}


def _passage(row: sqlite3.Row, score: float, similarity: float | None) -> Passage:
    url = f"{row['url']}#{row['anchor']}" if row["url"] and row["anchor"] else row["url"]
    return Passage(
        id=row["id"],
        document=row["document"],
        title=row["title"],
        url=url,
        heading=" > ".join(json.loads(row["headings"])),
        text=row["text"],
        score=score,
        visibility=row["visibility"],
        similarity=similarity,
    )
