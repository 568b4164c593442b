"""What shapes a document's chunks beside its text. Apart from the chunkers: an index asks for it before it cuts."""

from pipeline.settings import IndexSettings

VERSION = 3
"""Raised when a chunker cuts otherwise than before, so that an index made by the former is cut again."""


def recipe(settings: IndexSettings, embedder: str) -> str:
    """Names it for the chunker in force; `embedder` as the settings name it."""
    common = f"{settings.chunker}{VERSION} chars={settings.chunk_chars}"
    if settings.chunker == "fixed":
        return f"{common} overlap={settings.chunk_overlap}"
    return f"{common} embedder={embedder}" if settings.chunker == "semantic" else common
