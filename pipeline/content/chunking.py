"""Documents to chunks, by the chunker that the settings name."""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from semantic_text_splitter import TextSplitter

from pipeline.content.documents import Chunk, Document
from pipeline.content.packing import SHORT, Cut, pack
from pipeline.content.semantic import Embed, merge
from pipeline.content.structure import Section, parse_sections
from pipeline.settings import IndexSettings

Placed = Iterator[tuple[Section, Cut]]


def chunker(settings: IndexSettings, embed: Embed) -> Callable[[Document], list[Chunk]]:
    """What cuts a document as `settings` say. `embed` is called by the semantic chunker only."""

    def cut(document: Document) -> list[Chunk]:
        if settings.chunker == "structure":
            return chunk_document(document, settings.chunk_chars)
        if settings.chunker == "fixed":
            return _chunks(document, _fixed(document, settings.chunk_chars, settings.chunk_overlap))
        sections = parse_sections(document.text, document.title)
        return _chunks(document, _semantic(sections, settings.chunk_chars, embed))

    return cut


def chunk_document(document: Document, max_chars: int) -> list[Chunk]:
    """The chunks of `document` by its structure, each within one section and of at most `max_chars` characters.

    Longer, up to three times, are only code blocks, tables and list items that hold code. All words of the text are
    in a chunk's `text` or `headings`; a few words above a first subsection stand in that one's first chunk.
    """
    return _chunks(document, _structured(parse_sections(document.text, document.title), max_chars))


def _chunks(document: Document, placed: Iterable[tuple[Section, Cut]]) -> list[Chunk]:
    counts: Counter[str] = Counter()
    chunks = []
    for position, (section, cut) in enumerate(placed):
        mark = hashlib.sha256("\n".join((*section.headings, "", cut.text)).encode()).hexdigest()[:16]
        id = f"{document.id}#{mark}-{counts[mark]}"
        counts[mark] += 1
        span = (cut.start, cut.end)
        chunks.append(Chunk(id, document.id, position, section.headings, section.anchor, cut.text, span))
    return chunks


def _structured(sections: list[Section], max_chars: int) -> Placed:
    """A section, or as much of it as fits, with code blocks and tables whole."""
    intro: tuple[Section, Cut] | None = None
    for section, following in pairwise([*sections, None]):
        assert section is not None
        cuts = pack(section.pieces, max_chars)
        is_above = following is not None and section.is_above(following)
        if not cuts and not is_above:
            cuts = _alone(section)
        if intro and cuts:
            if len(intro[1].text) + 2 + len(cuts[0].text) <= max_chars:
                cuts[0] = Cut(f"{intro[1].text}\n\n{cuts[0].text}", intro[1].start, cuts[0].end)
            else:
                yield intro
            intro = None
        if is_above and len(cuts) == 1 and len(cuts[0].text) < max_chars * SHORT:
            intro = (section, cuts[0])
        else:
            yield from ((section, cut) for cut in cuts)


def _fixed(document: Document, max_chars: int, overlap: int) -> Placed:
    """Texts of much the same length whatever they hold, with up to `overlap` characters of the one before; each
    belongs to the section that it begins in."""
    sections = parse_sections(document.text, document.title)
    starts = [section.span[0] for section in sections]
    splitter = TextSplitter(max_chars, overlap=min(overlap, max_chars - 1))
    for start, text in splitter.chunk_indices(document.text):
        yield sections[bisect_right(starts, start) - 1], Cut(text, start, start + len(text))


def _semantic(sections: list[Section], max_chars: int, embed: Embed) -> Placed:
    """Neighbouring sentences, list items and blocks of a section, together while they speak of one thing."""
    merged = merge([section.pieces for section in sections], max_chars, embed)
    for section, following, cuts in zip(sections, [*sections[1:], None], merged, strict=True):
        is_above = following is not None and section.is_above(following)
        yield from ((section, cut) for cut in cuts or ([] if is_above else _alone(section)))


def _alone(section: Section) -> list[Cut]:
    """The heading of a section that holds nothing, so that it is found all the same."""
    return [Cut(section.heading, *section.span)] if section.heading else []
