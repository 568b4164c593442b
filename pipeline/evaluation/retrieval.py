"""`sitetwin bench retrieval`: searches a data set with judgements, once for each way to retrieve."""

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
"""How many passages are asked for, so that 20 documents are among them even if a document has several chunks. With a
reranker it is as many as the reranker reads, because the rest is not its work."""


class ModeReport(BaseModel):
    """Measures by name, from 0 to 1, and the milliseconds that a search takes, including the embedding of its query."""

    measures: dict[str, float]
    query_ms: dict[str, float]


class RetrievalReport(BaseModel):
    """The measures of each way to retrieve."""

    chunks: int
    chunks_per_second: float
    modes: dict[str, ModeReport]
    """The three modes with the settings in force, and hybrid with one setting changed, such as `hybrid fusion=ranks`."""

    def as_json(self) -> dict[str, object]:
        """The report as `sitetwin bench retrieval --json` prints it."""
        modes = {name: {**mode.measures, "query_ms": mode.query_ms} for name, mode in self.modes.items()}
        return {"chunks": self.chunks, "chunks_per_second": self.chunks_per_second, "modes": modes}


def bench_retrieval(folder: Path, settings: Settings, progress: SyncProgress = lambda *_: None) -> RetrievalReport:
    """Indexes the data set in `folder` with the settings in force, and measures each way to search it.

    Args:
        folder: a data set in BEIR's layout.
        settings: the site's settings.
        progress: is told how much is done, of how much, and in which unit.

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
    """Further settings for hybrid search: without the comparison of words, the other fusion, the reranker switched over."""
    if in_force.align and not in_force.rerank:
        yield "align=false", in_force.model_copy(update={"align": False})
    other = "ranks" if in_force.fusion == "scores" else "scores"
    yield f"fusion={other}", in_force.model_copy(update={"fusion": other})
    if has_reranker:
        rerank = not in_force.rerank
        yield f"rerank={str(rerank).lower()}", in_force.model_copy(update={"rerank": rerank})


def measure(index: Index, data: DataSet, mode: Retrieval, depth: int, progress: SyncProgress) -> ModeReport:
    """Searches for all queries in turn, `depth` passages each. A document ranks where its best passage ranks."""
    rankings, took = {}, []
    for number, (query, text) in enumerate(data.queries.items(), 1):
        started = time.perf_counter()
        found = index.search(text, depth, mode, align=True)
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
    """An index of `documents`, with a state directory and a vector store of its own, which are removed after the block.

    Args:
        documents: what is indexed.
        settings: the site's settings.
        cut: cuts a document into chunks; None: as the settings say.
    """
    with throw_away_indexes(documents, settings, cut) as opened, opened(settings.retrieval) as index:
        yield index


@contextmanager
def throw_away_indexes(
    documents: Sequence[Document], settings: Settings, cut: Callable[[Document], list[Chunk]] | None = None
) -> Iterator[Callable[[RetrievalSettings], Index]]:
    """As `throw_away_index`, but returns a function that opens the index for one way to search it."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-bench-") as folder:
        # Only the index is in the temporary folder. The models are where the settings say.
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
