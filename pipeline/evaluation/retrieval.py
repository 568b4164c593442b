"""`sitetwin bench retrieval`: a data set with judgements through the index, once for each way to retrieve."""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from pipeline.content.chunking import chunker
from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.evaluation.beir import DataSet, read_beir
from pipeline.evaluation.ranking import judge
from pipeline.index.index import Index
from pipeline.index.sync import Progress
from pipeline.models.embedder import load_embedder
from pipeline.processes import vectors
from pipeline.settings import Retrieval, Settings

MODES: tuple[Retrieval, ...] = ("hybrid", "dense", "keyword")
DEPTH = 100
"""Passages asked for, so that 20 documents are among them where a document has several chunks."""


class ModeReport(BaseModel):
    """Measures by name, from 0 to 1, and the milliseconds of a search with the embedding of its query."""

    measures: dict[str, float]
    query_ms: dict[str, float]


class RetrievalReport(BaseModel):
    chunks: int
    chunks_per_second: float
    modes: dict[Retrieval, ModeReport]

    def as_json(self) -> dict[str, object]:
        modes = {str(name): {**mode.measures, "query_ms": mode.query_ms} for name, mode in self.modes.items()}
        return {"chunks": self.chunks, "chunks_per_second": self.chunks_per_second, "modes": modes}


def bench_retrieval(folder: Path, settings: Settings, progress: Progress | None = None) -> RetrievalReport:
    """The data set in `folder` (BEIR's layout), indexed for the occasion with the settings in force, and asked.

    Raises:
        SitetwinError: the data set can't be read, or the index can't be made.
    """
    data = read_beir(folder)
    with throw_away_index(data.documents, settings) as index:
        report = index.sync(progress)
        chunks = sum(file.chunks for file in index.status()[1])
        modes = {mode: measure(index, data, mode) for mode in MODES}
    return RetrievalReport(chunks=chunks, chunks_per_second=round(chunks / report.seconds, 1), modes=modes)


def measure(index: Index, data: DataSet, mode: Retrieval) -> ModeReport:
    rankings, took = {}, []
    for query, text in data.queries.items():
        started = time.perf_counter()
        found = index.search(text, DEPTH, mode)
        took.append((time.perf_counter() - started) * 1000)
        rankings[query] = list(dict.fromkeys(passage.document for passage in found.passages))
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
    with tempfile.TemporaryDirectory(prefix="sitetwin-bench-") as folder:
        own = settings.model_copy(update={"root": Path(folder)})
        reports = [FileReport(document.id, document.path, "read", "", document) for document in documents]
        store = vectors.service(own)
        try:
            with Index(
                own.state / "index.db",
                read=lambda: iter(reports),
                cut=cut or chunker(settings.index, lambda texts: load_embedder(settings).embed(texts)),
                vectors=lambda: vectors.connect(own),
                embedder=lambda: load_embedder(settings),
                retrieval=settings.retrieval.model_copy(update={"mode": "hybrid"}),
            ) as index:
                yield index
        finally:
            if endpoint := store.find():
                store.stop(endpoint)
