"""What the kinds of pairs share: drafts, and titles, headings and names as questions say them."""

import re
from dataclasses import dataclass

from pipeline.dataset.teachers.extractive.asking import Asked, speaks_of_author
from pipeline.dataset.teachers.extractive.phrases import named
from pipeline.dataset.teachers.extractive.text import Statement, Text
from pipeline.text.words import stems_with_parts

_EMPTY_HEADINGS = re.compile(
    r"(?:intro(?:duction)?|conclusion|summary|tl;?dr|update.*|notes?|links?|sources?|references?|overview|misc.*|other|see also|\W*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Draft:
    question: str
    answer: str
    accuracy: int
    style: int


def draft(asked: str, statement: Statement, accuracy: int) -> Draft:
    return Draft(asked, statement.text, accuracy, 9 if speaks_of_author(statement.text) else 8)


def in_title(asked: Asked, text: Text) -> str:
    """A question that stands alone: with the title, unless it names a thing that is known without it."""
    if asked.alone:
        return asked.question[0].upper() + asked.question[1:]
    title = quoted(text.source.title)
    if asked.question.startswith("how do I"):
        return f"According to {title}, {asked.question}"
    return f"In {title}, {asked.question}"


def name_in(statement: Statement, title: str) -> str:
    """What the statement's first sentence names first, other than the title's words."""
    head = statement.head
    marked = [
        name
        for name in statement.names
        if len(name.split()) <= 4 and re.match(r"\.?[A-Z`]", name) and name[-1] not in ".:!?"
    ]
    found = sorted({*marked, *named(head)}, key=lambda name: (head.index(name), -len(name), name))
    known = stems_with_parts(title)
    for name in found:
        if not stems_with_parts(name) <= known and head.index(name) <= 0.6 * len(head):
            return name
    return ""


def tells(heading: str, text: Text) -> bool:
    return (
        bool(heading) and not _EMPTY_HEADINGS.fullmatch(heading) and heading.casefold() != text.source.title.casefold()
    )


def quoted(words: str) -> str:
    return f"“{' '.join(words.split()).replace('“', '‘').replace('”', '’')}”"


def is_code(words: str) -> bool:
    return words.startswith("`")
