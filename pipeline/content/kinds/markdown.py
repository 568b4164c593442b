"""A plain folder of Markdown."""

from pipeline.content.converting import MARKDOWN as SUFFIXES
from pipeline.content.converting import UNREAD, VAULT
from pipeline.content.kinds.kind import ContentKind


class Markdown(ContentKind):
    suffixes = (*SUFFIXES, *VAULT, *UNREAD)


MARKDOWN = Markdown()
