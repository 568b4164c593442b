"""Splits Markdown into pieces that can be quoted one by one."""

import re
from collections.abc import Iterable, Iterator, Sequence

from pipeline.text.sentences import sentences

CELLS = " — "
"""What joins the cells of a row."""
INLINE_CODE = re.compile(r"`([^`\n]+)`")
"""Code within a sentence; the group is without its marks."""
_FENCE = re.compile(r"^\s*(```|~~~)")
_ITEM = re.compile(r"^\s*(?:[-*+]|(\d+[.)]))\s+")
_TABLE_RULE = re.compile(r"^\s*\|?[\s:|-]*-[\s:|-]*\|[\s:|-]*$")
_BAR = re.compile(r"(?<!\\)\|")
_QUOTE = re.compile(r"^(?: {0,3}>[ \t]?)+")
_FULL_STOPS = "。！？」』）"
"""Chinese and Japanese put no space behind them."""
_EMPHASIS = re.compile(r"(\*+|_+)(\s+|$)?")
_HEADING = re.compile(r"^#{1,6}\s")
_INDENT = re.compile(r"^(?: {4}| {0,3}\t)")


def split_sentences(markdown: str) -> list[str]:
    """The pieces of `markdown`, in order: sentences, list items, table rows, and whole code blocks.

    An item keeps its mark (`- ` or its number). A row becomes an item whose cells, each with its column's head, are
    joined by dashes.
    """
    return [sentence for block in _blocks(markdown) for sentence in _sentences(block)]


def join_sentences(sentences: Iterable[str]) -> str:
    """Markdown made of pieces: prose in one line; items, rows and code blocks on lines of their own."""
    text, before = "", ""
    for sentence in sentences:
        if before:
            text += _between(before, sentence)
        text, before = text + sentence, sentence
    return text


def _between(before: str, after: str) -> str:
    if is_code(before) or is_code(after):
        return "\n\n"
    if is_item(after):
        return "\n"
    if is_item(before):
        return "\n\n"
    return "" if before[-1] in _FULL_STOPS else " "


def bare(sentence: str) -> str:
    """`sentence` without its list mark. A code block stays as it is."""
    return sentence if is_code(sentence) else _ITEM.sub("", sentence)


def is_code(sentence: str) -> bool:
    """Whether the piece `sentence` is a code block."""
    return _FENCE.match(sentence) is not None


def is_item(sentence: str) -> bool:
    """Whether the piece `sentence` is an item of a list or a row of a table."""
    return _ITEM.match(sentence) is not None


def _sentences(block: str) -> list[str]:
    if is_code(block) or is_item(block):
        return [block]
    found: list[str] = []
    for sentence in sentences(block):
        mark = _EMPHASIS.match(sentence)
        # `**So.** Then`: the marks close what the sentence before opened, as no mark opens before a space.
        if mark and found and (mark[2] or "".join(found).count("**") % 2):
            found[-1] += mark[1]
            sentence = sentence[mark.end() :]
        if sentence:
            found.append(sentence)
    return found


def _blocks(markdown: str) -> Iterator[str]:
    """Paragraphs and list items on one line each, table rows, and code blocks, those without a fence in one."""
    held: list[str] = []
    heads: list[str] = []
    fence = ""
    # Markdown ends a line at a line feed only; str.splitlines also cuts at U+2028 and others.
    lines = _fenced(list(_out_of_quotes(markdown.removesuffix("\n").split("\n"))))
    for line, following in zip([*lines, ""], [*lines, "", ""][1:], strict=True):
        opening, item, is_row = _FENCE.match(line), _ITEM.match(line), line.lstrip().startswith("|")
        if fence:
            held.append(line)
            if opening and line.strip() == fence:
                yield "\n".join(held)
                held, fence = [], ""
            continue
        if held and (opening or item or is_row or not line.strip() or _HEADING.match(line)):
            yield " ".join(held)
            held = []
        heads = heads if is_row else []
        if opening:
            held, fence = [line], opening[1]
        elif is_row and _TABLE_RULE.match(following) and not _TABLE_RULE.match(line):
            heads = _cells(line)
        elif is_row:
            if not _TABLE_RULE.match(line):
                yield "- " + CELLS.join(map(_labelled, _cells(line), [*heads, *[""] * line.count("|")]))
        elif item:
            held.append(f"{item[1] or '-'} {line[item.end() :].strip()}")
        elif line.strip() and not _HEADING.match(line):
            held.append(line.lstrip("> ").strip())
    if fence:
        yield "\n".join([*held, fence])


def _fenced(lines: Sequence[str]) -> list[str]:
    """The lines, with fences around code that is only indented. What is indented below an item is more of the item."""
    found: list[str] = []
    # A text that begins indented is the rest of an item.
    fence, in_list, code = "", _INDENT.match(lines[0]) is not None, 0
    for place, line in enumerate(lines):
        if fence:
            fence = "" if line.strip() == fence else fence
        elif opening := _FENCE.match(line):
            fence = opening[1]
        elif _ITEM.match(line):
            in_list = True
        elif line.strip() and not line[0].isspace():
            in_list = False
        elif _INDENT.match(line) and not in_list and (code or not lines[place - 1].strip()):
            if not code:
                found.append("```")
            found.append(_INDENT.sub("", line))
            code = len(found)
            continue
        if code and line.strip():
            found.insert(code, "```")
            code = 0
        found.append(line)
    if code:
        found.insert(code, "```")
    return found


def _out_of_quotes(lines: Iterable[str]) -> Iterator[str]:
    """Lines without the marks of a block quote, so that its lists, tables and code are pieces too."""
    fence, is_quoted = "", False
    for line in lines:
        bare_line = _QUOTE.sub("", line)
        if fence:
            line = bare_line if is_quoted else line
            fence = "" if line.strip() == fence else fence
        elif opening := _FENCE.match(bare_line):
            fence, is_quoted, line = opening[1], bare_line != line, bare_line
        else:
            line = bare_line
        yield line


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BAR.split(row.strip().removeprefix("|").removesuffix("|"))]


def _labelled(cell: str, head: str) -> str:
    return f"{head}: {cell}" if head and cell else cell
