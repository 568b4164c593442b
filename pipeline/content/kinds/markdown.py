"""A plain folder of Markdown."""

import re

from pipeline.content.converting import MARKDOWN as SUFFIXES
from pipeline.content.converting import UNREAD, VAULT
from pipeline.content.kinds.kind import ContentKind

_BLOCK = re.compile(r"^([ \t]*)\{%(?:[^%\n]|%(?!\}))*%\}[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"\b(?:title|summary|label)=\"([^\"]*)\"")


class Markdown(ContentKind):
    suffixes = (*SUFFIXES, *VAULT, *UNREAD)

    def drop_comments(self, text: str) -> str:
        return _BLOCK.sub(_title, super().drop_comments(text))


def _title(block: re.Match[str]) -> str:
    """Of a block of GitBook's or Markdoc's, such as `{% tab title="Linux" %}`, what it is called."""
    title = _TITLE.search(block[0])
    return f"{block[1]}**{title[1]}**\n" if title and title[1].strip() else ""


MARKDOWN = Markdown()
