"""The headings, sections and blocks of a text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.content.slugs import Slugger, own_anchor, plain_text

# clean text holds no HTML any more; what looks like it is a reader's `a < b`
_BLOCKS = MarkdownIt("commonmark").enable("table").disable(["inline", "html_block"])

# what is longer is a paragraph that a line of = or - below it turned into a heading by accident
_LONGEST_HEADING = 200

_ADDRESS = re.compile(r"^[ \t]*\[[^\[\]\n]+\]:[ \t]*\S+[ \t]*(?:\"[^\"\n]*\"[ \t]*)?$", re.MULTILINE)
_LISTS = ("bullet_list_open", "ordered_list_open")
_CODE = ("fence", "code_block")


@dataclass(slots=True)
class SectionPiece:
    """Lines that belong together: a paragraph, an item of a list, a code block."""

    text: str
    kind: str
    """markdown-it's name of the block: paragraph, list_item, fence, code_block, table, blockquote."""
    whole: bool
    """Whether it is code or a table, or holds code."""
    start: int
    """Where it stands in the document's text, in characters."""
    end: int
    gap: str = "\n\n"
    """What stands between it and the piece before it."""


@dataclass(slots=True)
class Section:
    """A heading and what stands below it, up to the next heading."""

    headings: tuple[str, ...]
    anchor: str
    span: tuple[int, int] = (0, 0)
    """From where to where its heading stands in the document's text, in characters."""
    heading: str = ""
    """Its own heading's words; empty above the first."""
    pieces: list[SectionPiece] = field(default_factory=list)

    def is_above(self, other: "Section") -> bool:
        """Whether `other` is a subsection of this section, at any depth."""
        depth = len(self.headings)
        return len(other.headings) > depth and other.headings[:depth] == self.headings


def first_heading(text: str, *, opening: bool = False) -> str:
    """The words of the first heading of `text`, "" for none; `opening`: only one of level 1 that the text begins with."""
    tokens = _BLOCKS.parse(text)
    if opening and (not tokens or tokens[0].tag != "h1"):
        return ""
    return next((words for _, _, words, _ in _headings(tokens) if words), "")


def _headings(tokens: list[Token]) -> Iterator[tuple[Token, int, str, str]]:
    """Each heading's opening token, its level, its words and the anchor that its author gave it, "" for none."""
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and len(inline.content) <= _LONGEST_HEADING:
            heading, anchor = own_anchor(inline.content)
            yield token, int(token.tag[1]), plain_text(heading), anchor


def parse_sections(text: str, title: str) -> list[Section]:
    """The sections of `text` in order; a rule above the first heading parts two. The first heading is left out of the paths when it only repeats `title`."""
    lines = text.split("\n")
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    tokens = _BLOCKS.parse(text)
    slugger = Slugger()
    # headings in quotes and lists begin no section, but they count when slugs repeat
    headings = {
        id(token): (level, words, anchor or slugger.slug(words)) for token, level, words, anchor in _headings(tokens)
    }
    sections = [Section((), "")]
    path: list[tuple[int, str]] = []
    done = 0
    for token, kind, whole in _blocks(tokens):
        start, end = token.map or (done, done)
        _add_unclaimed(sections[-1], lines[done:start], starts[done])
        if found := headings.get(id(token)):
            level, words, anchor = found
            path = [above for above in path if above[0] < level]
            is_title = not any(section.heading for section in sections) and words.casefold() == title.casefold()
            path.append((level, "" if is_title else words))
            above = tuple(words for _, words in path if words)
            sections.append(Section(above, "" if is_title else anchor, (starts[start], starts[end] - 1), words))
        elif kind == "hr":
            if sections[-1].pieces and not sections[-1].heading:
                sections.append(Section((), ""))
        else:
            pieces = sections[-1].pieces
            is_tight = kind == "list_item" and start == done and bool(lines[start - 1].strip())
            gap = "\n" if is_tight and pieces and pieces[-1].kind == kind else "\n\n"
            pieces.append(_piece(lines[start:end], starts[start], kind, whole, gap))
        done = end
    _add_unclaimed(sections[-1], lines[done:], starts[done])
    for section in sections:
        if not any(without_addresses(piece.text).strip() for piece in section.pieces):
            section.pieces = []
    return sections


def without_addresses(text: str) -> str:
    """`text` without the lines that say where its links lead, such as `[docs]: https://example.org`."""
    return _ADDRESS.sub("", text)


def _piece(lines: list[str], start: int, kind: str, whole: bool, gap: str = "\n\n") -> SectionPiece:
    """A piece of whole lines, of which the first stands at `start`."""
    text = "\n".join(lines)
    start += len(text) - len(text.lstrip("\n"))
    text = text.strip("\n")
    return SectionPiece(text, kind, whole, start, start + len(text), gap)


def _add_unclaimed(section: Section, lines: list[str], start: int) -> None:
    """Keep lines that are no block, such as the addresses of links."""
    if any(line.strip() for line in lines):
        section.pieces.append(_piece(lines, start, "paragraph", whole=False))


def _blocks(tokens: list[Token]) -> Iterator[tuple[Token, str, bool]]:
    """The outermost blocks, but the items of a list each for itself: the token, its kind, and whether it stays whole."""
    for index, token in enumerate(tokens):
        is_item = token.type == "list_item_open" and token.level == 1
        if token.map and (is_item or (token.level == 0 and token.type not in _LISTS)):
            kind = token.type.removesuffix("_open")
            yield token, kind, kind in (*_CODE, "table") or (token.nesting == 1 and _holds_code(tokens, index))


def _holds_code(tokens: list[Token], start: int) -> bool:
    for index in range(start + 1, len(tokens)):
        if tokens[index].level <= tokens[start].level:
            return False
        if tokens[index].type in _CODE:
            return True
    return False
