"""Decides from the scores of two systems whether one answers worse than the other. Pure."""

from typing import Literal

from pipeline.evaluation.figures import Compared
from pipeline.evaluation.measures import About
from pipeline.measured import Measured, Number

ScoredMode = Literal["lora", "hybrid"]

LARGEST_LOSS = 0.05
"""A mean score, or share, that is worse by more than this counts as worse, however uncertain it is."""


class Comparison(Measured):
    """Two systems on the same questions."""

    new: str | None
    """The adapter's name; None: the base."""
    old: str | None
    """The adapter's name; None: the base."""
    mode: ScoredMode
    measure: str = "score"
    """The measure's key; `score`: that of older versions."""
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
