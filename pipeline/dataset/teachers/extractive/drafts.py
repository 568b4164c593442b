"""Shared by all kinds of pairs: drafts, and the wording of titles, headings and names in questions."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.dataset.teachers.extractive.asking import AskedSentence, speaks_of_author
from pipeline.dataset.teachers.extractive.phrases import ADVERBS, BROKEN, holds_name, named
from pipeline.dataset.teachers.extractive.text import ExtractedStatement, Text
from pipeline.dataset.teachers.extractive.topics import (
    ENDS_HERE,
    as_subject,
    says_nothing,
    topic_of,
    topic_of_folder,
    with_article,
)
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import content_stems, stems_with_parts

_EMPTY_HEADINGS = re.compile(
    r"(?:intro(?:duction)?|conclusion|summary|tl;?dr|update.*|notes?|links?|sources?|references?|overview|misc.*|other|see also|\W*"
    r"|(?:the )?(?:alternative|answer|benefit|con|downside|drawback|goal|idea|issue|plan|pro|problem|reason|rest|results?|solution|upside|win)s?|random things|personal|family|work|podcasts?|(?:mon|tues|wednes|thurs|fri|satur|sun)day|hard|easy|good|bad|fun|examples?\b.*|bug ?fixes|.* enhancements"
    r"|(?:step|part|chapter|section|lesson|day)? ?\d+.*|details|description|background|motivation|further reading|related\b.*|(?:what's |the )?next(?: steps)?|features|faq|q&a|usage"
    r"|directions|instructions|method|preparation|steps|procedure|process)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ExtractiveDraft:
    """A pair before it gets its place. Grades are from 1 to 10."""

    question: str
    answer: str
    accuracy: int
    style: int


def draft(asked: str, statement: ExtractedStatement, accuracy: int) -> ExtractiveDraft:
    """A draft with the statement as answer. A statement in the first person gets a better style."""
    return ExtractiveDraft(asked, statement.text, accuracy, 9 if speaks_of_author(statement.text) else 8)


def in_context(asked: AskedSentence, statement_heading: str, text: Text) -> str:
    """The question as a visitor asks it: unless it is clear alone, it says what it is about.

    That is the heading, if it is a name, else the document's subject. Where neither can stand in a question, the title is
    quoted, and a title such as `Introduction` makes no question: "".
    """
    question = asked.question
    if _VAGUE.search(question) or _RARE.search(question):
        return ""
    about = context(statement_heading, text)
    if asked.alone or (about and set(content_stems(about)) <= stems_with_parts(question)):
        return sentence(question)
    if not about and (says_nothing(text.source.title) or asked.grade < SURE or not holds_name(question)):
        return ""
    is_bare = about and _BARE.search(question)
    if is_bare and (_is_elsewhere(statement_heading, about, text) or not _is_thing(about)):
        return ""
    if not about:
        return f"In {quoted(text.source.title)}, {question}"
    return pick(_CONTEXTS, question).format(c=about, q=question)


_VAGUE = re.compile(
    r"\b(?:the|your) (?:answer|approach|device|file|initial setup|machine|service|setup|system|bottom line|case|change|changes|code|concept|consistency|difference|effect|example|fact|feeling|first step|goal|idea"
    r"|implementation|implication|intent|key|lesson|logic|message|moral|name|next step|number|one|option|outcome|part|point|process|question"
    r"|reality|reason|response|rest|result|results|rule|section|side|situation|solution|start|step|story|takeaway|thing|thought|trends?|trouble|series|truth"
    r"|value|way|whole|win|word|words|work|world)\?$"
)
"""Subjects that only the sentences before make clear: nobody asks what you think about the key."""
_RARE = re.compile(r"\b(?:your|the|an?) (?:usual|occasional|extra|remaining|actual|entire|large size|sheer)\b")
"""Only who has read the text asks about the occasional song."""
_BARE = re.compile(
    r"^(?:what (?:do|can|is your|is there|have you)|how do you feel)\b.*\b(?:the|your|of|on|about) (?:[a-z-]+ ){0,3}(?:[a-z-]+|[A-Z]{2,4})\?$"
)
"""A thing without a name: `the art style`, which may be that of a game under its own heading."""
SURE = 9
"""Least grade of a question for which a title is quoted that is no subject."""
_CONTEXTS = (
    "When it comes to {c}, {q}",
    "Speaking of {c}, {q}",
    "Regarding {c}, {q}",
    "I have a question about {c}: {q}",
    "About {c}: {q}",
)


def _is_thing(about: str) -> bool:
    """Whether `about` is a thing of which everybody knows that it has parts, such as a product: `the display` of `Switch 2`.

    Of `building a homelab server` or an essay's subject nobody asks about `the site`.
    """
    own = re.sub(r"^(?:the|your) ", "", about)
    return len(own.split()) <= 4 and bool(holds_name(own) or own != about) and not re.match(r"\w+ing ", own)


def _is_elsewhere(heading: str, about: str, text: Text) -> bool:
    """Whether the part under `heading` is about another thing than `about`."""
    return tells(heading, text) and not set(content_stems(heading)) & set(content_stems(about))


def context(heading: str, text: Text) -> str:
    """What a part of the text is about, in words for a question; "" if only the title says it."""
    named = as_subject(heading, text.source.text) if tells(heading, text) else ""
    is_clear = holds_name(named) and not SHORT.fullmatch(named.removeprefix("the "))
    return named if is_clear else topic_of_document(text)


def topic_of_document(text: Text) -> str:
    """What the document is about, in words for a question; "" if neither its title nor its folder says it."""
    return topic_of(text.source.title, text.source.text) or (
        topic_of_folder(text.source.document) if says_nothing(text.source.title) else ""
    )


def pick(frames: Sequence[str], said: str) -> str:
    """One of `frames`, always the same for the same words."""
    return frames[number_of(said) % len(frames)]


def number_of(said: str) -> int:
    """A number that depends on the words alone."""
    return zlib.crc32(said.encode())


def sentence(question: str) -> str:
    """The question with a capital."""
    return question[0].upper() + question[1:]


def main_name(statement: ExtractedStatement, text: Text) -> tuple[str, bool] | None:
    """The name that the statement's first sentence is about, and whether it is clear alone; None if there is none.

    It is the subject, or what the author does something with, and no part of a longer phrase (`the Index port`).
    """
    head, known = statement.head, text.source.text
    opening = _OPENING.match(head)
    if opening and re.match(r"If|When|While", head):
        # It says what happens then, not what the name is about.
        return None
    begin = opening.end() if opening else 0
    for name in names_in(statement):
        place = head.index(name)
        before, after = head[begin:place], head[place + len(name) :]
        if place < begin or _GOES_ON.match(after) or not ENDS_HERE.match(after) or not _LEADS_TO_NAME.fullmatch(before):
            continue
        is_short = bool(SHORT.fullmatch(name.strip("`")) or re.fullmatch(r"[A-Z][a-z]{1,3}", name))
        small = re.search(rf"(?<![\w-]){re.escape(name.lower())}(?![\w-])", known)
        # `C:\\Program Files` and `/etc` are no subjects.
        if (is_code(name) and re.search(r"[\\/]", name)) or re.match(r"(?:My|Our|Your) |\w+day$", name):
            continue
        if name.lower() in FUNCTION_WORDS or (small and name[0].isupper()) or (is_short and known.count(name) < 2):
            continue
        is_clear = not is_short and (
            " " in name or holds_name(name[1:]) or known.count(name) > 1 or name in statement.names
        )
        return with_article(name, known), is_clear
    return None


SHORT = re.compile(r"[A-Z]{1,4}s?")
"""A name that only readers of the text know: `the SDK`."""
_GOES_ON = re.compile(r",? (?:etc\b|and [A-Z])|, [A-Z][\w ]+, |['’]s\b")
"""Behind a name that is one of several, or whose thing the sentence is about."""
_OPENING = re.compile(
    r"(?:[A-Z][a-z]+ly|In|On|With|For|From|At|Since|After|Before|Unlike|Like|Besides|Despite|As|When|While|If|Over)\b[^,]*,\s"
)
_LEADS_TO_NAME = re.compile(
    rf"(?:[A-Z][a-z]+ly )?(?:(?:[Tt]he|[Mm]y|[Oo]ur) )?"
    rf"|(?:I|We)(?:'ve|'m|'re| have| am| are)? {ADVERBS}(?!was|were|am|are)(?:been |going to |want to |able to )?[a-z]+ (?:up )?(?:(?:the|my|our|an?) )?"
)
"""What stands before a sentence's main name: nothing, or the author and a verb."""


def names_in(statement: ExtractedStatement) -> list[str]:
    """The names in the statement's first sentence, in order."""
    head = statement.head
    marked = [
        name
        for name in statement.names
        if len(name.split()) <= 4
        and re.match(r"\.?[A-Z`]", name)
        and name[-1] not in ".:!?"
        and not re.search(r" [a-z]+$", name)
        and not BROKEN.search(name)
        and not re.search(r"\b(?:I|we|you|is|are|was|were)\b", name)
    ]
    return sorted({*marked, *named(head)}, key=lambda name: (head.index(name), -len(name), name))


def name_in(statement: ExtractedStatement, title: str) -> str:
    """The first name in the statement's first sentence that is not in `title`; "" if there is none."""
    known = stems_with_parts(title)
    head = statement.head
    return next(
        (
            name
            for name in names_in(statement)
            if not stems_with_parts(name) <= known and head.index(name) <= 0.6 * len(head)
        ),
        "",
    )


def tells(heading: str, text: Text) -> bool:
    """Whether `heading` says more than the title and more than a word such as "Summary"."""
    return (
        bool(heading) and not _EMPTY_HEADINGS.fullmatch(heading) and heading.casefold() != text.source.title.casefold()
    )


def quoted(words: str) -> str:
    """`words` in one line between quotation marks."""
    return f"“{' '.join(words.split()).replace('“', '‘').replace('”', '’')}”"


def is_code(words: str) -> bool:
    """Whether `words` are marked as code."""
    return words.startswith("`")
