"""Documents to chunks, by the chunker that the settings name."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable

from pipeline import parts
from pipeline.content.chunkers.placing import Chunker, Embed
from pipeline.content.chunkers.structure import structured
from pipeline.content.documents import Chunk, Document
from pipeline.content.packing import Cut
from pipeline.content.structure import Section, parse_sections, without_addresses
from pipeline.settings import IndexSettings

_WORD = re.compile(r"\w")


def chunker(settings: IndexSettings, embed: Embed) -> Callable[[Document], list[Chunk]]:
    """What cuts a document as `settings` say. `embed` is called by chunkers that go by meaning only."""
    place: Chunker = parts.CHUNKERS.load(settings.chunker)
    return lambda document: _chunks(document, place(document, settings, embed))


def chunk_document(document: Document, max_chars: int) -> list[Chunk]:
    """The chunks of `document` by its structure, each within one section and of at most `max_chars` characters.

    Longer, up to three times, are only code blocks, tables and list items that hold code. All words of the text are
    in a chunk's `text` or `headings`; a text without any makes no chunk.
    """
    return _chunks(document, structured(parse_sections(document.text, document.title), max_chars))


def _chunks(document: Document, placed: Iterable[tuple[Section, Cut]]) -> list[Chunk]:
    counts: Counter[str] = Counter()
    chunks = []
    with_words = ((section, cut) for section, cut in placed if _WORD.search(without_addresses(cut.text)))
    for position, (section, cut) in enumerate(with_words):
        mark = hashlib.sha256("\n".join((*section.headings, "", cut.text)).encode()).hexdigest()[:16]
        id = f"{document.id}#{mark}-{counts[mark]}"
        counts[mark] += 1
        span = (cut.start, cut.end)
        chunks.append(Chunk(id, document.id, position, section.headings, section.anchor, cut.text, span))
    return chunks
