"""Chunks that follow the document's own structure."""

from itertools import pairwise

from pipeline.content.chunkers.placing import Embed, Placed, alone
from pipeline.content.documents import Document
from pipeline.content.packing import pack
from pipeline.content.structure import Section, parse_sections
from pipeline.settings import IndexSettings


def structure(document: Document, settings: IndexSettings, embed: Embed) -> Placed:
    """A section, or as much of it as fits, with code blocks and tables whole."""
    yield from structured(parse_sections(document.text, document.title), settings.chunk_chars)


def structured(sections: list[Section], max_chars: int) -> Placed:
    """As `structure`, of sections; texts of at most `max_chars` characters.

    However short a text above a subsection is, it is a chunk of its own: in the subsection's it would be cited wrongly.
    """
    for section, following in pairwise([*sections, None]):
        assert section is not None
        cuts = pack(section.pieces, max_chars)
        if not cuts and not (following and section.is_above(following)):
            cuts = alone(section)
        yield from ((section, cut) for cut in cuts)
