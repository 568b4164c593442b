"""Questions that are asked twice in other words, within a document, across documents, and so across splits."""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.dataset.records import Pair, Rejection
from pipeline.text.names import named, quoted
from pipeline.text.numbers import numbers
from pipeline.text.words import content_stems

SAME = 0.92
"""Cosine of two questions from which on they may ask the same whatever is answered."""
ALIKE = 0.8
"""Cosine of two questions from which on they ask the same if their answers are as near, or the later is a refusal."""
RELATED = 0.6
"""Cosine of two answers below which questions with words of their own are two: `what does it start`, `… contain`."""
BLOCK = 512
"""Rows of a matrix product at a time: 10 MB for 5,000 questions."""


class _Near(NamedTuple):
    row: int
    question: float
    """Cosine."""
    answer: float


def duplicates(
    pairs: Sequence[Pair], embed: Callable[[Sequence[str]], np.ndarray], *, kept: Container[str] = ()
) -> dict[str, Rejection]:
    """Rejections by id of pairs whose question an earlier or better graded pair asks; those in `kept` stay.

    An answer stands above a refusal: what one chunk lacks, another one may say.

    Args:
        embed: unit vectors, float32 (texts, dimension).
    """
    order = sorted(pairs, key=lambda p: (p.id not in kept, p.kind == "refusal", -p.accuracy - p.style))
    subjects = [_subjects(pair.question) for pair in order]
    refused: dict[str, Rejection] = {}
    for row, earlier in enumerate(_neighbours(order, embed)):
        pair = order[row]
        if pair.id in kept:
            continue
        for near in earlier:
            other = order[near.row]
            if other.id in refused or _each_has_own(subjects[row], subjects[near.row]):
                continue
            if _asks_the_same(pair, other, near, subjects[row] != subjects[near.row]):
                refused[pair.id] = Rejection(stage="duplicates", reason=f"“{other.question}” asks the same")
                break
    return refused


def _neighbours(order: Sequence[Pair], embed: Callable[[Sequence[str]], np.ndarray]) -> Iterator[list[_Near]]:
    """For each pair the earlier ones whose questions are ALIKE, the nearest first."""
    if not order:
        return
    questions = embed([pair.question for pair in order])
    answers = embed([pair.answer for pair in order])
    for start in range(0, len(order), BLOCK):
        cosines = questions[start : start + BLOCK] @ questions[: start + BLOCK].T
        for row, near in enumerate(cosines, start):
            hits = np.flatnonzero(near[:row] >= ALIKE)
            of_answers = answers[hits] @ answers[row]
            found = [
                _Near(int(hit), float(near[hit]), float(cosine)) for hit, cosine in zip(hits, of_answers, strict=True)
            ]
            yield sorted(found, key=lambda one: (-one.question, one.row))


def _asks_the_same(pair: Pair, other: Pair, near: _Near, subjects_differ: bool) -> bool:
    if pair.kind == "refusal" and other.kind != "refusal":
        return True
    alike = near.answer >= ALIKE and pair.kind != "refusal"
    if subjects_differ:
        return alike and near.question >= SAME
    if alike or near.question < SAME:
        return alike
    own = _each_has_own(set(content_stems(pair.question)), set(content_stems(other.question)))
    return not own or (near.answer >= RELATED and pair.kind != "refusal")


def _subjects(question: str) -> set[str]:
    """What a question names or quotes."""
    return named(question) | numbers(question) | set(quoted(question))


def _each_has_own(one: set[str], other: set[str]) -> bool:
    """Whether each has something that the other lacks: `port 8765` and `port 7860`."""
    return bool(one - other and other - one)
