"""What a measure is, and the table of all that look at one answer at a time. Voice looks at all answers: see `voice`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.chat import Answer
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.index.passages import Passage
from pipeline.parts import Parts

Unit = Literal["share", "distance", "ms", "tokens", "tokens/s"]


@dataclass(frozen=True)
class Judged:
    """An answer, and what it is held against."""

    question: GoldenQuestion
    answer: Answer
    evidence: Sequence[Passage] = ()
    """Of the notes: what a search finds for the question, the pages that hold the facts, and the pages that it cites."""
    read: int = 0
    """About how many tokens the model read for it."""
    written: int = 0
    """About how many tokens the model wrote for it, shown or not."""


@dataclass(frozen=True, kw_only=True)
class About:
    """What a measure says."""

    key: str
    title: str
    sentence: str
    """What it says, for someone who has never heard of it."""
    cannot_see: str
    """What it can't see, in one sentence."""
    better: Literal["higher", "lower"] = "higher"
    unit: Unit = "share"
    binary: bool = False
    """Whether the figure of one answer is 0 or 1."""


@dataclass(frozen=True, kw_only=True)
class Measure(About):
    """One way to judge an answer. Its figure of a system is the mean over all answers that it applies to."""

    of: Callable[[Judged], float | None]
    """The figure of one answer; None where it does not apply."""


JUDGED = About(
    key="judged",
    title="Accuracy by a model",
    sentence="The same as accuracy, as a model judged it: it knows other words for a fact, and errs in its own ways.",
    cannot_see="its own errors: look at how far it agrees with the labels by hand and the facts",
    binary=True,
)
"""Not of one answer alone: a model must be asked (`judge_model`)."""

MEASURES = Parts(
    "measure",
    "sitetwin.measures",
    {
        "accuracy": "pipeline.evaluation.measures.accuracy:ACCURACY",
        "completeness": "pipeline.evaluation.measures.completeness:COMPLETENESS",
        "reference": "pipeline.evaluation.measures.reference:REFERENCE",
        "faithfulness": "pipeline.evaluation.measures.faithfulness:FAITHFULNESS",
        "citation_hit": "pipeline.evaluation.measures.citing:HIT",
        "citation_precision": "pipeline.evaluation.measures.citing:PRECISION",
        "citation_recall": "pipeline.evaluation.measures.citing:RECALL",
        "refusal_precision": "pipeline.evaluation.measures.refusing:PRECISION",
        "refusal_recall": "pipeline.evaluation.measures.refusing:RECALL",
        "wrongly_refused": "pipeline.evaluation.measures.refusing:WRONGLY",
        "freshness": "pipeline.evaluation.measures.freshness:FRESH",
        "staleness": "pipeline.evaluation.measures.freshness:STALE",
        "first_token_ms": "pipeline.evaluation.measures.cost:FIRST_TOKEN",
        "total_ms": "pipeline.evaluation.measures.cost:TOTAL",
        "tokens_per_second": "pipeline.evaluation.measures.cost:SPEED",
        "tokens_read": "pipeline.evaluation.measures.cost:READ",
        "tokens_written": "pipeline.evaluation.measures.cost:WRITTEN",
    },
)
"""Each part is a `Measure`, in the order of the report."""


def measures() -> list[Measure]:
    """All measures of one answer at a time."""
    return [MEASURES.load(name) for name in MEASURES.kinds()]
