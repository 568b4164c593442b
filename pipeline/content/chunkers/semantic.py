"""Sentences that speak of one thing, found by their embeddings."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from pipeline.content.chunkers.placing import Embed, Placed, alone
from pipeline.content.documents import Document
from pipeline.content.packing import SHORT, Cut, group, split
from pipeline.content.structure import SectionPiece, parse_sections
from pipeline.settings import IndexSettings
from pipeline.text.sentences import sentence_spans


def semantic(document: Document, settings: IndexSettings, embed: Embed) -> Placed:
    """Neighbouring sentences, list items and blocks of a section, together while they speak of one thing."""
    sections = parse_sections(document.text, document.title)
    merged = merge([section.pieces for section in sections], settings.chunk_chars, embed)
    for section, following, cuts in zip(sections, [*sections[1:], None], merged, strict=True):
        is_above = following is not None and section.is_above(following)
        yield from ((section, cut) for cut in cuts or ([] if is_above else alone(section)))


def merge(sections: Sequence[list[SectionPiece]], max_chars: int, embed: Embed) -> list[list[Cut]]:
    """For each section the texts of at most `max_chars` characters that its pieces make, sentences merged by meaning.

    Of all ways to cut, the one taken has the highest sum, over every two sentences of one text, of their cosine less
    the mean cosine of all sentences of the document (the cluster semantic chunker of Smith & Troynikov, "Evaluating
    Chunking Strategies for Retrieval", Chroma 2024). A text that is too short to be found counts one less, as much as
    two sentences that have nothing in common do together. All sentences are embedded in one call.
    """
    units = [[unit for piece in pieces for unit in _units(piece, max_chars)] for pieces in sections]
    vectors = embed([unit.text for section in units for unit in section])
    bounds = list(accumulate(map(len, units), initial=0))
    threshold = _mean_cosine(vectors)
    return [
        group(section, _cuts(section, vectors[start:end], threshold, max_chars))
        for section, (start, end) in zip(units, pairwise(bounds), strict=True)
    ]


def _units(piece: SectionPiece, max_chars: int) -> list[SectionPiece]:
    """Sentences of a paragraph; what is no paragraph, or is longer than a text may be, as it is packed elsewhere."""
    if piece.kind != "paragraph":
        return split(piece, max_chars)
    units: list[SectionPiece] = []
    done = 0
    for start, end in sentence_spans(piece.text):
        gap = piece.text[done:start] if units else piece.gap
        sentence = SectionPiece(piece.text[start:end], "paragraph", False, piece.start + start, piece.start + end, gap)
        units += split(sentence, max_chars)
        done = end
    return units


def _mean_cosine(vectors: np.ndarray) -> float:
    """Of all pairs of different rows."""
    count = len(vectors)
    if count < 2:
        return 0.0
    total = vectors.sum(axis=0)
    return float(total @ total - count) / (count * (count - 1))


def _cuts(units: Sequence[SectionPiece], vectors: np.ndarray, threshold: float, max_chars: int) -> list[int]:
    """For each number of first units, where the last text of them begins."""
    shortest = max_chars * SHORT
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(units) + 1):
        agreement, length = 0.0, len(units[end - 1].text)
        after = vectors[end - 1].copy()
        choices = [(best[end - 1][0] - (length < shortest), end - 1)]
        for start in range(end - 2, -1, -1):
            length += len(units[start].text) + len(units[start + 1].gap)
            if length > max_chars:
                break
            agreement += float(vectors[start] @ after) - threshold * (end - 1 - start)
            after += vectors[start]
            choices.append((best[start][0] + agreement - (length < shortest), start))
        best.append(max(choices))
    return [start for _, start in best]
