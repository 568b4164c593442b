"""From a question to passages: the lists, their fusion, a look at the files, merging passages that say the same,
the comparison of words or sentences or the reranker, the cut."""

import json
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pipeline.content.documents import Chunk, Document
from pipeline.embedding.recent import embed_again
from pipeline.embedding.spread import unrelated_cosine
from pipeline.embedding.word_vectors import COMPARED, compares_words
from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.index import aligning, generations, reading
from pipeline.index.database import Database
from pipeline.index.dense import VectorStore
from pipeline.index.explaining import Stages, explain
from pipeline.index.filters import Filters, explain_none
from pipeline.index.freshness import Freshness, Reread
from pipeline.index.fusion import fuse_ranks, fuse_scores, fuse_shares
from pipeline.index.generations import check_embedder
from pipeline.index.lists import ListRequest, Lists, Meaning, find_lists
from pipeline.index.merging import merge_siblings
from pipeline.index.passages import Explanation, Passage, SearchResult
from pipeline.index.vocabulary import frequencies

if TYPE_CHECKING:
    from pipeline.embedding.embedder import Embedder
    from pipeline.embedding.reranker import Reranker


@dataclass(frozen=True, slots=True)
class Searcher:
    """Answers requests from one index."""

    database: Database
    vectors: VectorStore
    embedder: "Callable[[], Embedder]"
    cut: Callable[[Document], list[Chunk]]
    reranker: "Callable[[], Reranker] | None" = None
    reread: Reread | None = None

    def search(self, request: ListRequest) -> SearchResult:
        """The best passages for `request`, best first.

        Raises:
            SitetwinError: the query is empty.
            StaleIndexError: nothing is indexed yet, or with another embedder.
            ModelError: the embedder or the reranker can't be had.
            ServiceError: Chroma can't be reached.
        """
        started = time.perf_counter()
        if not request.query.strip():
            raise SitetwinError("the query is empty: ask with some words")
        meaning = None if request.retrieval == "keyword" else self._meaning(request.query)
        with self.database.reading() as connection:
            lists = find_lists(connection, self.vectors, meaning, request)
            note = "" if lists.rows else explain_none(connection, request.filters, request.visibility)
            fused = self._fuse(connection, request, lists)
            freshness = Freshness(connection, request.visibility, self.reread, self.cut)
            if request.explain:  # which names every candidate
                fused = {id: fused[id] for id in fused if freshness.is_fresh(id, lists.rows[id]["document"])}
            ranked = sorted(fused, key=lambda id: (-fused[id], id))
            kept, merged = merge_siblings(
                (id for id in ranked if freshness.is_fresh(id, lists.rows[id]["document"])),
                document=lambda id: lists.rows[id]["document"],
                text=lambda id: _whole_text(lists.rows[id]),
                count=max(request.k, request.rerank_candidates if self.reranker else self._most_read(request)),
            )
            nearest = {} if self.reranker else self._read(meaning, request, kept, lists)
            aligned = self._align(connection, request, kept, fused, lists, nearest)
        judge = self.reranker() if self.reranker else None
        reranked = _rerank(judge, request.query, kept, lists) if judge else {}
        scores = reranked or aligned or fused
        best = sorted(kept, key=lambda id: (-scores[id], id))[: request.k]

        explanation = None
        if request.explain:
            stages = Stages(lists, fused, merged, aligned, reranked, best)
            explanation = self._explain(meaning, request, stages, judge.name if judge else None)
        return SearchResult(
            query=request.query,
            retrieval=request.retrieval,
            passages=[_passage(lists.rows[id], scores[id], lists.cosines.get(id)) for id in best],
            took_ms=round((time.perf_counter() - started) * 1000, 3),
            note=note or freshness.note(),
            explanation=explanation,
        )

    def _fuse(self, connection: sqlite3.Connection, request: ListRequest, lists: Lists) -> dict[str, float]:
        if request.retrieval != "hybrid":
            return lists.dense if request.retrieval == "dense" else lists.keyword
        if request.fusion == "ranks":
            return fuse_ranks(list(lists.dense), list(lists.keyword))
        if unrelated := unrelated_cosine(self.embedder().name):
            rarity = aligning.rarities(*frequencies(connection, lists.terms, request.visibility))
            return fuse_shares(lists.cosines, unrelated, lists.keyword, sum(rarity.values()))
        return fuse_scores(lists.cosines, lists.keyword)

    def _reads_sentences(self, request: ListRequest) -> bool:
        """Whether single sentences of the best passages are read: where that is known to help."""
        return request.retrieval == "hybrid" and request.sentences and unrelated_cosine(self.embedder().name) > 0

    def _most_read(self, request: ListRequest) -> int:
        return reading.READ if self._reads_sentences(request) else aligning.READ * request.align

    def _read(
        self, meaning: Meaning | None, request: ListRequest, kept: Sequence[str], lists: Lists
    ) -> dict[str, float]:
        """The cosine of the nearest sentence of each of the best passages; {} where no sentences are read."""
        if meaning is None or not self._reads_sentences(request):
            return {}
        texts = {id: _whole_text(lists.rows[id]) for id in kept[: reading.READ]}
        return reading.nearest_sentences(meaning.vector, texts, partial(embed_again, self.embedder()))

    def _align(
        self,
        connection: sqlite3.Connection,
        request: ListRequest,
        kept: Sequence[str],
        fused: Mapping[str, float],
        lists: Lists,
        nearest: Mapping[str, float],
    ) -> dict[str, float]:
        """The scores with how well the question is met by a sentence, or by the words; {} where that isn't known to help."""
        if nearest:
            return reading.by_sentence(fused, nearest, unrelated_cosine(self.embedder().name))
        if request.retrieval != "hybrid" or not request.align or self.reranker:
            return {}
        embedder = self.embedder()
        if not compares_words(embedder.name) or lists.language not in COMPARED:
            return {}
        texts = {id: _whole_text(lists.rows[id]) for id in kept[: aligning.READ]}
        rarity = aligning.rarities(*frequencies(connection, lists.terms, request.visibility))
        return aligning.align(request.query, lists.language, texts, fused, rarity, embedder.embed_tokens)

    def _meaning(self, query: str) -> Meaning:
        with self.database.reading() as connection:
            active = generations.generations(connection, "active")
        if not active:
            raise StaleIndexError("nothing is embedded yet: run `sitetwin index`")
        embedder = self.embedder()
        check_embedder(active[0], embedder)
        return Meaning(active[0], embedder.embed_query(query))

    def _explain(
        self, meaning: Meaning | None, request: ListRequest, stages: Stages, reranker: str | None
    ) -> Explanation:
        with self.database.reading() as connection:
            everything = find_lists(connection, self.vectors, meaning, replace(request, filters=Filters()))
            waiting = generations.pending(connection, meaning.generation.number) if meaning else []
        pending = sum(request.visibility in (None, chunk.visibility) for chunk in waiting)
        embedder = meaning.generation.embedder if meaning else None
        return explain(request, stages, everything, embedder, reranker, pending)


def _rerank(reranker: "Reranker", query: str, ids: Sequence[str], lists: Lists) -> dict[str, float]:
    if not ids:
        return {}
    scores = reranker.scores(query, [_whole_text(lists.rows[id]) for id in ids])
    return dict(zip(ids, scores.tolist(), strict=True))


def _whole_text(row: sqlite3.Row) -> str:
    """The chunk's text with its title and headings, as it was embedded."""
    return f"{' > '.join((row['title'], *json.loads(row['headings'])))}\n{row['text']}"


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
        date=row["date"] or "",
        similarity=similarity,
    )
