"""HTML of posts and mails as plain text."""

import re
from html.parser import HTMLParser

_PARAGRAPHS = frozenset("p div h1 h2 h3 h4 h5 h6 ul ol table tr blockquote pre section article hr".split())
_LINES = frozenset("br li".split())
_UNSHOWN = frozenset("script style template title".split())

_MARKED = re.compile(r"<!\[[^>]*>?")
"""Outlook's `<![if !mso]>` and the like, on which HTMLParser stops when they are damaged."""


def plain(html: str) -> str:
    """The words of `html`, paragraphs apart by an empty line; lines of a `<blockquote>` begin with `> `."""
    reader = _Plain()
    reader.feed(_MARKED.sub("", html))
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in "".join(reader.parts).split("\n"))).strip()


class _Plain(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._quotes = 0
        self._unshown = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._quotes += tag == "blockquote"
        self._unshown += tag in _UNSHOWN
        self._break(tag)

    def handle_endtag(self, tag: str) -> None:
        self._quotes = max(0, self._quotes - (tag == "blockquote"))
        self._unshown = max(0, self._unshown - (tag in _UNSHOWN))
        if tag in _PARAGRAPHS:
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.parts.append(re.sub(r"[ \t\r\n\xa0]+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS or tag in _LINES:
            self.parts.append(("\n\n" if tag in _PARAGRAPHS else "\n") + "> " * self._quotes)
