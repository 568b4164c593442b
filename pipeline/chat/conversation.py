"""Questions that lean on the turns before them."""

from collections.abc import Sequence

from pipeline.chat.records import Turn
from pipeline.chat.words import content_stems, words

_POINTERS = frozenset("it its that this these those they them their he she his her there then one ones same".split())
_OPENINGS = ("and ", "but ", "or ", "what about", "how about", "why", "so ", "also ", "then ", "more", "else")


def leans_on_history(question: str) -> bool:
    """Whether the question points back (`what does it cost?`) or hardly says what it is about (`why?`)."""
    said = words(question)
    subject = set(content_stems(question))
    if len(subject) <= 1 and len(said) <= 5:
        return True
    lowered = question.lower().lstrip()
    return len(subject) <= 4 and (bool(_POINTERS & set(said)) or lowered.startswith(_OPENINGS))


def retrieval_query(question: str, history: Sequence[Turn]) -> str:
    """What to search for: the question, with the visitor's last question in front when it leans on that."""
    if not leans_on_history(question):
        return question
    asked = [turn.content for turn in history if turn.role == "user"]
    # A chain of leaning questions goes back to the first that stands alone.
    for position in range(len(asked) - 1, -1, -1):
        if not leans_on_history(asked[position]):
            return " ".join([asked[position], question])
    return " ".join([*asked[-1:], question])
