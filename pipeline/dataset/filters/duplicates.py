"""Finds questions that repeat another one in other words, in one document or across documents and splits."""

from collections.abc import Callable, Container, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.dataset.records import Pair, Rejection
from pipeline.text.names import named, quoted
from pipeline.text.numbers import numbers
from pipeline.text.words import content_stems, words

SAME = 0.92
"""From this cosine on, two questions may ask the same, even with different answers."""
ALIKE = 0.8
"""From this cosine on, two questions ask the same if their answers are as near, or if the later one is a refusal."""
RELATED = 0.6
"""Below this cosine of their answers, questions that each have words of their own are two: `what does it start`, `… contain`."""
BLOCK = 512
"""Rows per matrix product; takes 10 MB for 5,000 questions."""


class _Near(NamedTuple):
    row: int
    question: float
    """Cosine."""
    answer: float


def duplicates(
    pairs: Sequence[Pair], embed: Callable[[Sequence[str]], np.ndarray], *, kept: Container[str] = ()
) -> dict[str, Rejection]:
    """Rejections, by pair id, of pairs whose question an earlier or better graded pair asks.

    A pair with an answer goes before a refusal: another chunk may answer what one chunk lacks.

    Args:
        embed: returns unit vectors, float32 (texts, dimension).
        kept: ids of pairs that are never rejected.
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


def asks_the_same(one: str, other: str, cosine: float) -> bool:
    """Whether two questions ask the same, whatever their answers are.

    Args:
        cosine: of their vectors.
    """
    if words(one) == words(other):
        return True
    own = _each_has_own(set(content_stems(one)), set(content_stems(other)))
    return cosine >= SAME and not own and _subjects(one) == _subjects(other)


def _neighbours(order: Sequence[Pair], embed: Callable[[Sequence[str]], np.ndarray]) -> Iterator[list[_Near]]:
    """Yields for each pair the earlier ones with a cosine of ALIKE or more, the nearest first."""
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
    """The names, numbers and quotations of a question."""
    return named(question) | numbers(question) | set(quoted(question))


def _each_has_own(one: set[str], other: set[str]) -> bool:
    """Whether each set has something that the other lacks, as in `port 8765` and `port 7860`."""
    return bool(one - other and other - one)
