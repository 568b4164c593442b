"""`sitetwin bench chunking`: measures each chunker on questions whose answers are known to the character."""

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import BaseModel

from pipeline.content.chunking import chunker as make_chunker
from pipeline.content.documents import Chunk, Document
from pipeline.evaluation.retrieval import throw_away_index
from pipeline.evaluation.spans import Span, SpanSet, precision_omega, read_spans, score
from pipeline.index.vector_sync import SyncProgress
from pipeline.parts import CHUNKERS
from pipeline.settings import Retrieval, Settings
from pipeline.site import Site

PASSAGES = 5
"""How many passages are retrieved for each question, as in the paper that the measures come from."""


class ChunkerReport(BaseModel):
    """The measures of one chunker: means over all questions, from 0 to 1 (see `pipeline.evaluation.spans`)."""

    chunks: int
    mean_chars: float
    chunks_per_second: float
    """Chunks that are cut, embedded and stored. The semantic chunker embeds each sentence too."""
    recall: float
    precision: float
    iou: float
    precision_omega: float


class ChunkingReport(BaseModel):
    """The measures of all chunkers, and the settings that they share."""

    questions: int
    passages: int
    retrieval: Retrieval
    chunk_chars: int
    chunk_overlap: int
    chunkers: dict[str, ChunkerReport]


def bench_chunking(
    folder: Path, settings: Settings, passages: int = PASSAGES, progress: SyncProgress | None = None
) -> ChunkingReport:
    """Measures each chunker on the data set in `folder`. Everything else is as the settings say.

    Args:
        folder: a data set for `read_spans`.
        settings: the site's settings.
        passages: the passages to retrieve for each question.
        progress: is told how much is done, of how much, and in which unit.

    Raises:
        SitetwinError: the data set can't be read, or an index can't be made.
    """
    data = read_spans(folder)
    progress = progress or (lambda done, total, unit: None)
    chunkers = {name: measure(data, settings, name, passages, progress) for name in CHUNKERS.kinds()}
    return ChunkingReport(
        questions=len(data.questions), passages=passages, retrieval=settings.retrieval.mode,
        chunk_chars=settings.index.chunk_chars, chunk_overlap=settings.index.chunk_overlap, chunkers=chunkers,
    )  # fmt: skip


def measure(data: SpanSet, settings: Settings, name: str, passages: int, progress: SyncProgress) -> ChunkerReport:
    """The measures of the chunker `name`, from an index of its own. Takes and raises what `bench_chunking` does."""
    index_settings = settings.index.model_copy(update={"chunker": name})
    own = settings.model_copy(update={"index": index_settings})
    cut = make_chunker(index_settings, Site(settings).embed)
    chunks: dict[str, Chunk] = {}

    def remember(document: Document) -> list[Chunk]:
        made = cut(document)
        chunks.update({chunk.id: chunk for chunk in made})
        return made

    documents = [Document(id, Path(f"{id}.md"), id, "", text, "public", digest=id) for id, text in data.corpora.items()]
    with throw_away_index(documents, own, remember) as index:
        report = index.sync(lambda done, total, unit: progress(done, total, f"{unit} ({name})"))
        spans = {id: (chunk.document, _span(chunk)) for id, chunk in chunks.items()}
        scores = []
        for number, question in enumerate(data.questions, 1):
            found = index.search(question.text, passages, settings.retrieval.mode).passages
            scores.append(asdict(score(question, [spans[passage.id] for passage in found])))
            progress(number, len(data.questions), f"questions ({name})")
    by_corpus = defaultdict(list)
    for corpus, span in spans.values():
        by_corpus[corpus].append(span)
    omega = [precision_omega(question, by_corpus[question.corpus]) for question in data.questions]
    means = {name: float(np.mean([values[name] for values in scores])) for name in scores[0]}
    return ChunkerReport(
        chunks=len(chunks),
        mean_chars=round(float(np.mean([len(chunk.text) for chunk in chunks.values()])), 1),
        chunks_per_second=round(len(chunks) / report.seconds, 1),
        precision_omega=round(float(np.mean(omega)), 4),
        **{name: round(value, 4) for name, value in means.items()},
    )


def _span(chunk: Chunk) -> Span:
    assert chunk.span is not None
    return chunk.span
