"""Refusal: saying that the notes do not answer.

precision = refusals of unanswerable questions / refusals. recall = unanswerable questions that were refused, or whose wrong
premise was put right / unanswerable questions. wrongly refused = refusals of answerable questions / answerable questions.
Precision and recall of abstention as in Rajpurkar et al., Know what you don't know (SQuAD 2.0), 2018. Precision alone
praises who hardly ever refuses, recall alone who always does: read both beside accuracy.
"""

from pipeline.evaluation import golden
from pipeline.evaluation.measures.measure import Judged, Measure


def _precision(judged: Judged) -> float | None:
    return float(not judged.question.answerable) if judged.answer.refused else None


def _recall(judged: Judged) -> float | None:
    if judged.question.answerable:
        return None
    return float(golden.judge(judged.question, judged.answer).right)


def _wrongly(judged: Judged) -> float | None:
    return float(judged.answer.refused) if judged.question.answerable else None


PRECISION = Measure(
    key="refusal_precision",
    title="Refusal precision",
    sentence="When it said “that is not in the notes”, how often that was true.",
    cannot_see="how many it should have refused and did not",
    of=_precision,
    binary=True,
)
RECALL = Measure(
    key="refusal_recall",
    title="Refusal recall",
    sentence="Of the questions that the notes do not answer, how many it declined instead of inventing something.",
    cannot_see="whether it declines for the right reason: who declines everything gets 100 %",
    of=_recall,
    binary=True,
)
WRONGLY = Measure(
    key="wrongly_refused",
    title="Wrongly refused",
    sentence="Of the questions that the notes do answer, how many it declined all the same.",
    cannot_see="whether what it says to the others is right",
    of=_wrongly,
    binary=True,
    better="lower",
)
