"""Slugs as GitHub and Astro make them: of headings, and of the parts of an address."""

import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.token import Token

_INLINE = MarkdownIt("commonmark").enable("strikethrough")
# what is longer is no line that someone wrote, and the parser takes long for thousands of brackets
_LONGEST_LINE = 2000

# symbols that Unicode calls alphabetic: circled and squared Latin letters
_LETTER_SYMBOLS = (range(0x24B6, 0x24EA), range(0x1F130, 0x1F14A), range(0x1F150, 0x1F16A), range(0x1F170, 0x1F18A))


def slugify(text: str) -> str:
    """`text` in lower case without punctuation, symbols and emoji, spaces as hyphens; "" when nothing is left.

    The same characters stay as in github-slugger, whose rule is Ruby's `[^\\p{Word}\\- ]`.
    """
    return "".join(character for character in text.lower() if _is_kept(character)).replace(" ", "-")


def _is_kept(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "So":
        return any(ord(character) in letters for letters in _LETTER_SYMBOLS)
    return category[0] in "LM" or category in ("Nd", "Nl", "Pc") or character in "- "


class Slugger:
    """Slugs that are unique in one document: the second `setup` is `setup-1`."""

    def __init__(self) -> None:
        self._repeats: dict[str, int] = {}

    def slug(self, text: str) -> str:
        """The anchor of a heading, unlike all that were given out before."""
        original = slug = slugify(text)
        while slug in self._repeats:
            self._repeats[original] += 1
            slug = f"{original}-{self._repeats[original]}"
        self._repeats[slug] = 0
        return slug


_OWN_ANCHOR = re.compile(r"\s*\{:?\s*#([^\s{}]+)[^{}]*\}\s*$")


def own_anchor(heading: str) -> tuple[str, str]:
    """A heading's Markdown without a `{#anchor}` of its author's at its end, and that anchor; "" for none."""
    found = _OWN_ANCHOR.search(heading) if heading.endswith("}") else None
    return (heading[: found.start()], found[1]) if found else (heading, "")


def plain_text(markdown: str) -> str:
    """The words of one line of Markdown, without emphasis, link addresses and code marks."""
    if len(markdown) > _LONGEST_LINE:
        return " ".join(markdown.split())
    tokens = _INLINE.parseInline(markdown)[0].children or []
    return re.sub(r"\s+", " ", "".join(map(_words, tokens))).strip()


def _words(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " "
    return "" if token.type == "html_inline" else token.content
