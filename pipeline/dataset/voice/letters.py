"""Newsletters: Markdown, HTML or plain text, one letter in each file."""

import re

from pipeline.content.frontmatter import split_front_matter
from pipeline.content.html import drop_comments
from pipeline.dataset.voice.html_text import plain
from pipeline.dataset.voice.said import Said
from pipeline.errors import ContentError

LONGEST = 1600
"""Characters of one piece of a letter, as for any answer in the author's voice."""

_HTML = re.compile(r"\s*<(?:!doctype|html|head|body|table|div|p)\b", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_NO_PROSE = re.compile(r"^(?:#{1,6}\s.*|[-*_=\s]{3,}|```.*)$", re.MULTILINE)
_OF_THE_SENDER = re.compile(
    r"\b(?:unsubscribe|view (?:this|it) (?:\w+ )?in (?:your|the) browser|update your preferences|abbestellen|abmelden|"
    r"im browser (?:an)?sehen|se désabonner|darse de baja)\b",
    re.IGNORECASE,
)


def newsletter(text: str, author: str) -> list[Said]:
    """The paragraphs of a letter, in pieces of at most LONGEST characters.

    Args:
        text: Markdown, HTML or plain text.
        author: not used, because a letter is the owner's own.

    Raises:
        ContentError: its front matter can't be read.
    """
    if _HTML.match(text):
        body = plain(text)
    else:
        _, body = split_front_matter(text)
        body = _NO_PROSE.sub("", _LINK.sub(r"\1", _IMAGE.sub("", drop_comments(body))))
    paragraphs = [part.strip() for part in re.split(r"\n\s*\n", body)]
    told = [part for part in paragraphs if part and not _OF_THE_SENDER.search(part)]
    if not told:
        raise ContentError("it holds no paragraph: take it out of the folder")
    return [Said(piece) for piece in _pieces(told)]


def _pieces(paragraphs: list[str]) -> list[str]:
    pieces: list[str] = []
    for paragraph in paragraphs:
        if pieces and len(pieces[-1]) + len(paragraph) + 2 <= LONGEST:
            pieces[-1] += "\n\n" + paragraph
        else:
            pieces.append(paragraph)
    return pieces
