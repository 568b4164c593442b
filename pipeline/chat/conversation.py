"""Questions that lean on the turns before them."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.chat.leaning import leans, names_a_subject
from pipeline.chat.records import Turn
from pipeline.chat.rewriting import NOT_REWRITTEN, Rewriting
from pipeline.index.passages import Passage
from pipeline.text.detecting import main_language
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.languages.tables import Language, table
from pipeline.text.words import content_stems, coverage, stems_with_parts, words

LONGEST_LEANING = 3
"""Words with meaning: a question that has more says itself what it is about, whatever it points to."""

BEST = 3
"""The first passages of a search: of these one must speak of a question and of what came before it."""
SHARE = 0.5
"""The least share of the earlier question's words that such a passage holds."""

Rewrite = Callable[[str, Sequence[Turn]], Rewriting]
"""Takes a question and the turns before it; returns the question as it stands alone, as `rewritten` does."""

Find = Callable[[str], Sequence[Passage]]
"""Takes a question that stands alone; returns the passages that are found for it, best first."""

_POINTERS = frozenset("it its they them their theirs he his him she her hers this these those ones same".split())
_THE_SITE = frozenset("assistant blog chat guide guides note notes page pages site vault website".split())
"""`this site` points to where the visitor is, not to what was said."""
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will) it (?:possible|necessary|safe|worth|true|allowed)\b|\bdoes it mean to\b"
)
_WHICH_ONE = re.compile(r"\b(?:which|that|this|other|another|the) one\b")
_ABOUT = re.compile(table("en").follow_ups.about)
_LINKS = re.compile(rf"(?:{'|'.join(sorted(table('en').follow_ups.links))})\b[,:]?\s*")
_CORRECTS = re.compile(
    r"(?:\w+[,.!] )?(?:i (?:just |only )?mean|i meant(?! to)|i(?:'m| am) (?:asking|referring to|talking about))\b"
)
"""What begins a turn that mends the question before it: `Oops, I meant the other one.`"""
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
    if other := _other_language(question):
        return leans(question, other, LONGEST_LEANING)
    lowered = question.lower().strip()
    rest = _LINKS.sub("", lowered, count=1) if _LINKS.match(lowered) else lowered
    subject = set(content_stems(rest)) - _GENERIC
    if not subject or _ABOUT.match(rest) or _CORRECTS.match(lowered.replace("’", "'")):
        return True
    if len(subject) <= LONGEST_LEANING and _points_back(rest):
        return True
    # A fragment: `and a whole folder?`, `Cursor?`; but `wireguard port` is what others type as a question.
    if not _ASKS.match(rest):
        return len(subject) <= LONGEST_LEANING if rest != lowered else len(subject) == 1
    return False


def _other_language(question: str) -> Language | None:
    """The table of the question's language; None for English, also where the language can't be told."""
    language = main_language(question)
    return None if language in ("", "en") else table(language)


def _names_a_subject(question: str) -> bool:
    """Whether a question that leans on others says what it is about: `what about the boiler?`, `and Cursor?`."""
    if other := _other_language(question):
        return names_a_subject(question, other)
    lowered = question.lower().strip()
    return bool(set(content_stems(lowered)) - _GENERIC) and not _points_back(_LINKS.sub("", lowered, count=1))


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
    joined: str = ""
    """The question behind the one before it; "" where there is none, or the subject has changed."""
    of_days: bool = False
    """Whether its passages are those of the days that it names."""
    only_names_days: bool = False
    """Whether it asks for nothing but what the notes of some days say, so that those answer it whatever they say."""
    rewriting: Rewriting = NOT_REWRITTEN
    """What a model made of it, if one was asked."""


def understand(
    question: str, history: Sequence[Turn], turns: int, find: Find | None = None, rewrite: Rewrite | None = None
) -> Asked:
    """The question with the last `turns` questions and answers of `history`; what it means hangs on the same ones.

    Args:
        find: searches the notes; they tell `what about macOS?` from a new subject. None: each question that leans on
            another one is taken to speak of the same subject.
        rewrite: asked first; the rules decide where it makes nothing of the question.
    """
    seen = tuple(history[-2 * turns :]) if turns else ()
    earlier = [turn.content for turn in seen if turn.role == "user"]
    rewriting = rewrite(question, seen) if rewrite and earlier else NOT_REWRITTEN
    if rewriting.question:
        return Asked(question, rewriting.question, seen, f"{earlier[-1]} {question}", rewriting=rewriting)
    subject = _chosen(_readings([*earlier, question]), find)
    has_changed = find is not None and subject == question and leans_on_history(question)
    joined = f"{earlier[-1]} {question}" if earlier and not has_changed else ""
    return Asked(question, subject, seen, joined, rewriting=rewriting)


def found_for(asked: Asked, find: Find) -> list[Passage]:
    """The passages for a question as it stands alone; in a conversation also those for it behind the question before.

    Of both searches the scores are averaged: what answers a turn is mostly found with the one before it, also where it could
    stand alone (docs/measured-answers.md).
    """
    own = find(asked.subject)
    if asked.joined in ("", asked.subject):
        return list(own)
    behind = find(asked.joined)
    known = {passage.id: passage for passage in (*behind, *own)}
    scores = dict.fromkeys(known, 0.0)
    for passage in (*own, *behind):
        scores[passage.id] += passage.score / 2
    ranked = sorted(known, key=lambda id: -scores[id])[: max(len(own), len(behind))]
    return [known[id].model_copy(update={"score": scores[id]}) for id in ranked]


def _readings(questions: Sequence[str]) -> list[str]:
    """What the last question can mean, as questions that stand alone: from no earlier one to the one that began the
    chain of questions that lean on each other."""
    *earlier, question = questions
    if not earlier or not leans_on_history(question):
        return [question]
    # What names nothing (`can I change it?`) leads further back, to what it speaks of itself.
    places = [place for place, asked in enumerate(earlier) if not leans_on_history(asked) or _names_a_subject(asked)]
    before = _readings(earlier[: places[-1] + 1]) if places else [earlier[-1]]
    alone = [question] if _names_a_subject(question) else []
    return [*alone, *(f"{asked} {question}" for asked in before)]


def _chosen(readings: Sequence[str], find: Find | None) -> str:
    """The longest reading of which the notes speak as a whole: a shorter one where the subject has changed."""
    chosen = readings[0]
    if find is None or len(readings) == 1:
        return readings[-1]
    language = main_language(readings[-1])

    def held(reading: str) -> list[set[str]]:
        texts = (f"{passage.title}\n{passage.heading}\n{passage.text}" for passage in find(reading)[:BEST])
        return [stems_with_parts(text, language) for text in texts]

    for reading in readings[1:]:
        own, all_words = set(content_stems(chosen, language)), set(content_stems(reading, language))
        if any(coverage(own, stems) == 1 and coverage(all_words - own, stems) >= SHARE for stems in held(reading)):
            chosen = reading
    # What no passage holds is no subject of its own.
    wanted = set(content_stems(chosen, language)) - _GENERIC
    return chosen if any(coverage(wanted, stems) == 1 for stems in held(chosen)) else readings[-1]
