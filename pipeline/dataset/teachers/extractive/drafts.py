"""Shared by all kinds of pairs: drafts, and the wording of titles, headings and names in questions."""

import re
from dataclasses import dataclass

from pipeline.dataset.teachers.extractive.asking import AskedSentence, speaks_of_author
from pipeline.dataset.teachers.extractive.phrases import named
from pipeline.dataset.teachers.extractive.text import ExtractedStatement, Text
from pipeline.text.words import stems_with_parts

_EMPTY_HEADINGS = re.compile(
    r"(?:intro(?:duction)?|conclusion|summary|tl;?dr|update.*|notes?|links?|sources?|references?|overview|misc.*|other|see also|\W*)",
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


def in_title(asked: AskedSentence, text: Text) -> str:
    """The question as a sentence. It gets the document's title unless it is clear without it."""
    if asked.alone:
        return asked.question[0].upper() + asked.question[1:]
    title = quoted(text.source.title)
    if asked.question.startswith("how do I"):
        return f"According to {title}, {asked.question}"
    return f"In {title}, {asked.question}"


def name_in(statement: ExtractedStatement, title: str) -> str:
    """The first name in the statement's first sentence that is not in `title`; "" if there is none."""
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
