"""`sitetwin bench retrieval`: a data set with judgements through the index, once for each way to retrieve."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.evaluation.beir import DataSet, read_beir
from pipeline.evaluation.ranking import judge
from pipeline.index.index import Index
from pipeline.index.vector_sync import SyncProgress
from pipeline.processes import vectors
from pipeline.settings import Retrieval, RetrievalSettings, Settings
from pipeline.site import Site

MODES: tuple[Retrieval, ...] = ("hybrid", "dense", "keyword")
DEPTH = 100
"""Passages asked for, so that 20 documents are among them where a document has several chunks. With a reranker it is
as many as that reads: what comes after them is not its work."""


class ModeReport(BaseModel):
    """Measures by name, from 0 to 1, and the milliseconds of a search with the embedding of its query."""

    measures: dict[str, float]
    query_ms: dict[str, float]


class RetrievalReport(BaseModel):
    chunks: int
    chunks_per_second: float
    modes: dict[str, ModeReport]
    """The three modes with the settings in force, and hybrid with one setting at a time the other way, such as
    `hybrid fusion=ranks`."""

    def as_json(self) -> dict[str, object]:
        modes = {name: {**mode.measures, "query_ms": mode.query_ms} for name, mode in self.modes.items()}
        return {"chunks": self.chunks, "chunks_per_second": self.chunks_per_second, "modes": modes}


def bench_retrieval(folder: Path, settings: Settings, progress: SyncProgress = lambda *_: None) -> RetrievalReport:
    """The data set in `folder` (BEIR's layout), indexed for the occasion with the settings in force, and asked.

    Raises:
        SitetwinError: the data set can't be read, or the index can't be made.
    """
    data = read_beir(folder)
    in_force = settings.retrieval

    def measured(index: Index, mode: Retrieval, retrieval: RetrievalSettings, name: str) -> ModeReport:
        depth = retrieval.rerank_candidates if retrieval.rerank else DEPTH
        return measure(index, data, mode, depth, lambda done, total, unit: progress(done, total, f"{unit} ({name})"))

    with throw_away_indexes(data.documents, settings) as opened:
        with opened(in_force) as index:
            report = index.sync(progress)
            chunks = sum(file.chunks for file in index.status()[1])
            modes = {str(mode): measured(index, mode, in_force, mode) for mode in MODES}
        for name, retrieval in variants(in_force, bool(settings.models.reranker)):
            with opened(retrieval) as index:
                modes[f"hybrid {name}"] = measured(index, "hybrid", retrieval, f"hybrid {name}")
    return RetrievalReport(chunks=chunks, chunks_per_second=round(chunks / report.seconds, 1), modes=modes)


def variants(in_force: RetrievalSettings, has_reranker: bool) -> Iterator[tuple[str, RetrievalSettings]]:
    """What else hybrid search could be: the other fusion, and with the reranker or without it where there is one."""
    other = "ranks" if in_force.fusion == "scores" else "scores"
    yield f"fusion={other}", in_force.model_copy(update={"fusion": other})
    if has_reranker:
        rerank = not in_force.rerank
        yield f"rerank={str(rerank).lower()}", in_force.model_copy(update={"rerank": rerank})


def measure(index: Index, data: DataSet, mode: Retrieval, depth: int, progress: SyncProgress) -> ModeReport:
    """All queries one after the other, the best `depth` passages of each; the best of a document speaks for it."""
    rankings, took = {}, []
    for number, (query, text) in enumerate(data.queries.items(), 1):
        started = time.perf_counter()
        found = index.search(text, depth, mode)
        took.append((time.perf_counter() - started) * 1000)
        rankings[query] = list(dict.fromkeys(passage.document for passage in found.passages))
        progress(number, len(data.queries), "queries")
    p50, p95 = np.percentile(took, [50, 95])
    measures = {name: round(value, 4) for name, value in judge(rankings, data.judgements).items()}
    return ModeReport(measures=measures, query_ms={"p50": round(p50, 2), "p95": round(p95, 2)})


@contextmanager
def throw_away_index(
    documents: Sequence[Document], settings: Settings, cut: Callable[[Document], list[Chunk]] | None = None
) -> Iterator[Index]:
    """An index of `documents` in a state directory and vector store of its own, which go with the block.

    They are cut by `cut`, without it as the settings say.
    """
    with throw_away_indexes(documents, settings, cut) as opened, opened(settings.retrieval) as index:
        yield index


@contextmanager
def throw_away_indexes(
    documents: Sequence[Document], settings: Settings, cut: Callable[[Document], list[Chunk]] | None = None
) -> Iterator[Callable[[RetrievalSettings], Index]]:
    """As `throw_away_index`, but what is given opens that index once for each way to search it."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-bench-") as folder:
        # The models are where the settings say, whatever folder the index is in.
        site, own = Site(settings), settings.model_copy(update={"root": Path(folder)})
        reports = [FileReport(document.id, document.path, "read", "", document) for document in documents]
        store = vectors.service(own)

        def opened(retrieval: RetrievalSettings) -> Index:
            return Index(
                own.state / "index.db",
                read=lambda: iter(reports),
                cut=cut or site.cut,
                vectors=Site(own).vectors,
                embedder=site.embedder,
                retrieval=retrieval.model_copy(update={"mode": "hybrid"}),
                reranker=site.reranker if retrieval.rerank else None,
            )

        try:
            yield opened
        finally:
            if endpoint := store.find():
                store.stop(endpoint)
