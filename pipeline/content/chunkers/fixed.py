"""Chunks of much the same length, whatever they hold."""

from bisect import bisect_right

from semantic_text_splitter import TextSplitter

from pipeline.content.chunkers.placing import Embed, Placed
from pipeline.content.documents import Document
from pipeline.content.packing import Cut
from pipeline.content.structure import parse_sections
from pipeline.settings import IndexSettings


def fixed(document: Document, settings: IndexSettings, embed: Embed) -> Placed:
    """Texts of much the same length whatever they hold, with up to `chunk_overlap` characters of the one before; each
    belongs to the section that it begins in."""
    max_chars, overlap = settings.chunk_chars, settings.chunk_overlap
    sections = parse_sections(document.text, document.title)
    starts = [section.span[0] for section in sections]
    splitter = TextSplitter(max_chars, overlap=min(overlap, max_chars - 1))
    for start, text in splitter.chunk_indices(document.text):
        yield sections[bisect_right(starts, start) - 1], Cut(text, start, start + len(text))
