"""A plain folder of Markdown."""

from pipeline.content.kinds.kind import ContentKind

MARKDOWN = ContentKind()
