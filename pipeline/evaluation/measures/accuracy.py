"""Accuracy: right or wrong, by the facts that a person wrote down beforehand.

accuracy = answers that say every fact and nothing forbidden or stale / answerable questions with facts. The check is
string containment in any of the ways to say a fact that the question lists, as in the short-answer evaluation of open-domain
question answering (Chen et al., Reading Wikipedia to answer open-domain questions, 2017). Here the answer may be long, so
the fact must be in it, not be it. No model judges.
"""

from pipeline.evaluation import golden
from pipeline.evaluation.measures.measure import Judged, Measure


def _right(judged: Judged) -> float | None:
    question = judged.question
    if not question.answerable or not question.groups:
        return None
    verdict = golden.judge(question, judged.answer)
    return float(verdict.fact and not (verdict.refused or verdict.forbidden or verdict.stale))


ACCURACY = Measure(
    key="accuracy",
    title="Accuracy",
    sentence="Of the questions that the notes answer, how many were answered with every fact right.",
    cannot_see="a right answer in words that nobody listed, and what is wrong beside the right fact",
    of=_right,
    binary=True,
)
