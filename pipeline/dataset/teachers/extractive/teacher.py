"""The extractive teacher: combines questions and sentences for each kind of pair."""

import re
from collections.abc import Callable, Iterable, Iterator

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.records import Pair, Task
from pipeline.dataset.teachers.extractive import asking
from pipeline.dataset.teachers.extractive.asking import AskedSentence
from pipeline.dataset.teachers.extractive.deeds import from_author
from pipeline.dataset.teachers.extractive.drafts import (
    SHORT,
    ExtractiveDraft,
    context,
    draft,
    in_context,
    is_code,
    main_name,
    names_in,
    number_of,
    pick,
    sentence,
    tells,
    topic_of_document,
)
from pipeline.dataset.teachers.extractive.how_tos import how_tos
from pipeline.dataset.teachers.extractive.other_languages import ask_about
from pipeline.dataset.teachers.extractive.phrases import Topic, holds_name, subject
from pipeline.dataset.teachers.extractive.refusals import refusal_questions
from pipeline.dataset.teachers.extractive.sides import plans, praise_or_blame
from pipeline.dataset.teachers.extractive.text import ExtractedStatement, Text, read
from pipeline.dataset.teachers.extractive.topics import as_subject
from pipeline.settings import PairKind
from pipeline.text.words import content_stems, stems_with_parts

VERSION = 8
"""Raise it with every change of questions or answers, so that kept answers of the old version are not used."""
REFUSED_OF_FIVE = 1
"""Refusals written of five wanted: rules give about one in five of the other pairs wanted, so the shares stay equal."""
LONGEST_TITLE = 100
LONGEST_REFUSED = 6
"""Most words of what a refusal asks about."""

_ABOUT = (
    "what do you say about {x}?",
    "what can you tell me about {x}?",
    "what do you write about {x}?",
    "what is there to know about {x}?",
)
_EXPERIENCE = (
    "what is your experience with {x}?",
    "what can you tell me about {x}?",
    "what have you done with {x}?",
    "how did it go with {x}?",
)
_VIEWS = ("what do you think about {x}?", "what are your thoughts on {x}?", "what is your view of {x}?")


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
        if len(chosen) < count and is_new and made.question:
            chosen.append(made)
    return chosen


def _facts(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    yield from _settings(text)
    yield from _defined(text)
    for statement in text.statements:
        if asking.is_opinion(statement.head):
            continue
        asked = [*asking.from_subject(statement.head, text.whole), *from_author(statement.head)]
        for found in sorted(asked, key=lambda found: -found.grade)[:1]:
            yield draft(in_context(found, statement.heading, text), statement, found.grade)
        if not asked:
            yield from _about(statement, text)


def _about(statement: ExtractedStatement, text: Text) -> Iterator[ExtractiveDraft]:
    """Yields a question about the statement's main name, or else about its heading or the document's subject."""
    is_own = asking.speaks_of_author(statement.head)
    if found := main_name(statement, text):
        name, is_clear = found
        asked = pick(_ABOUT, statement.head).format(x=name)
        yield draft(in_context(AskedSentence(asked, is_clear, 8), statement.heading, text), statement, 8)
    elif _is_below(statement, text) and (heading := as_subject(statement.heading, text.source.text)):
        asked = pick(_ABOUT, statement.head).format(x=heading)
        is_clear = holds_name(heading) and not SHORT.fullmatch(heading.removeprefix("the "))
        yield draft(in_context(AskedSentence(asked, is_clear, 7), "", text), statement, 7)
    elif about := _subject(statement, text):
        asked = pick(_ABOUT, statement.head).format(x=about.words)
        yield draft(in_context(AskedSentence(asked, about.is_name, 7), statement.heading, text), statement, 7)
    elif text.source.index == 0 and statement == text.statements[0] and _is_about_topic(statement, text):
        asked = pick(_EXPERIENCE[:2] if is_own else _ABOUT, statement.head)
        yield draft(sentence(asked.format(x=topic_of_document(text))), statement, 7)


def _subject(statement: ExtractedStatement, text: Text) -> Topic | None:
    """The grammatical subject of the statement, if it can be asked about."""
    found = subject(statement.head, text.whole)
    if not found or re.match(r"(?:a|an|each|every|my) ", found[0].words) or " " not in found[0].words:
        return None
    return found[0]


def _settings(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields questions such as `What is the default of …?` for rows of tables."""
    for row in text.rows:
        columns = list(row.cells)
        if len(columns) < 2 or not row.cells[columns[0]]:
            continue
        key = row.cells[columns[0]]
        if len(key) > 60:
            continue
        meaning = row.cells[columns[-1]]
        if len(meaning.split()) >= 4 and columns[-1] in (
            "meaning",
            "description",
            "what",
            "what it does",
            "purpose",
            "does",
        ):
            asked = AskedSentence(f"what does {key} mean?", is_code(key), 8)
            yield ExtractiveDraft(in_context(asked, row.heading, text), meaning, 8, 7)
        if "default" in columns and row.cells.get("default") and len(columns) > 2:
            asked = AskedSentence(f"what is the default of {key}?", is_code(key), 9)
            yield ExtractiveDraft(in_context(asked, row.heading, text), " — ".join(row.cells.values()), 9, 6)


def _defined(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields questions for list items of the form `name: what it is`."""
    for block in text.blocks:
        if block.kind != "item":
            continue
        found = re.fullmatch(r"(?P<key>`[^`]+`|[A-Z][\w' /+.-]{1,40}?)(?:\s*:|\s+[-–—])\s+(?P<says>.+)", block.text)
        if not found or len(found["says"].split()) < 5 or _POINTS_ON.search(block.text):
            continue
        # `Ann Berg: The title of her article`
        if re.match(r"[\"“]", found["says"]) or any(found["says"] in name for name in block.names):
            continue
        # `Result: I earned nothing`
        if not tells(found["key"], text):
            continue
        key = found["key"] if is_code(found["key"]) else as_subject(found["key"], text.source.text)
        if len(key) > 4:
            asked = AskedSentence(f"what do you say about {key}?", False, 8)
            yield ExtractiveDraft(in_context(asked, block.heading, text), block.text, 8, 7)


_POINTS_ON = re.compile(r"\b(?:below|above|following)\b|:$|\(#\d+|https?://\S*$", re.IGNORECASE)
"""Items that are read with what stands around them, and items of a change log."""


def _voices(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    for statement in text.statements:
        felt = asking.is_opinion(statement.head)
        asked = None
        if felt or asking.judges(statement.head):
            asked = next(asking.from_opinion(statement.head, text.whole, number_of(statement.head)), None)
        felt = felt and not _FAVOURITE.match(statement.head)
        if not asked and felt and (found := main_name(statement, text)):
            name, is_clear = found
            asked = AskedSentence(pick(_VIEWS, statement.head).format(x=name), is_clear, 8)
        if not asked and felt and _is_about_topic(statement, text):
            about = topic_of_document(text)
            asked = AskedSentence(pick(_VIEWS, statement.head).format(x=about), True, 7)
        if not asked and felt:
            asked = next(from_author(statement.head), None)
        if asked:
            yield draft(in_context(asked, statement.heading, text), statement, asked.grade)
        else:
            yield from _sides(statement, text)


_FAVOURITE = re.compile(r"(?:My|The|One of my) (?:\w+ )?favou?rite\b")
"""A sentence of what is liked best among many says nothing of them all."""


def _sides(statement: ExtractedStatement, text: Text) -> Iterator[ExtractiveDraft]:
    """Yields a question about praise, blame or plans, if it is known of what the statement speaks."""
    about = context(statement.heading, text)
    if not about or re.match(r"\w+ing ", about) or " and " in about:
        return
    if tells(statement.heading, text) and about != as_subject(statement.heading, text.source.text):
        return
    others = [name for name in names_in(statement) if not set(content_stems(name)) & set(content_stems(about))]
    if others:
        return
    if frames := praise_or_blame(statement.head):
        yield draft(sentence(pick(frames, statement.head).format(c=about)), statement, 7)
    elif frames := plans(statement.head):
        asked = AskedSentence(pick(frames, statement.head), False, 7)
        yield draft(in_context(asked, statement.heading, text), statement, 7)


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
        about = [topic_of_document(text) for text, _ in parts]
        if all(about) and len(set(about)) > 1 and all(_is_about_topic(statement, text) for text, statement in parts):
            yield ExtractiveDraft(f"What do you say about {about[0]}, and what about {about[1]}?", answer, 7, style)
        return
    topics = [_topic_of(statement, text) for text, statement in parts]
    if all(topics) and len(set(topics)) == len(topics):
        asked = AskedSentence(f"what do you say about {_enumerated(topics)}?", all(map(holds_name, topics)), 8)
        yield ExtractiveDraft(in_context(asked, "", parts[0][0]), answer, 8, style)
    elif parts[0][0].source.index == 0 and all(_is_about_topic(statement, text) for text, statement in parts):
        about_all = topic_of_document(parts[0][0])
        frames = ("What do you say about {t}, in short?", "Can you sum up what you write about {t}?")
        yield ExtractiveDraft(pick(frames, answer).format(t=about_all), answer, 7, style)


def _topic_of(statement: ExtractedStatement, text: Text) -> str:
    """What a statement is about, in words for a question; "" if nothing tells."""
    if _is_below(statement, text) and (heading := as_subject(statement.heading, text.source.text)):
        return heading
    found = main_name(statement, text)
    return found[0] if found else ""


def _refusals(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    [text] = texts
    if number_of(text.source.text) % 5 >= REFUSED_OF_FIVE:
        return
    about = topic_of_document(text)
    if not about or not holds_name(about):
        found = next(filter(None, (main_name(statement, text) for statement in text.statements)), None)
        about = found[0] if found and found[1] else about
    # Of a longer subject, such as a title, no visitor asks.
    for asked in refusal_questions(about, text) if 0 < len(about.split()) <= LONGEST_REFUSED else ():
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
    """Whether a statement is about its heading: it names it, or is the section's first words and has no other subject."""
    if not tells(statement.heading, text):
        return False
    named = set(content_stems(statement.heading))
    if len(named & stems_with_parts(statement.text)) > len(named) / 2:
        return True
    return statement.paragraph == 0 and bool(_WITHOUT_SUBJECT.match(statement.head))


_WITHOUT_SUBJECT = re.compile(
    r"(?:An?|Very|Quite|Really|Probably|Definitely|Easily|Another|One of|Pretty|My favou?rite)\b"
)


def _is_about_topic(statement: ExtractedStatement, text: Text) -> bool:
    """Whether a statement names its document's subject."""
    about = set(content_stems(topic_of_document(text)))
    return bool(about) and about <= stems_with_parts(statement.head)


def _enumerated(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"
