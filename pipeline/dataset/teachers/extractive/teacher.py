"""The extractive teacher: combines questions and sentences for each kind of pair."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.records import Pair, Task
from pipeline.dataset.teachers.extractive import asking
from pipeline.dataset.teachers.extractive.drafts import (
    ExtractiveDraft,
    draft,
    in_title,
    is_code,
    name_in,
    quoted,
    tells,
)
from pipeline.dataset.teachers.extractive.how_tos import how_tos
from pipeline.dataset.teachers.extractive.other_languages import ask_about
from pipeline.dataset.teachers.extractive.refusals import refusal_questions
from pipeline.dataset.teachers.extractive.text import ExtractedStatement, Text, read
from pipeline.settings import PairKind
from pipeline.text.words import content_stems, stems_with_parts

VERSION = 2
"""Raise it with every change of questions or answers, so that kept answers of the old version are not used."""
REFUSED_OF_FIVE = 2
"""Refusals written of five wanted: rules give about two in five of the other pairs wanted, so the shares stay equal."""
LONGEST_TITLE = 100

_ABOUT = (
    "What do you say about {x} in {t}?",
    "In {t}, what do you write about {x}?",
    "What can you tell me about {x}, from {t}?",
    "What does {t} say about {x}?",
)
_HEADING = (
    "What do you say about {x} in {t}?",
    "In {t}, what do you write about {x}?",
    "What does the part {x} of {t} say?",
    "What do you tell under {x} in {t}?",
)
_LEAD = ("What is {t} about?", "What do you tell in {t}?", "What do you write in {t}?")
_VIEWS = (
    "In {t}, what do you think about {x}?",
    "What are your thoughts on {x} in {t}?",
    "What is your view of {x} in {t}?",
)
_OWN_VIEW = (
    "What is your personal take in {t}?",
    "What are your own thoughts in {t}?",
    "What do you yourself think in {t}?",
)


class ExtractiveTeacher:
    """Writes pairs by rules alone. The same text always gives the same pairs, and none if no rule fits."""

    name = f"extractive {VERSION}"

    async def write(self, task: Task) -> list[Pair]:
        """See Teacher."""
        texts = [read(source) for source in task.sources]
        if any(len(source.title) > LONGEST_TITLE for source in task.sources):
            return []
        drafts = _KINDS[task.kind](texts) if all(text.is_english for text in texts) else _foreign(task.kind, texts)
        first = task.sources[0]
        return [
            Pair(
                question=made.question,
                answer=made.answer,
                kind=task.kind,
                source=first.document,
                chunk_index=first.index,
                chunks=tuple(source.chunk for source in task.sources),
                accuracy=made.accuracy,
                style=made.style,
            )
            for made in _best(drafts, task.count)
        ]


def _best(drafts: Iterable[ExtractiveDraft], count: int) -> list[ExtractiveDraft]:
    """The `count` drafts with the best accuracy, without repeated questions or answers."""
    chosen: list[ExtractiveDraft] = []
    for made in sorted(drafts, key=lambda made: -made.accuracy):
        is_new = all(made.question != other.question and made.answer != other.answer for other in chosen)
        if len(chosen) < count and is_new:
            chosen.append(made)
    return chosen


def _facts(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    yield from _settings(text)
    yield from _defined(text)
    for statement in text.statements:
        if asking.is_opinion(statement.head):
            continue
        asked = [*asking.from_subject(statement.head, text.whole), *asking.from_author(statement.head)]
        for found in asked[:1]:
            yield draft(in_title(found, text), statement, found.grade)
        if not asked:
            yield from _about(statement, text)


def _about(statement: ExtractedStatement, text: Text) -> Iterator[ExtractiveDraft]:
    """Yields a question about a name in the statement, or else about its heading."""
    title = quoted(text.source.title)
    if name := name_in(statement, text.source.title):
        yield draft(_pick(_ABOUT, statement.head).format(x=name, t=title), statement, 8)
    elif _is_below(statement, text):
        yield draft(_pick(_HEADING, statement.head).format(x=quoted(statement.heading), t=title), statement, 7)
    elif text.source.index == 0 and statement == text.statements[0]:
        yield draft(_pick(_LEAD, statement.head).format(t=title), statement, 7)


def _settings(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields questions such as `What is the default of …?` for rows of tables."""
    for row in text.rows:
        columns = list(row.cells)
        if len(columns) < 2 or not row.cells[columns[0]]:
            continue
        key = row.cells[columns[0]]
        if len(key) > 60:
            continue
        where = "" if is_code(key) else f" in {quoted(text.source.title)}"
        meaning = row.cells[columns[-1]]
        if len(meaning.split()) >= 4 and columns[-1] in (
            "meaning",
            "description",
            "what",
            "what it does",
            "purpose",
            "does",
        ):
            yield ExtractiveDraft(f"What does {key} mean{where}?", meaning, 8, 7)
        if "default" in columns and row.cells.get("default") and len(columns) > 2:
            yield ExtractiveDraft(f"What is the default of {key}{where}?", " — ".join(row.cells.values()), 9, 6)


def _defined(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields questions for list items of the form `name: what it is`."""
    for block in text.blocks:
        if block.kind != "item":
            continue
        found = re.fullmatch(r"(?P<key>`[^`]+`|[A-Z][\w' /+.-]{1,40}?)(?:\s*:|\s+[-–—])\s+(?P<says>.+)", block.text)
        if found and len(found["says"].split()) >= 5 and not _POINTS_ON.search(block.text):
            where = f" in {quoted(text.source.title)}"
            yield ExtractiveDraft(f"What do you say about {_named_key(found['key'])}{where}?", block.text, 8, 7)


_POINTS_ON = re.compile(r"\b(?:below|above|following)\b|:$", re.IGNORECASE)


def _voices(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    title = quoted(text.source.title)
    for statement in text.statements:
        felt = asking.is_opinion(statement.head)
        if not felt and not asking.judges(statement.head):
            continue
        asked = next(asking.from_opinion(statement.head, text.whole, _number(statement.head)), None)
        if asked:
            yield draft(in_title(asked, text), statement, asked.grade)
        elif not felt:
            continue
        elif name := name_in(statement, text.source.title):
            yield draft(_pick(_VIEWS, statement.head).format(x=name, t=title), statement, 8)
        elif _is_below(statement, text):
            yield draft(_pick(_VIEWS, statement.head).format(x=quoted(statement.heading), t=title), statement, 7)
        else:
            yield draft(_pick(_OWN_VIEW, statement.head).format(t=title), statement, 7)


def _syntheses(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    """Yields a question that names several parts; the answer joins the first statement of each."""
    led = [(text, next(iter(text.statements), None)) for text in texts]
    parts = [(text, statement) for text, statement in led if statement and len(statement.head) <= 260]
    if len(parts) < 2:
        return
    parts = parts[:4]
    answer = " ".join(statement.head for _, statement in parts)
    titles = list(dict.fromkeys(text.source.title for text, _ in parts))
    style = 8 if asking.speaks_of_author(answer) else 7
    if len(titles) > 1:
        if not all(
            stems_with_parts(text.source.title) & set(content_stems(statement.head)) for text, statement in parts
        ):
            return
        asked = f"What do you say in {quoted(titles[0])}, and what in {quoted(titles[1])}?"
        if all(text.source.index == 0 for text, _ in parts):
            yield ExtractiveDraft(asked, answer, 7, style)
        return
    title = quoted(titles[0])
    topics = [_topic_of(statement, text) for text, statement in parts]
    if all(topics) and len(set(topics)) == len(topics):
        yield ExtractiveDraft(f"In {title}, what do you say about {_enumerated(topics)}?", answer, 8, style)
    elif parts[0][0].source.index == 0 and _opens(parts[0][1], parts[0][0]):
        yield ExtractiveDraft(
            _pick(
                ("What are the main points of {t}?", "Can you sum up how {t} goes?", "What is {t} about, in short?"),
                answer,
            ).format(t=title),
            answer,
            7,
            style,
        )


def _topic_of(statement: ExtractedStatement, text: Text) -> str:
    if _is_below(statement, text):
        return quoted(statement.heading)
    return name_in(statement, text.source.title)


def _refusals(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    if _number(text.source.text) % 5 >= REFUSED_OF_FIVE:
        return
    names = [name for statement in text.statements if (name := name_in(statement, text.source.title))]
    for asked in refusal_questions(quoted(text.source.title), names, text):
        yield ExtractiveDraft(asked, NOT_IN_NOTES, 8, 10)


def _foreign(kind: PairKind, texts: list[Text]) -> Iterator[ExtractiveDraft]:
    """Yields questions that quote title and heading: the grammar of other languages is not known here."""
    if kind != "fact":
        return
    [text] = texts
    for statement in text.statements:
        if asked := ask_about(text.source.title, statement.heading, text.whole):
            yield ExtractiveDraft(asked, statement.text, 7, 8)


_KINDS: dict[PairKind, Callable[[list[Text]], Iterator[ExtractiveDraft]]] = {
    "fact": _facts,
    "how-to": how_tos,
    "voice": _voices,
    "synthesis": _syntheses,
    "refusal": _refusals,
}


def _is_below(statement: ExtractedStatement, text: Text) -> bool:
    """Whether a statement is about its heading: it is in the section's first paragraph, or shares a word with the heading."""
    if not tells(statement.heading, text):
        return False
    is_first = statement.paragraph == 0
    return is_first or bool(set(content_stems(statement.heading)) & stems_with_parts(statement.text))


def _opens(statement: ExtractedStatement, text: Text) -> bool:
    """Whether a statement can represent its document: it is the first sentence, or shares a word with the title."""
    first = next((block.text for block in text.blocks if block.kind == "paragraph"), "")
    return first.startswith(statement.head) or bool(
        set(content_stems(text.source.title)) & stems_with_parts(statement.head)
    )


def _named_key(key: str) -> str:
    return key if is_code(key) else quoted(key)


def _enumerated(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _pick(frames: tuple[str, ...], said: str) -> str:
    return frames[_number(said) % len(frames)]


def _number(said: str) -> int:
    return zlib.crc32(said.encode())
