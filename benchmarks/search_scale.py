"""The time of a search when the index grows tenfold, without the embedding of the query.

    python -m benchmarks.search_scale [--largest] [--json]

The real sync makes throw-away indexes of 1,000 and 10,000 chunks from sentences of docs/, with `--largest` also of
100,000 (takes minutes). A fifth of the chunks is private, and searches see all. Vectors are random, the hardest case for
a graph of neighbours. The few guides share most words with the queries, the hardest case for keywords. Queries are the
questions of `data/docs_questions.jsonl`, asked with the defaults. Sync and searches run in one process each. `sync` is
the peak memory of the first, `search` the memory of the second after all searches, `server` that of Chroma then, all in
resident megabytes. `ratio` is the median of hybrid search at the largest size divided by that at a tenth of it: below 10
it grows more slowly than the index.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import psutil

from benchmarks.report import Figures, render
from benchmarks.synthetic import PROJECT, notes, sentences
from pipeline.content.documents import Chunk, Document, FileReport
from pipeline.errors import SitetwinError
from pipeline.evaluation import golden
from pipeline.index import Index
from pipeline.processes import vectors
from pipeline.settings import Retrieval, Settings

SIZES = (1_000, 10_000)
LARGEST = 100_000
MODES: tuple[Retrieval, ...] = ("keyword", "dense", "hybrid")
ROUNDS = 3
QUESTIONS = PROJECT / "benchmarks" / "data" / "docs_questions.jsonl"


class RandomVectors:
    """An embedder without weights. A text's vector depends on its bytes alone. The vectors of `queries` are made at once."""

    name = spec = "random-vectors"
    dimension = 384

    def __init__(self, queries: Sequence[str] = ()) -> None:
        self._known = {query: self._vector(query) for query in queries}

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Unit vectors of `texts`: float32 of shape (texts, dimension)."""
        rows = [self._known[text] if text in self._known else self._vector(text) for text in texts]
        return np.array(rows, np.float32).reshape(-1, self.dimension)

    def embed_query(self, text: str) -> np.ndarray:
        """The unit vector of a query: float32 of shape (dimension,)."""
        return np.asarray(self.embed([text])[0])

    def embed_tokens(self, texts: Sequence[str]) -> None:
        """None: it knows whole texts only."""

    def _vector(self, text: str) -> np.ndarray:
        vector = np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimension, np.float32)
        return vector / np.linalg.norm(vector)


def reports(count: int) -> Iterator[FileReport]:
    """Yields `count` documents of one chunk each. Every fifth one is private."""
    for number, (title, text) in enumerate(notes(count, sentences())):
        id, visibility = f"notes/{number}.md", "public" if number % 5 else "private"
        document = Document(id, Path(id), title, "", text, visibility, digest=str(number))  # type: ignore[arg-type]
        yield FileReport(id, document.path, "read", "", document)


def whole(document: Document) -> list[Chunk]:
    """The whole document as one chunk."""
    return [Chunk(f"{document.id}#0", document.id, 0, (), "", document.text)]


def open_index(settings: Settings, count: int, queries: Sequence[str] = ()) -> Index:
    """An index of `count` chunks below `settings.root`."""
    embedder = RandomVectors(queries)
    return Index(
        settings.state / "index.db",
        read=lambda: reports(count),
        cut=whole,
        vectors=lambda: vectors.connect(settings),
        embedder=lambda: embedder,
        retrieval=settings.retrieval,
    )


def ask(index: Index, queries: Sequence[str], retrieval: Retrieval) -> list[float]:
    """Milliseconds of each search. A first round is not counted."""
    for query in queries:
        index.search(query, retrieval=retrieval)
    took = []
    for query in [*queries] * ROUNDS:
        started = time.perf_counter()
        index.search(query, retrieval=retrieval)
        took.append((time.perf_counter() - started) * 1000)
    return took


def megabytes(path: Path) -> float:
    """Megabytes of all files in a folder, or of a file with those that SQLite keeps beside it."""
    files = path.rglob("*") if path.is_dir() else path.parent.glob(f"{path.name}*")
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def fill(settings: Settings, count: int) -> dict[str, float]:
    """Seconds and peak megabytes of the sync of `count` chunks."""
    with open_index(settings, count) as index:
        seconds = index.sync().seconds
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"sync_seconds": seconds, "sync_megabytes": peak / (1e6 if sys.platform == "darwin" else 1e6 / 1024)}


def search(settings: Settings, count: int, queries: Sequence[str]) -> dict[str, float]:
    """Milliseconds of the searches in each mode, and megabytes after them."""
    figures: dict[str, float] = {}
    with open_index(settings, count, queries) as index:
        for mode in MODES:
            p50, p95 = np.percentile(ask(index, queries, mode), [50, 95]).tolist()
            figures |= {f"{mode}_p50_ms": p50, f"{mode}_p95_ms": p95}
    return figures | {"search_megabytes": resident_megabytes(os.getpid())}


def resident_megabytes(pid: int) -> float:
    """Resident megabytes of a process."""
    return float(psutil.Process(pid).memory_info().rss / 1e6)


def measure(count: int, queries: Sequence[str]) -> dict[str, float]:
    """The figures of an index of `count` chunks."""
    with (
        tempfile.TemporaryDirectory(prefix="sitetwin-") as folder,
        ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes,
    ):
        settings = Settings(root=Path(folder))
        service = vectors.service(settings)
        try:
            figures = processes.submit(fill, settings, count).result()
            figures |= processes.submit(search, settings, count, queries).result()
            figures["server_megabytes"] = resident_megabytes(service.ensure().pid)
        finally:
            if endpoint := service.find():
                service.stop(endpoint)
        figures["sqlite_file_megabytes"] = megabytes(settings.state / "index.db")
        figures["chroma_files_megabytes"] = megabytes(settings.state / "chroma")
    return figures


def summary(measured: Mapping[int, Mapping[str, float]]) -> Figures:
    """The figures of all sizes, the smallest first; names begin with the size. `ratio` compares the two largest sizes."""
    before, largest = sorted(measured)[-2:]
    ratio = measured[largest]["hybrid_p50_ms"] / measured[before]["hybrid_p50_ms"]
    sizes = {f"{size}_chunks_{name}": value for size in sorted(measured) for name, value in measured[size].items()}
    return {"ratio": ratio, **sizes}


def main() -> None:
    """The command line of this benchmark."""
    parser = argparse.ArgumentParser(description="What a search costs as the index grows tenfold.")
    parser.add_argument("--largest", action="store_true", help=f"measure {LARGEST:,} chunks too")
    parser.add_argument("--json", action="store_true", help="only the figures, as JSON")
    arguments = parser.parse_args()
    queries = [question.question for question in golden.load(QUESTIONS)]
    measured = {}
    try:
        for size in (*SIZES, LARGEST) if arguments.largest else SIZES:
            print(f"{size:,} chunks", file=sys.stderr)
            measured[size] = measure(size, queries)
    except SitetwinError as error:
        sys.exit(str(error))
    print(render("A search without the embedding of its query", summary(measured), as_json=arguments.json))


if __name__ == "__main__":
    main()
