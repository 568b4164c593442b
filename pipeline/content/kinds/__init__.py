"""What is particular to the program that notes are written for: one file for each kind, and a line in the table of kinds."""

from pipeline.content.kinds.kind import ContentKind
from pipeline.parts import CONTENT_KINDS
from pipeline.settings import ContentSource


def load_kind(source: ContentSource) -> ContentKind:
    """The kind that the settings name for `source`."""
    return CONTENT_KINDS.load(source.kind)  # type: ignore[no-any-return]
