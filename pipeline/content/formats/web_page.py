"""A page in HTML as Markdown: what its readers see, without navigation, scripts and forms."""

import re
from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from typing import Any

from pipeline.content.converting import decode
from pipeline.content.mending import FrontMatter, read_front_matter

_UNSHOWN = {"script", "style", "template", "noscript", "svg", "nav", "form", "button", "select", "iframe"}
_BLOCKS = set(
    "address article aside blockquote body center dd details div dl dt fieldset figcaption figure footer header hgroup hr"
    " html legend main ol p section summary table tbody tfoot thead ul".split()
)
_VOID = set("area base br col embed hr img input link meta param source track wbr".split())
"""Elements without an end."""
_UNDISPLAYED = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)")
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "kbd": "`"}
_EMPTY = re.compile(r"(\*\*?|`)(\s*)\1")
"""A mark with nothing inside."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.title = ""
        self.meta: dict[str, str] = {}
        self.blocks: list[str] = []
        self._line = ""
        self._start = ""
        """What the next block begins with: the mark of a heading or an item."""
        self._hidden: list[str] = []
        """What is open of elements that readers do not see, and of those inside that end alike."""
        self._in_title = False
        self._lists: list[int] = []
        """Of each list around, the number of its last item; -1 where items have none."""
        self._row: list[str] | None = None
        self._rows = 0
        self._code: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.meta[said.get("name", said.get("property", "")).lower()] = said.get("content", "")
        self._in_title = self._in_title or (tag == "title" and not self.title and not self._hidden)
        is_unseen = tag in _UNSHOWN or _is_hidden(said)
        if tag not in _VOID and (is_unseen or tag in self._hidden):
            self._hidden.append(tag)
        if self._hidden or is_unseen:
            return
        if tag == "pre":
            self._end_block()
            self._code = ""
        elif self._code is None:
            self._open(tag, said)

    def _open(self, tag: str, said: dict[str, str]) -> None:
        if re.fullmatch("h[1-6]", tag):
            self._end_block()
            self._start = "#" * int(tag[1]) + " "
        elif tag in ("ul", "ol"):
            self._end_block()
            self._lists.append(0 if tag == "ol" else -1)
        elif tag == "li":
            self._end_block()
            if self._lists and self._lists[-1] >= 0:
                self._lists[-1] += 1
            mark = f"{self._lists[-1]}. " if self._lists and self._lists[-1] >= 0 else "- "
            self._start = "    " * max(len(self._lists) - 1, 0) + mark
        elif tag == "tr":
            self._end_block()
            self._row = []
        elif tag == "table":
            self._end_block()
            self._rows = 0
        elif tag == "br":
            self._line += "\n"
        elif tag == "img":
            self._line += said.get("alt", "")
        elif tag in _MARKS:
            self._line += _MARKS[tag]
        elif tag in _BLOCKS and self._row is None:
            self._end_block()

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        if tag in self._hidden:
            while self._hidden.pop() != tag:
                pass
        elif self._hidden:
            return
        elif tag == "pre" and self._code is not None:
            self.blocks.append(f"```\n{self._code.strip(chr(10))}\n```" if self._code.strip() else "")
            self._code = None
        elif self._code is not None:
            return
        elif tag in ("td", "th") and self._row is not None:
            self._row.append(" ".join(self._line.split()).replace("|", "\\|"))
            self._line = ""
        elif tag == "tr" and self._row is not None:
            self._end_row(self._row)
        elif tag in _MARKS:
            self._line += _MARKS[tag]
        elif tag in ("ul", "ol") and self._lists:
            self._end_block()
            self._lists.pop()
        elif (tag in _BLOCKS or tag == "li" or re.fullmatch("h[1-6]", tag)) and self._row is None:
            self._end_block()

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not self._hidden and self._code is not None:
            self._code += data
        elif not self._hidden:
            self._line += re.sub(r"\s+", " ", data)

    def _end_row(self, cells: list[str]) -> None:
        if any(cells):
            head = f"\n|{' --- |' * len(cells)}" if not self._rows else ""
            line = f"| {' | '.join(cells)} |{head}"
            if self._rows and self.blocks:
                self.blocks[-1] += f"\n{line}"
            else:
                self.blocks.append(line)
            self._rows += 1
        self._row = None

    def _end_block(self) -> None:
        """What was read since the last block is one, with its mark; the line breaks of a heading are spaces."""
        words = [" ".join(line.split()) for line in _EMPTY.sub(r"\2", self._line).strip().split("\n")]
        indent = " " if self._start.startswith("#") else "\n" + " " * len(self._start)
        if any(words):
            self.blocks.append(self._start + indent.join(words))
            self._start = ""
        self._line = ""


def _is_hidden(said: dict[str, str]) -> bool:
    return "hidden" in said or _UNDISPLAYED.search(said.get("style", "").lower()) is not None


def read(data: bytes) -> FrontMatter:
    """The text of the page `data`; its title, description and front matter, as Hugo and Jekyll have it, are what it says of itself.

    Raises:
        ContentError: it is no text, or its front matter can't be read.
    """
    front = read_front_matter(decode(data))
    page = _Reader()
    # Behind the last `>` no tag is whole. The parser would look for its end from each `<` anew.
    end = front.body.rfind(">") + 1
    page.feed(front.body[:end])
    page.close()
    page.handle_data(unescape(front.body[end:]))
    page.handle_endtag("p")
    values: dict[str, Any] = {
        key: value
        for key, value in (("title", " ".join(page.title.split())), ("description", page.meta.get("description", "")))
        if value
    }
    if "noindex" in page.meta.get("robots", "").lower():
        values["robots"] = "noindex"
    return FrontMatter({**values, **front.values}, _joined(page.blocks), front.fault, front.doubtful)


def _joined(blocks: Iterable[str]) -> str:
    """Blocks as one text; items of a list stand below each other."""
    text = "\n\n".join(block for block in blocks if block.strip())
    return re.sub(r"(?m)^( *(?:-|\d+\.) [^\n]*)\n\n(?= *(?:-|\d+\.) )", r"\1\n", text)
