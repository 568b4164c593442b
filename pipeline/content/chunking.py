"""Documents to chunks: a section, or as much of it as fits, with code blocks and tables whole."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from pipeline.content.documents import Chunk, Document
from pipeline.content.packing import SHORT, pack
from pipeline.content.structure import Section, parse_sections


def chunk_document(document: Document, max_chars: int) -> list[Chunk]:
    """The chunks of `document` in its order, each within one section and of at most `max_chars` characters.

    Longer, up to three times, are only code blocks, tables and list items that hold code. All words of the text are
    in a chunk's `text` or `headings`; a few words above a first subsection stand in that one's first chunk.
    """
    counts: Counter[str] = Counter()
    chunks = []
    for position, (section, text) in enumerate(_cut(parse_sections(document.text, document.title), max_chars)):
        mark = hashlib.sha256("\n".join((*section.headings, "", text)).encode()).hexdigest()[:16]
        id = f"{document.id}#{mark}-{counts[mark]}"
        counts[mark] += 1
        chunks.append(Chunk(id, document.id, position, section.headings, section.anchor, text))
    return chunks


def _cut(sections: list[Section], max_chars: int) -> Iterator[tuple[Section, str]]:
    """Each chunk's section and text."""
    intro: tuple[Section, str] | None = None
    for section, following in pairwise([*sections, None]):
        assert section is not None
        texts = pack(section.pieces, max_chars)
        is_above = following is not None and section.is_above(following)
        if not texts and section.heading and not is_above:
            texts = [section.heading]
        if intro and texts:
            if len(intro[1]) + 2 + len(texts[0]) <= max_chars:
                texts[0] = f"{intro[1]}\n\n{texts[0]}"
            else:
                yield intro
            intro = None
        if is_above and len(texts) == 1 and len(texts[0]) < max_chars * SHORT:
            intro = (section, texts[0])
        else:
            yield from ((section, text) for text in texts)
