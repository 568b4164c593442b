"""Closeness to a good answer that was written beforehand, by the words that both have.

F1 = 2 · shared words / (words of the answer + words of the reference), without case, punctuation and articles, as SQuAD
compares answers (Rajpurkar et al., SQuAD: 100,000+ questions for machine comprehension of text, 2016). A refusal gets 0,
and a question without a reference is left out.
"""

import re
from collections import Counter

from pipeline.chat.citations import without_marks
from pipeline.evaluation.measures.measure import Judged, Measure


def token_f1(answer: str, reference: str) -> float:
    """The harmonic mean of precision and recall of the words, from 0 to 1."""
    ours, theirs = _tokens(answer), _tokens(reference)
    shared = (Counter(ours) & Counter(theirs)).total()
    return 2 * shared / (len(ours) + len(theirs)) if shared else 0.0


def _tokens(text: str) -> list[str]:
    bare = re.sub(r"[^\w\s]", "", text.lower())
    return [word for word in bare.split() if word not in ("a", "an", "the")]


def _close(judged: Judged) -> float | None:
    if not judged.question.answerable or not judged.question.reference:
        return None
    if judged.answer.refused:
        return 0.0
    return token_f1(without_marks(judged.answer.answer), judged.question.reference)


REFERENCE = Measure(
    key="reference",
    title="Words of the reference",
    sentence="How many words it shares with a good answer that was written beforehand.",
    cannot_see="a right answer in quite other words, and a wrong one in nearly the same",
    of=_close,
)
