"""The figures of a table of systems and measures, and the comparisons of all pairs of systems. Pure."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Literal

from pydantic import Field

from pipeline.evaluation.doubt import Difference, Estimate, difference, estimate, holm
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.measures import About, Judged, Measure
from pipeline.measured import Measured, Number

SIGNIFICANT = 0.05
Known = Literal["seen", "unseen", ""]
"""Whether the adapters were trained on a page that holds the answer; "" where no page holds it, or nothing was trained."""
Values = dict[str, Number]
"""The value of a measure for each question that it applies to."""


class Figure(Measured):
    """What a measure says of a system, with its doubt."""

    all: Estimate
    seen: Estimate | None = None
    """Of the questions whose pages were trained on: who answers only these remembers and does not know."""
    unseen: Estimate | None = None
    kinds: dict[str, Estimate] = Field(default_factory=dict)
    """By the question's kind; unanswerable ones by why they have no answer."""
    floor: Number | None = None
    """For a measure of voice: what other authors' text gets."""
    ceiling: Number | None = None
    """For a measure of voice: what the author's own held-out text gets."""


class Compared(Measured):
    """Two systems on the same questions by one measure."""

    a: str
    b: str
    measure: str
    difference: Number
    """b minus a."""
    low: Number
    high: Number
    p: Number
    """Corrected for all comparisons of the table (Holm)."""
    raw_p: Number
    questions: int

    @property
    def is_shown(self) -> bool:
        """Whether the table shows a difference."""
        return self.p < SIGNIFICANT


def values_of(measure: Measure, answers: Sequence[Judged]) -> Values:
    """The measure's value of each answer that it applies to, by question."""
    found = ((judged.question.question, measure.of(judged)) for judged in answers)
    return {question: value for question, value in found if value is not None}


def figure(
    values: Values, questions: Sequence[GoldenQuestion], known: Mapping[str, Known], measure: About
) -> Figure | None:
    """The figure of one measure; None if it applies to no question.

    Args:
        values: by question.
        questions: all that were asked.
        known: by question, whether its pages were trained on.
        measure: what was measured.
    """

    def of(chosen: Sequence[str]) -> Estimate | None:
        found = [values[question] for question in chosen if question in values]
        # Where every share is whole, a bootstrap would leave no doubt at all.
        is_binary = measure.binary or (measure.unit == "share" and set(found) <= {0.0, 1.0})
        return estimate(found, binary=is_binary)

    whole = of([one.question for one in questions])
    if whole is None:
        return None
    kinds: dict[str, list[str]] = {}
    for one in questions:
        kinds.setdefault(one.why or one.kind, []).append(one.question)
    by_kind = {kind: found for kind, chosen in kinds.items() if (found := of(chosen))}
    parts = {
        part: of([one.question for one in questions if known.get(one.question) == part]) for part in ("seen", "unseen")
    }
    return Figure(all=whole, seen=parts["seen"], unseen=parts["unseen"], kinds=by_kind)


def compared(
    values: Mapping[str, Mapping[str, Values]],
    binary: Mapping[str, bool],
    other: Sequence[tuple[str, str, str, Difference]] = (),
) -> list[Compared]:
    """All pairs of systems by all measures, corrected as one table.

    Args:
        values: by system and measure.
        binary: by measure, whether each value is 0 or 1; measures that are not in it are not compared.
        other: differences that were found in another way, as system, system and measure, which belong to the table too.
    """
    found = list(other)
    for a, b in combinations(values, 2):
        for measure, is_binary in binary.items():
            ours, theirs = values[a].get(measure, {}), values[b].get(measure, {})
            if gap := difference(ours, theirs, binary=is_binary):
                found.append((a, b, measure, gap))
    corrected = holm([gap.p for _, _, _, gap in found])
    return [
        Compared(
            a=a, b=b, measure=measure, difference=gap.value, low=gap.low, high=gap.high, p=p, raw_p=gap.p,
            questions=gap.count,
        )
        for (a, b, measure, gap), p in zip(found, corrected, strict=True)
    ]  # fmt: skip
