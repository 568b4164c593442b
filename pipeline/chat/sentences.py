"""Markdown to the pieces that can be quoted one by one."""

import re
from collections.abc import Iterator

import sentencex

_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
_HEADING = re.compile(r"^#{1,6}\s")


def split_sentences(markdown: str) -> list[str]:
    """Sentences of paragraphs and list items, rows of tables, and whole code blocks, in their order."""
    return [sentence for block in _blocks(markdown) for sentence in _sentences(block)]


def is_code(sentence: str) -> bool:
    return _FENCE.match(sentence) is not None


def _sentences(block: str) -> list[str]:
    if is_code(block):
        return [block]
    return [text for part in sentencex.segment("en", block) if (text := part.strip())]


def _blocks(markdown: str) -> Iterator[str]:
    """Paragraphs and list items on one line each, table rows with their cells joined, code blocks as they are."""
    held: list[str] = []
    fence = ""
    for line in [*markdown.splitlines(), ""]:
        opening = _FENCE.match(line)
        if fence:
            held.append(line)
            if opening and line.strip() == fence:
                yield "\n".join(held)
                held, fence = [], ""
            continue
        starts_block = opening or _ITEM.match(line) or line.lstrip().startswith("|")
        if held and (starts_block or not line.strip() or _HEADING.match(line)):
            yield " ".join(held)
            held = []
        if opening:
            held, fence = [line], opening[1]
        elif line.lstrip().startswith("|"):
            if not _TABLE_RULE.match(line):
                yield " — ".join(cell.strip() for cell in line.strip().strip("|").split("|"))
        elif line.strip() and not _HEADING.match(line):
            held.append(_ITEM.sub("", line).lstrip("> ").strip())
    if fence:
        yield "\n".join([*held, fence])
