"""Questions that lean on the turns before them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.chat.records import Turn
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import content_stems, words

LONGEST_LEANING = 3
"""Words with meaning: a question that has more says itself what it is about, whatever it points to."""

_POINTERS = frozenset("it its they them their theirs he his him she her hers this these those ones same".split())
_THE_SITE = frozenset("assistant blog chat guide guides note notes page pages site vault website".split())
"""`this site` points to where the visitor is, not to what was said."""
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will) it (?:possible|necessary|safe|worth|true|allowed)\b|\bdoes it mean to\b"
)
_WHICH_ONE = re.compile(r"\b(?:which|that|this|other|another|the) one\b")
_ABOUT = re.compile(r"(?:what|how) about\b|(?:tell me |say )?more\b")
_LINKS = re.compile(r"(?:and|but|or|so|then|also|ok|okay|well)\b[,:]?\s*")
_ASKS = re.compile(
    r"(?:(?:in|on|at|for|from|to|after|with|by) )?(?:who|whom|whose|what|which|when|where|why|how)\b|"
    r"(?:am|are|can|could|did|do|does|has|have|is|may|must|shall|should|was|were|will|would)\b"
)
_AFTER_POINTER = frozenset(("", "again", "and", "as", "for", "in", "more", "on", "to", "with"))
# Words that need another to be about something.
_GENERIC = frozenset(
    content_stems(
        "example examples detail details difference reason limit limits price size default alternative cost "
        "long often far fast soon early late big large"
    )
)


def leans_on_history(question: str) -> bool:
    """Whether the question points back (`what does it cost?`), is no whole one (`and Cursor?`), or hardly says what it
    is about (`why?`)."""
    lowered = question.lower().strip()
    rest = _LINKS.sub("", lowered, count=1) if _LINKS.match(lowered) else lowered
    subject = set(content_stems(rest)) - _GENERIC
    if not subject or _ABOUT.match(rest):
        return True
    if len(subject) <= LONGEST_LEANING and _points_back(rest):
        return True
    # A fragment: `and a whole folder?`, `Cursor?`; but `wireguard port` is what others type as a question.
    if not _ASKS.match(rest):
        return len(subject) <= LONGEST_LEANING if rest != lowered else len(subject) == 1
    return False


def _points_back(question: str) -> bool:
    if _WHICH_ONE.search(question):
        return True
    said = words(_EXPLETIVE.sub("", question))
    for position, word in enumerate(said):
        following = said[position + 1] if position + 1 < len(said) else ""
        if word in _POINTERS and following not in _THE_SITE:
            return True
        # `change that`, but not `the port that the gateway uses`
        relative = position > 0 and said[position - 1] not in FUNCTION_WORDS and following not in _AFTER_POINTER
        if word == "that" and not relative:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in its conversation."""

    question: str
    subject: str
    """The question as it stands alone: what is searched for, judged and quoted on."""
    history: tuple[Turn, ...] = ()
    """What the model sees of the conversation before it, oldest first."""


def understand(question: str, history: Sequence[Turn], turns: int) -> Asked:
    """The question with the last `turns` questions and answers of `history`; what it means hangs on the same ones."""
    seen = tuple(history[-2 * turns :]) if turns else ()
    return Asked(question, _standing_alone(question, seen), seen)


def _standing_alone(question: str, history: Sequence[Turn]) -> str:
    """The question, with the visitor's last question in front when it leans on that."""
    if not leans_on_history(question):
        return question
    asked = [turn.content for turn in history if turn.role == "user"]
    # A chain of leaning questions goes back to the first that stands alone.
    for position in range(len(asked) - 1, -1, -1):
        if not leans_on_history(asked[position]):
            return " ".join([asked[position], question])
    return " ".join([*asked[-1:], question])
