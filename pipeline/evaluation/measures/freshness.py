"""Freshness: questions about notes that were changed after the training.

fresh = answers with the new fact and without the old one / changed questions. stale = answers with the old fact / changed
questions. What is neither fresh nor stale says nothing of it. The split is that of Vu et al., FreshLLMs, 2023, for facts that
change.
"""

from pipeline.evaluation import golden
from pipeline.evaluation.measures.measure import Judged, Measure


def _fresh(judged: Judged) -> float | None:
    if judged.question.kind != "changed":
        return None
    verdict = golden.judge(judged.question, judged.answer)
    return float(verdict.fact and not verdict.stale and not verdict.refused)


def _stale(judged: Judged) -> float | None:
    if judged.question.kind != "changed":
        return None
    return float(golden.judge(judged.question, judged.answer).stale)


FRESH = Measure(
    key="freshness",
    title="Freshness",
    sentence="Of the questions about changed notes, how many were answered as the notes stand today.",
    cannot_see="whether it would follow a change that comes tomorrow",
    of=_fresh,
    binary=True,
)
STALE = Measure(
    key="staleness",
    title="Stale answers",
    sentence="Of the questions about changed notes, how many were answered as the notes stood before.",
    cannot_see="the difference between “it is 8080” and “it is no longer 8080”",
    of=_stale,
    binary=True,
    better="lower",
)
