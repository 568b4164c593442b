"""Which question goes with which sentences, for each kind of pair."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pipeline.chat.prompt import NOT_IN_NOTES
from pipeline.chat.words import content_stems, stems_with_parts
from pipeline.dataset.extractive import IMPERATIVES, question
from pipeline.dataset.records import Pair, Task
from pipeline.dataset.teachers.extractive import asking
from pipeline.dataset.teachers.extractive.other_languages import ask_about
from pipeline.dataset.teachers.extractive.phrases import named
from pipeline.dataset.teachers.extractive.refusals import refusal_questions
from pipeline.dataset.teachers.extractive.text import (
    Block,
    Statement,
    Text,
    is_whole,
    leans,
    points_back,
    read,
    sentences,
)
from pipeline.settings import PairKind

VERSION = 1
"""To be raised with every change of questions or answers: kept answers are of one version."""
MOST_ITEMS = 8
LONGEST_STEPS = 900
"""Characters of steps with their code."""
REFUSED_OF_FIVE = 2
"""Of five refusals asked for, those written: by rules a text gives about two in five of the other pairs wanted."""
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
_EMPTY_HEADINGS = re.compile(
    r"(?:intro(?:duction)?|conclusion|summary|tl;?dr|update.*|notes?|links?|sources?|references?|overview|misc.*|other|see also|\W*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Draft:
    question: str
    answer: str
    accuracy: int
    style: int


class ExtractiveTeacher:
    """Writes pairs by rules alone: the same for the same text, and none where no rule fits."""

    name = f"extractive {VERSION}"

    async def write(self, task: Task) -> list[Pair]:
        texts = [read(source) for source in task.sources]
        if any(len(source.title) > LONGEST_TITLE for source in task.sources):
            return []
        drafts = _KINDS[task.kind](texts) if all(text.is_english for text in texts) else _foreign(task.kind, texts)
        first = task.sources[0]
        return [
            Pair(
                question=draft.question,
                answer=draft.answer,
                kind=task.kind,
                source=first.document,
                chunk_index=first.index,
                chunks=tuple(source.chunk for source in task.sources),
                accuracy=draft.accuracy,
                style=draft.style,
            )
            for draft in _best(drafts, task.count)
        ]


def _best(drafts: Iterable[_Draft], count: int) -> list[_Draft]:
    """The surest ones in the order of the text, no question and no answer twice."""
    chosen: list[_Draft] = []
    for draft in sorted(drafts, key=lambda draft: -draft.accuracy):
        if len(chosen) < count and all(
            draft.question != other.question and draft.answer != other.answer for other in chosen
        ):
            chosen.append(draft)
    return chosen


def _facts(texts: list[Text]) -> Iterator[_Draft]:
    [text] = texts
    yield from _settings(text)
    yield from _defined(text)
    for statement in text.statements:
        if asking.is_opinion(statement.head):
            continue
        asked = [*asking.from_subject(statement.head, text.whole), *asking.from_author(statement.head)]
        for found in asked[:1]:
            yield _draft(_in_title(found, text), statement, found.grade)
        if not asked:
            yield from _about(statement, text)


def _about(statement: Statement, text: Text) -> Iterator[_Draft]:
    """Questions about what a statement names, or about what it stands below."""
    title = _quoted(text.source.title)
    if name := _name_in(statement, text.source.title):
        yield _draft(_pick(_ABOUT, statement.head).format(x=name, t=title), statement, 8)
    elif _is_below(statement, text):
        yield _draft(_pick(_HEADING, statement.head).format(x=_quoted(statement.heading), t=title), statement, 7)
    elif text.source.index == 0 and statement == text.statements[0]:
        yield _draft(_pick(_LEAD, statement.head).format(t=title), statement, 7)


def _settings(text: Text) -> Iterator[_Draft]:
    """`What is the default of …?` and the like of a table's rows."""
    for row in text.rows:
        columns = list(row.cells)
        if len(columns) < 2 or not row.cells[columns[0]]:
            continue
        key = row.cells[columns[0]]
        if len(key) > 60:
            continue
        where = "" if _is_code(key) else f" in {_quoted(text.source.title)}"
        meaning = row.cells[columns[-1]]
        if len(meaning.split()) >= 4 and columns[-1] in (
            "meaning",
            "description",
            "what",
            "what it does",
            "purpose",
            "does",
        ):
            yield _Draft(f"What does {key} mean{where}?", meaning, 8, 7)
        if "default" in columns and row.cells.get("default") and len(columns) > 2:
            yield _Draft(f"What is the default of {key}{where}?", " — ".join(row.cells.values()), 9, 6)


def _defined(text: Text) -> Iterator[_Draft]:
    """List items of the form `name: what it is`."""
    for block in text.blocks:
        if block.kind != "item":
            continue
        found = re.fullmatch(r"(?P<key>`[^`]+`|[A-Z][\w' /+.-]{1,40}?)(?:\s*:|\s+[-–—])\s+(?P<says>.+)", block.text)
        if found and len(found["says"].split()) >= 5 and not _POINTS_ON.search(block.text):
            where = f" in {_quoted(text.source.title)}"
            yield _Draft(f"What do you say about {_named_key(found['key'])}{where}?", block.text, 8, 7)


_POINTS_ON = re.compile(r"\b(?:below|above|following)\b|:$", re.IGNORECASE)


def _how_tos(texts: list[Text]) -> Iterator[_Draft]:
    [text] = texts
    for position, block in enumerate(text.blocks):
        if block.kind != "paragraph":
            continue
        found = sentences(block.text)
        for number, sentence in enumerate(found):
            is_last = number == len(found) - 1
            steps = _following(text.blocks, position) if is_last and sentence.endswith(":") else ""
            asked = asking.way(sentence) or (
                asking.order(sentence, IMPERATIVES) if steps or "`" in sentence or " by " in sentence else None
            )
            if not asked or points_back(sentence):
                continue
            if sentence.endswith(":") and not steps:
                continue
            if not steps and not is_whole(sentence):
                continue
            answer = f"{sentence}\n\n{steps}" if steps else _with_followers(found, number)
            yield _Draft(_in_title(asked, text), answer, asked.grade, 8)
    yield from _by_heading(text)
    yield from _in_steps(text)
    for statement in text.statements:
        if asking.is_imperative(statement.head, IMPERATIVES) and _is_code(name := _name_in(statement, "")):
            yield _draft(f"According to {_quoted(text.source.title)}, what should I do with {name}?", statement, 7)


def _in_steps(text: Text) -> Iterator[_Draft]:
    """A numbered list below its heading."""
    for position, block in enumerate(text.blocks):
        is_first = block.kind == "step" and (position == 0 or text.blocks[position - 1].kind != "step")
        if is_first and (steps := _list(text.blocks[position:])):
            title = _quoted(text.source.title)
            where = f"for {_quoted(block.heading)} in {title}" if _tells(block.heading, text) else f"in {title}"
            yield _Draft(f"What are the steps {where}?", steps, 8, 7)


def _with_followers(found: list[str], number: int) -> str:
    answer = [found[number]]
    for following in found[number + 1 : number + 3]:
        if not leans(following) or not is_whole(following):
            break
        answer.append(following)
    return " ".join(answer)


def _by_heading(text: Text) -> Iterator[_Draft]:
    """What a section tells whose heading says what is done in it."""
    headings = dict.fromkeys(block.heading for block in text.blocks)
    for heading in headings:
        title = text.source.title
        own = [block for block in text.blocks if block.heading == heading]
        asked = question(heading or title, text.whole)
        if (
            not asked.startswith("How do I ")
            or (not heading and text.source.index)
            or re.search(r"\b(?:it|this|that)\b", asked)
        ):
            continue
        # `Waiting time` is no deed.
        if re.fullmatch(r"\w+ing [a-z]+[^\Ws]", heading or title):
            continue
        answer = _instructions(own)
        if not answer:
            continue
        if heading and heading.casefold() != title.casefold():
            asked = f"In {_quoted(title)}, {asked[0].lower()}{asked[1:]}"
        yield _Draft(asked, answer, 8, 7)


def _instructions(blocks: list[Block]) -> str:
    """The first sentences and steps that tell what to do; "" when the blocks begin otherwise."""
    told: list[str] = []
    for position, block in enumerate(blocks):
        length = sum(map(len, told))
        if block.kind == "paragraph":
            found = sentences(block.text)
            good = []
            for sentence in found:
                if sentence.endswith(":") and sentence is found[-1] and _following(blocks, position):
                    good.append(sentence)
                elif not is_whole(sentence) or (leans(sentence) and not good and not told):
                    break
                else:
                    good.append(sentence)
            if not good or length + len(" ".join(good)) > LONGEST_STEPS / 2:
                break
            told.append(" ".join(good))
            if len(good) < len(found):
                break
            if good[-1].endswith(":"):
                told.append(_following(blocks, position))
                break
        elif block.kind == "step" and not told:
            told.append(_list(blocks[position:]))
            break
        else:
            break
        if len(told) == 2:
            break
    answer = "\n\n".join(filter(None, told))
    is_told = any(
        asking.is_imperative(sentence, IMPERATIVES)
        or re.search(r"\byou (?:can|need|should|must|have to)\b|`", sentence)
        for sentence in sentences(answer)
    )
    return answer if is_told and len(answer) >= 40 else ""


def _following(blocks: list[Block], position: int) -> str:
    """The code or the list that the block at `position` introduces; "" when it is too long."""
    if position + 1 >= len(blocks):
        return ""
    following = blocks[position + 1]
    if following.kind == "code":
        return following.text if len(following.text) <= LONGEST_STEPS / 2 else ""
    return _list(blocks[position + 1 :]) if following.kind in ("item", "step") else ""


def _list(blocks: list[Block]) -> str:
    lines: list[str] = []
    kind = blocks[0].kind
    for block in blocks:
        if block.kind != kind:
            if block.kind in ("item", "step"):
                return ""
            break
        lines.append(f"{len(lines) + 1}. {block.text}" if kind == "step" else f"- {block.text}")
    text = "\n".join(lines)
    is_fit = 2 <= len(lines) <= MOST_ITEMS and len(text) <= LONGEST_STEPS and not lines[-1].endswith(":")
    return text if is_fit else ""


def _voices(texts: list[Text]) -> Iterator[_Draft]:
    [text] = texts
    title = _quoted(text.source.title)
    for statement in text.statements:
        felt = asking.is_opinion(statement.head)
        if not felt and not asking.judges(statement.head):
            continue
        asked = next(asking.from_opinion(statement.head, text.whole, _number(statement.head)), None)
        if asked:
            yield _draft(_in_title(asked, text), statement, asked.grade)
        elif not felt:
            continue
        elif name := _name_in(statement, text.source.title):
            yield _draft(_pick(_VIEWS, statement.head).format(x=name, t=title), statement, 8)
        elif _is_below(statement, text):
            yield _draft(_pick(_VIEWS, statement.head).format(x=_quoted(statement.heading), t=title), statement, 7)
        else:
            yield _draft(_pick(_OWN_VIEW, statement.head).format(t=title), statement, 7)


def _syntheses(texts: list[Text]) -> Iterator[_Draft]:
    """The leading statements of several parts, under a question that names each."""
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
        asked = f"What do you say in {_quoted(titles[0])}, and what in {_quoted(titles[1])}?"
        if all(text.source.index == 0 for text, _ in parts):
            yield _Draft(asked, answer, 7, style)
        return
    title = _quoted(titles[0])
    topics = [_topic_of(statement, text) for text, statement in parts]
    if all(topics) and len(set(topics)) == len(topics):
        yield _Draft(f"In {title}, what do you say about {_enumerated(topics)}?", answer, 8, style)
    elif parts[0][0].source.index == 0 and _opens(parts[0][1], parts[0][0]):
        yield _Draft(
            _pick(
                ("What are the main points of {t}?", "Can you sum up how {t} goes?", "What is {t} about, in short?"),
                answer,
            ).format(t=title),
            answer,
            7,
            style,
        )


def _topic_of(statement: Statement, text: Text) -> str:
    if _is_below(statement, text):
        return _quoted(statement.heading)
    return _name_in(statement, text.source.title)


def _refusals(texts: list[Text]) -> Iterator[_Draft]:
    [text] = texts
    if _number(text.source.text) % 5 >= REFUSED_OF_FIVE:
        return
    names = [name for statement in text.statements if (name := _name_in(statement, text.source.title))]
    for asked in refusal_questions(_quoted(text.source.title), names, text):
        yield _Draft(asked, NOT_IN_NOTES, 8, 10)


def _foreign(kind: PairKind, texts: list[Text]) -> Iterator[_Draft]:
    """Only the title and the heading, in quotation marks: the grammar of the other languages is not known here."""
    if kind != "fact":
        return
    [text] = texts
    for statement in text.statements:
        if asked := ask_about(text.source.title, statement.heading, text.whole):
            yield _Draft(asked, statement.text, 7, 8)


_KINDS: dict[PairKind, Callable[[list[Text]], Iterator[_Draft]]] = {
    "fact": _facts,
    "how-to": _how_tos,
    "voice": _voices,
    "synthesis": _syntheses,
    "refusal": _refusals,
}


def _draft(asked: str, statement: Statement, accuracy: int) -> _Draft:
    return _Draft(asked, statement.text, accuracy, 9 if asking.speaks_of_author(statement.text) else 8)


def _in_title(asked: asking.Asked, text: Text) -> str:
    """A question that stands alone: with the title, unless it names a thing that is known without it."""
    if asked.alone:
        return asked.question[0].upper() + asked.question[1:]
    title = _quoted(text.source.title)
    if asked.question.startswith("how do I"):
        return f"According to {title}, {asked.question}"
    return f"In {title}, {asked.question}"


def _name_in(statement: Statement, title: str) -> str:
    """What the statement's first sentence names first, other than the title's words."""
    head = statement.head
    marked = [
        name
        for name in statement.names
        if len(name.split()) <= 4 and re.match(r"[A-Z`]", name) and name[-1] not in ".:!?"
    ]
    found = sorted({*marked, *named(head)}, key=lambda name: (head.index(name), -len(name), name))
    known = stems_with_parts(title)
    for name in found:
        if not stems_with_parts(name) <= known and head.index(name) <= 0.6 * len(head):
            return name
    return ""


def _tells(heading: str, text: Text) -> bool:
    return (
        bool(heading) and not _EMPTY_HEADINGS.fullmatch(heading) and heading.casefold() != text.source.title.casefold()
    )


def _is_below(statement: Statement, text: Text) -> bool:
    """Whether it speaks of what its heading says: it opens the section, or shares a word. A page's last words do not."""
    if not _tells(statement.heading, text):
        return False
    is_first = statement.paragraph == 0
    return is_first or bool(set(content_stems(statement.heading)) & stems_with_parts(statement.text))


def _opens(statement: Statement, text: Text) -> bool:
    """Whether it can stand for its document: it is the first sentence, or names what the title names."""
    first = next((block.text for block in text.blocks if block.kind == "paragraph"), "")
    return first.startswith(statement.head) or bool(
        set(content_stems(text.source.title)) & stems_with_parts(statement.head)
    )


def _quoted(words: str) -> str:
    return f"“{' '.join(words.split()).replace('“', '‘').replace('”', '’')}”"


def _named_key(key: str) -> str:
    return key if _is_code(key) else _quoted(key)


def _is_code(words: str) -> bool:
    return words.startswith("`")


def _enumerated(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _pick(frames: tuple[str, ...], said: str) -> str:
    return frames[_number(said) % len(frames)]


def _number(said: str) -> int:
    return zlib.crc32(said.encode())
