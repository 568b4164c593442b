"""Whether one system answers worse than another, from the scores of both. Pure."""

from collections.abc import Sequence
from textwrap import shorten
from typing import Literal

import numpy as np
from pydantic import BaseModel

from pipeline.measured import Measured, Number

ScoredMode = Literal["base", "lora", "hybrid"]

RESAMPLES = 10_000
LEAST_QUESTIONS = 5
"""Fewer decide nothing."""
LARGEST_LOSS = 0.05
"""A mean that is lower by more than this is worse, however uncertain it is."""

SHOWN_CHARS = 160
"""Of an answer in a line."""


class Scored(Measured):
    question: str
    kind: str
    answer: str
    score: Number
    """0 to 1. Golden: the fact is in the answer, or it is a refusal where there is none. A pair: the mean of `f1` and
    `specifics`; in mode hybrid a pair of kind refusal: whether it is refused."""
    f1: float | None = None
    """Of the words that answer and reference share."""
    specifics: float | None = None
    """Share of the reference's numbers, names and identifiers that are in the answer; None when it has none."""


class Scores(BaseModel):
    """One system's answers to the questions, in their order."""

    adapter: str | None
    """None: the base."""
    mode: ScoredMode
    answers: list[Scored]

    @property
    def mean(self) -> float:
        """Of all answers' scores; 0 for none."""
        return mean([answer.score for answer in self.answers])

    @property
    def by_kind(self) -> dict[str, float]:
        kinds = dict.fromkeys(answer.kind for answer in self.answers)
        return {kind: mean([answer.score for answer in self.answers if answer.kind == kind]) for kind in kinds}


class Comparison(Measured):
    """Two systems on the same questions."""

    new: str | None
    old: str | None
    """None: the base."""
    mode: ScoredMode
    questions: int
    new_mean: Number
    old_mean: Number
    difference: Number
    """Of the means; above 0 the new one is better."""
    low: Number
    high: Number
    """95 % interval of the difference."""
    is_not_worse: bool
    text: str


def not_worse(new: Scores, old: Scores) -> Comparison:
    """The new system against the old one, question by question.

    It is worse when its mean is lower by more than LARGEST_LOSS, when the whole interval of the difference lies below
    0, or when fewer than LEAST_QUESTIONS questions say anything. The interval is a paired bootstrap's (Efron and
    Tibshirani, An Introduction to the Bootstrap, 1993).
    """
    assert new.mode == old.mode
    assert [answer.question for answer in new.answers] == [answer.question for answer in old.answers]
    differences = np.array([a.score - b.score for a, b in zip(new.answers, old.answers, strict=True)])
    count = len(differences)
    difference, low, high = _interval(differences)
    enough = count >= LEAST_QUESTIONS
    is_not_worse = enough and difference >= -LARGEST_LOSS and high >= 0
    names = [scores.adapter or "the base" for scores in (new, old)]
    if enough:
        word = "worse" if not is_not_worse else "better" if low > 0 else "not worse"
        text = (
            f"{new.mode}: {names[0]} {new.mean:.2f}, {names[1]} {old.mean:.2f} on {count} questions: {word} "
            f"({difference:+.2f}, 95 % interval {low:+.2f} to {high:+.2f})"
        )
    else:
        text = f"{new.mode}: {count} questions are too few to compare {names[0]} with {names[1]}: write some into golden.jsonl"
    return Comparison(
        new=new.adapter,
        old=old.adapter,
        mode=new.mode,
        questions=count,
        new_mean=new.mean,
        old_mean=old.mean,
        difference=difference,
        low=low,
        high=high,
        is_not_worse=is_not_worse,
        text=text,
    )


def largest_losses(new: Scores, old: Scores, count: int = 3) -> list[str]:
    """The questions on which the new system lost most, in words with both answers."""
    pairs = sorted(zip(new.answers, old.answers, strict=True), key=lambda pair: pair[0].score - pair[1].score)
    return [
        f"{new.mode}: {a.question} {b.score:.2f} → {a.score:.2f}\n  before: {_line(b.answer)}\n  now: {_line(a.answer)}"
        for a, b in pairs[:count]
        if a.score < b.score
    ]


def _line(text: str) -> str:
    return shorten(text, SHOWN_CHARS, placeholder="…")


def _interval(differences: np.ndarray) -> tuple[float, float, float]:
    """Mean and 95 % percentile interval, of `differences` (questions,); of fewer than two the interval is the mean."""
    difference = float(differences.mean()) if len(differences) else 0.0
    if len(differences) < 2:
        return difference, difference, difference
    # It takes most of a second to load, and this module is read by all that shows a retraining's record.
    from scipy.stats import bootstrap

    found = bootstrap((differences,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0))
    return difference, float(found.confidence_interval.low), float(found.confidence_interval.high)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
