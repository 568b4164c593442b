"""Renders a document's Markdown as safe HTML."""

from collections.abc import Callable
from dataclasses import dataclass

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipeline.content.slugs import Slugger, own_anchor, plain_text

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_ATTRIBUTES = {
    **{heading: {"id"} for heading in _HEADINGS},
    "a": {"href", "title"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
}
_TAGS = (
    *_HEADINGS,
    *("a", "abbr", "b", "blockquote", "br", "code", "del", "details", "div", "em", "hr", "i", "img", "ins", "kbd"),
    *("li", "mark", "ol", "p", "pre", "q", "s", "samp", "small", "span", "strong", "sub", "summary", "sup"),
    *("table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul", "var"),
)
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer",
)

Link = Callable[[str], str | None]
"""Takes a link's address in the document and returns its address on the site. None removes the link and keeps its text."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading of a rendered document."""

    level: int
    """From 1 to 6."""
    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Rendered:
    """A document as safe HTML, with its headings in order."""

    html: str
    headings: tuple[Heading, ...]


def render(text: str, *, title: str = "", link: Link = lambda address: address) -> Rendered:
    """`text` as sanitised HTML. Headings get the anchors to which citations link.

    A first heading of level 1 that repeats `title` is left out, because the page shows the title.
    """
    tokens = _PARSER.parse(text)
    slugger = Slugger()
    headings: list[Heading] = []
    repeated: int | None = None
    for at, token in enumerate(tokens):
        if token.type == "heading_open":
            content, anchor = own_anchor(tokens[at + 1].content)
            if anchor:
                tokens[at + 1].children = _PARSER.parseInline(content)[0].children
            words = plain_text(content)
            heading = Heading(int(token.tag[1]), anchor or slugger.slug(words), words)
            if not headings and heading.level == 1 and words == title and token.level == 0:
                repeated = at
            headings.append(heading)
            token.attrSet("id", heading.anchor)
        elif token.type == "inline":
            token.children = _linked(token.children or [], link)
    if repeated is not None:
        del tokens[repeated : repeated + 3]
        headings = headings[1:]
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    # A block that scrolls sideways must be reachable by keyboard.
    return Rendered(_CLEANER.clean(html).replace("<pre>", '<pre tabindex="0">'), tuple(headings))


def _linked(children: list[Token], link: Link) -> list[Token]:
    kept = []
    dropped: list[bool] = []
    for token in children:
        if token.type == "link_open":
            target = link(str(token.attrGet("href") or ""))
            dropped.append(target is None)
            if target is None:
                continue
            token.attrSet("href", target)
        elif token.type == "link_close" and dropped.pop():
            continue
        kept.append(token)
    return kept
