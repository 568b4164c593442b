"""Plans a teacher's tasks for documents: which chunks, which kinds of pairs, how many."""

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle, islice

from pipeline.content.documents import Chunk, Document
from pipeline.dataset.records import PairSource, Task
from pipeline.settings import DatasetSettings, PairKind

AIM = 800
"""Pairs that a data set should have. With fewer, training has too few steps to learn a voice."""
FEWEST, MOST = 3, 10
"""Fewest and most pairs of one chunk."""
SHORTEST_CHARS = 120
"""A chunk with less text says too little for a question."""
SYNTHESIS_CHARS = 3000
"""Most characters of text for a question over several chunks."""
LINKED = 2
"""Most linked documents that one document is combined with."""
REFUSALS_EVERY = 10
"""One pair in so many is a question that the notes do not answer."""
_KINDS: tuple[PairKind, ...] = ("fact", "voice", "how-to", "fact", "voice", "fact")
"""The kinds of one chunk's pairs, in turn."""

_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_ROW = re.compile(r"^\s*\|.*$", re.MULTILINE)
_TELLS_HOW = re.compile(
    r"`|^\s*\d+[.)]\s|\b(?:you|your|how to|steps?|first)\b|\b(?:To|Use|Run|Set|Open|Click|Add|Put) ", re.MULTILINE
)
_ENGLISH = re.compile(r"\b(?:the|and|of|is)\b")

Cut = Callable[[Document], list[Chunk]]


def sources_of(document: Document, cut: Cut) -> list[PairSource]:
    """All chunks of `document` as sources."""
    return [
        PairSource(
            chunk.id, document.id, chunk.position, document.title, " > ".join(chunk.headings), chunk.text,
            document.visibility,
        )
        for chunk in cut(document)
    ]  # fmt: skip


def plan(documents: Sequence[Document], cut: Cut, settings: DatasetSettings, persona: str = "") -> list[Task]:
    """The tasks for `documents`, in their order. An edit of a note changes only the tasks of the edited chunks.

    Args:
        cut: returns a document's chunks.
        persona: how the answers are to sound.
    """
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


def plan_chunks(sources: Sequence[PairSource], settings: DatasetSettings, persona: str = "") -> list[Task]:
    """The tasks for some chunks alone, including those over neighbours, without those over linked documents."""
    told = list(filter(says_something, sources))
    count = settings.pairs_per_chunk or pairs_per_chunk(len(told))
    documents = dict.fromkeys(source.document for source in told)
    return [
        task
        for id in documents
        for task in _tasks_of_document([s for s in told if s.document == id], count, settings, persona)
    ]


def says_something(source: PairSource) -> bool:
    """Whether a source has enough words for a question. Code and tables of numbers don't count."""
    told = [row for row in _ROW.findall(source.text) if any(len(cell.split()) > 3 for cell in row.split("|"))]
    return len(_prose(source.text)) + sum(map(len, told)) >= SHORTEST_CHARS


def pairs_per_chunk(chunks: int) -> int:
    """Pairs to ask for per chunk: enough to reach AIM, from FEWEST to MOST."""
    return min(MOST, max(FEWEST, -(-AIM // max(1, chunks))))


def links(documents: Sequence[Document]) -> dict[str, list[str]]:
    """For each document's id, the ids of the documents that it links to or names by title: links first, in order."""
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


def _tasks_of_document(
    own: Sequence[PairSource], count: int, settings: DatasetSettings, persona: str
) -> Iterator[Task]:
    for source in own:
        yield from _tasks_of_chunk(source, count, settings, persona)
    if "synthesis" in settings.kinds:
        yield from (Task("synthesis", 1, group, persona) for group in _neighbours(own))
    if "refusal" in settings.kinds:
        wanted = -(-len(own) * count // REFUSALS_EVERY)
        yield from (Task("refusal", 1, (source,), persona) for source in sorted(own, key=_mark)[:wanted])


def _tasks_of_chunk(source: PairSource, count: int, settings: DatasetSettings, persona: str) -> Iterator[Task]:
    kinds = [kind for kind in _KINDS if kind in settings.kinds and _may_give(kind, source.text)]
    for kind, number in Counter(islice(cycle(kinds), count) if kinds else ()).items():
        yield Task(kind, number, (source,), persona)


def _neighbours(sources: Sequence[PairSource]) -> Iterator[tuple[PairSource, ...]]:
    """Yields runs of two or more neighbouring chunks, of at most SYNTHESIS_CHARS.

    The words of its last chunk decide where a run ends, so an edit changes only the runs next to it.
    """
    run: list[PairSource] = []
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
    """Whether a text may give pairs of `kind`: a table has no voice, and only some texts tell how something is done."""
    if kind == "fact":
        return True
    if len(_prose(text)) < SHORTEST_CHARS:
        return False
    return kind != "how-to" or bool(_TELLS_HOW.search(text)) or not _ENGLISH.search(text)


def _prose(text: str) -> str:
    return " ".join(_ROW.sub(" ", _CODE.sub(" ", text)).split())


def _mark(source: PairSource) -> str:
    """A sort key from the chunk's content, so that a new chunk does not change the order of the others."""
    return source.chunk.rpartition("#")[2]


def _is_name(title: str) -> bool:
    """Whether a title in a text refers to its document. A single word such as `Notes` may stand anywhere."""
    return len(title.split()) > 1
