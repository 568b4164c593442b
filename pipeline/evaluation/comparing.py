"""Decides from the scores of two systems whether one answers worse than the other. Pure."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel

from pipeline.evaluation.doubt import FEWEST_PAIRS, estimate
from pipeline.evaluation.figures import Compared
from pipeline.evaluation.measures import About
from pipeline.measured import Measured, Number

ScoredMode = Literal["lora", "hybrid"]

LARGEST_LOSS = 0.05
"""A mean score, or share, that is worse by more than this counts as worse, however uncertain it is."""


class ScoredAnswer(Measured):
    """One answer with its score."""

    question: str
    kind: str
    answer: str
    score: Number
    """From 0 to 1. A golden question gets 1 if the answer contains the facts. A pair gets the mean of `f1` and `specifics`."""
    f1: float | None = None
    """The F1 of the words that answer and reference share, from 0 to 1."""
    specifics: float | None = None
    """The share of the reference's numbers, names and identifiers that the answer contains; None: it has none."""


class AnswerScores(BaseModel):
    """One system's answers to the questions, in their order."""

    adapter: str | None
    """The adapter's name; None: the base."""
    mode: ScoredMode
    answers: list[ScoredAnswer]

    @property
    def mean(self) -> float:
        """The mean score of all answers; 0 if there are none."""
        return mean([answer.score for answer in self.answers])

    @property
    def by_kind(self) -> dict[str, float]:
        """The mean score of each kind of question."""
        kinds = dict.fromkeys(answer.kind for answer in self.answers)
        return {kind: mean([answer.score for answer in self.answers if answer.kind == kind]) for kind in kinds}


class Comparison(Measured):
    """Two systems on the same questions."""

    new: str | None
    """The adapter's name; None: the base."""
    old: str | None
    """The adapter's name; None: the base."""
    mode: ScoredMode
    measure: str = "score"
    """The measure's key; `score`: that of `ScoredAnswer`."""
    questions: int
    new_mean: Number
    old_mean: Number
    difference: Number
    """The new mean minus the old one; for a measure of which less is better, the old one minus the new one. Above 0 the new
    system is better."""
    low: Number
    high: Number
    """`low` to `high` is the 95 % interval of the difference."""
    is_not_worse: bool
    text: str
    """The result in one line."""


def not_worse(new: AnswerScores, old: AnswerScores) -> Comparison:
    """Compares the new system with the old one, question by question.

    The new one is worse if its mean is lower by more than LARGEST_LOSS, if the whole interval of the difference lies below 0,
    or if there are fewer than FEWEST_PAIRS questions. The interval is that of a paired bootstrap (Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993).
    """
    assert new.mode == old.mode
    assert [answer.question for answer in new.answers] == [answer.question for answer in old.answers]
    differences = [a.score - b.score for a, b in zip(new.answers, old.answers, strict=True)]
    count = len(differences)
    found = estimate(differences, binary=False)
    difference, low, high = (found.value, found.low, found.high) if found else (0.0, 0.0, 0.0)
    enough = count >= FEWEST_PAIRS
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


def by_measure(
    compared: Compared | None,
    about: About,
    mode: ScoredMode,
    new: str | None,
    old: str | None,
    means: tuple[float, float],
) -> Comparison:
    """Whether the new system is worse by one measure, from the table of an evaluation.

    It is worse if a share is worse by more than LARGEST_LOSS, or if the whole interval of the difference is on that side.

    Args:
        compared: the old system (a) with the new one (b); None: too few questions that the measure applies to, which
            decides nothing.
        about: the measure.
        mode: how both answer.
        new: the new adapter's name; None: the base.
        old: the old adapter's name; None: the base.
        means: the figures of the new system and of the old one.
    """
    names, sign = (new or "the base", old or "the base"), 1 if about.better == "higher" else -1
    difference, low, high, questions = 0.0, 0.0, 0.0, 0
    if compared:
        questions, difference = compared.questions, sign * compared.difference
        low, high = sorted((sign * compared.low, sign * compared.high))
    is_not_worse = high >= 0 and not (about.unit == "share" and difference < -LARGEST_LOSS)
    if compared:
        word = "worse" if not is_not_worse else "better" if low > 0 else "not worse"
        text = (
            f"{mode}, {about.title.lower()}: {names[0]} {means[0]:.2f}, {names[1]} {means[1]:.2f} on {questions} "
            f"questions: {word} ({difference:+.2f}, 95 % interval {low:+.2f} to {high:+.2f})"
        )
    else:
        text = f"{mode}, {about.title.lower()}: too few questions to compare {names[0]} with {names[1]}"
    return Comparison(
        new=new, old=old, mode=mode, measure=about.key, questions=questions, new_mean=means[0], old_mean=means[1],
        difference=difference, low=low, high=high, is_not_worse=is_not_worse, text=text,
    )  # fmt: skip


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; 0 for no values."""
    return sum(values) / len(values) if values else 0.0
