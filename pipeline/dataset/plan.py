"""Documents to the tasks that a teacher gets: which chunks, which kinds of pairs, how many."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

from pipeline.content.documents import Chunk, Document
from pipeline.dataset.records import Source, Task
from pipeline.settings import DatasetSettings, PairKind

AIM = 800
"""Pairs that a data set should have: below it training has too few steps to learn a voice."""
FEWEST, MOST = 3, 10
"""Pairs of one chunk."""
SHORTEST_CHARS = 120
"""A chunk with less text says too little for a question."""
SYNTHESIS_CHARS = 3000
"""Text that a question over several chunks is made from."""
LINKED = 2
"""Linked documents that one document is brought together with, at most."""
REFUSALS_EVERY = 10
"""One pair in so many is a question that the notes do not answer."""
_KINDS: tuple[PairKind, ...] = ("fact", "voice", "how-to", "fact", "voice", "fact")
"""Of one chunk's pairs, in turn."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ROW = re.compile(r"^\s*\|.*$", re.MULTILINE)
_TELLS_HOW = re.compile(
    r"`|^\s*\d+[.)]\s|\b(?:you|your|how to|steps?|first)\b|\b(?:To|Use|Run|Set|Open|Click|Add|Put) ", re.MULTILINE
)
_ENGLISH = re.compile(r"\b(?:the|and|of|is)\b")

Cut = Callable[[Document], list[Chunk]]


def sources_of(document: Document, cut: Cut) -> list[Source]:
    """The chunks of `document`, all of them."""
    return [
        Source(
            chunk.id, document.id, chunk.position, document.title, " > ".join(chunk.headings), chunk.text,
            document.visibility,
        )
        for chunk in cut(document)
    ]  # fmt: skip


def plan(documents: Sequence[Document], cut: Cut, settings: DatasetSettings, persona: str = "") -> list[Task]:
    """Every task for `documents`, in their order. An edit changes the tasks of the chunks that it changes."""
    told = {document.id: list(filter(says_something, sources_of(document, cut))) for document in documents}
    count = settings.pairs_per_chunk or pairs_per_chunk(sum(map(len, told.values())))
    linked = links(documents)
    tasks: list[Task] = []
    for document in documents:
        own = told[document.id]
        tasks += _tasks_of_document(own, count, settings, persona)
        if "synthesis" in settings.kinds:
            for other in linked[document.id][:LINKED]:
                if own and told[other]:
                    tasks.append(Task("synthesis", 1, (own[0], told[other][0]), persona))
    return tasks


def plan_chunks(sources: Sequence[Source], settings: DatasetSettings, persona: str = "") -> list[Task]:
    """The tasks for some chunks, neighbours together, by themselves: without those over linked documents."""
    told = list(filter(says_something, sources))
    count = settings.pairs_per_chunk or pairs_per_chunk(len(told))
    documents = dict.fromkeys(source.document for source in told)
    return [
        task
        for id in documents
        for task in _tasks_of_document([s for s in told if s.document == id], count, settings, persona)
    ]


def says_something(source: Source) -> bool:
    """Whether it holds words enough; code and tables of numbers alone are not the author's words."""
    told = [row for row in _ROW.findall(source.text) if any(len(cell.split()) > 3 for cell in row.split("|"))]
    return len(_prose(source.text)) + sum(map(len, told)) >= SHORTEST_CHARS


def pairs_per_chunk(chunks: int) -> int:
    """More for a small corpus: as many as reach AIM, from FEWEST to MOST."""
    return min(MOST, max(FEWEST, -(-AIM // max(1, chunks))))


def links(documents: Sequence[Document]) -> dict[str, list[str]]:
    """Ids of the documents that each one links to by address or names by title, by its id, in their order."""
    by_title = {document.title.casefold(): document.id for document in documents if _is_name(document.title)}
    by_url = {document.url.rstrip("/"): document.id for document in documents if document.url}
    named = re.compile(
        "|".join(rf"(?<!\w){re.escape(title)}(?!\w)" for title in sorted(by_title, key=len, reverse=True))
    )
    found: dict[str, list[str]] = {}
    for document in documents:
        targets = [by_url.get(url.split("#")[0].rstrip("/")) for url in re.findall(r"\]\(([^)\s]+)", document.text)]
        if by_title:
            targets += [by_title[title] for title in named.findall(document.text.casefold())]
        found[document.id] = [id for id in dict.fromkeys(targets) if id and id != document.id]
    return found


def _tasks_of_document(own: Sequence[Source], count: int, settings: DatasetSettings, persona: str) -> Iterator[Task]:
    for source in own:
        yield from _tasks_of_chunk(source, count, settings, persona)
    if "synthesis" in settings.kinds:
        yield from (Task("synthesis", 1, group, persona) for group in _neighbours(own))
    if "refusal" in settings.kinds:
        wanted = -(-len(own) * count // REFUSALS_EVERY)
        yield from (Task("refusal", 1, (source,), persona) for source in sorted(own, key=_mark)[:wanted])


def _tasks_of_chunk(source: Source, count: int, settings: DatasetSettings, persona: str) -> Iterator[Task]:
    kinds = [kind for kind in _KINDS if kind in settings.kinds and _may_give(kind, source.text)]
    for kind, number in Counter(islice(cycle(kinds), count) if kinds else ()).items():
        yield Task(kind, number, (source,), persona)


def _neighbours(sources: Sequence[Source]) -> Iterator[tuple[Source, ...]]:
    """Runs of two chunks and more, as long as SYNTHESIS_CHARS allow.

    Where a run ends is said by its last chunk's own words, so an edit changes the runs next to it and no others.
    """
    run: list[Source] = []
    for source in sources:
        if run and sum(len(other.text) for other in run) + len(source.text) > SYNTHESIS_CHARS:
            if len(run) > 1:
                yield tuple(run)
            run = []
        run.append(source)
        if len(run) > 1 and zlib.crc32(_mark(source).encode()) % 2:
            yield tuple(run)
            run = []
    if len(run) > 1:
        yield tuple(run)


def _may_give(kind: PairKind, text: str) -> bool:
    """Whether it is worth asking: a table has no voice, and only some texts tell how something is done."""
    if kind == "fact":
        return True
    if len(_prose(text)) < SHORTEST_CHARS:
        return False
    return kind != "how-to" or bool(_TELLS_HOW.search(text)) or not _ENGLISH.search(text)


def _prose(text: str) -> str:
    return " ".join(_ROW.sub(" ", _CODE.sub(" ", text)).split())


def _mark(source: Source) -> str:
    """An order by what the chunks say, so that a new chunk leaves the others' places alone."""
    return source.chunk.rpartition("#")[2]


def _is_name(title: str) -> bool:
    """Whether a text that holds the title speaks of that document: `Notes` stands anywhere."""
    return len(title.split()) > 1
