"""Completeness: the share of the facts that a good answer has.

completeness = facts that the answer says / facts that the question lists, for answerable questions; a refusal says none. It
is the recall of "nuggets" of TREC's question answering track (Voorhees, 2003). A fact is a group of ways to say it.
"""

from pipeline.evaluation import golden
from pipeline.evaluation.measures.measure import Judged, Measure


def _share(judged: Judged) -> float | None:
    groups = judged.question.groups
    if not judged.question.answerable or not groups:
        return None
    return 0.0 if judged.answer.refused else golden.judge(judged.question, judged.answer).found / len(groups)


COMPLETENESS = Measure(
    key="completeness",
    title="Completeness",
    sentence="Of the facts that belong in an answer, how many were said.",
    cannot_see="anything that is said beside those facts, right or wrong",
    of=_share,
)
