"""Chunks that follow the document's own structure."""

from itertools import pairwise

from pipeline.content.chunkers.placing import Embed, Placed, alone
from pipeline.content.documents import Document
from pipeline.content.packing import SHORT, Cut, pack
from pipeline.content.structure import Section, parse_sections
from pipeline.settings import IndexSettings


def structure(document: Document, settings: IndexSettings, embed: Embed) -> Placed:
    """A section, or as much of it as fits, with code blocks and tables whole."""
    yield from structured(parse_sections(document.text, document.title), settings.chunk_chars)


def structured(sections: list[Section], max_chars: int) -> Placed:
    """As `structure`, of sections; texts of at most `max_chars` characters."""
    intro: tuple[Section, Cut] | None = None
    for section, following in pairwise([*sections, None]):
        assert section is not None
        cuts = pack(section.pieces, max_chars)
        is_above = following is not None and section.is_above(following)
        if not cuts and not is_above:
            cuts = alone(section)
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
