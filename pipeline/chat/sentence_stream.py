"""The sentences of a text that is still being written."""

import re
from collections.abc import Generator, Iterator
from itertools import pairwise
from typing import NamedTuple

from pipeline.text.sentences import sentence_spans

_FENCE = re.compile(r"[ \t]*(```|~~~)")
_MAY_END = re.compile(r"[.!?:][\"”’')\]*_]*\s|[。！？]")
_MARKS = re.compile(r"(?:\s*\[\d[\d\s,;]*\])+[.!?。]?(?=\s|$)\s*")
_ITEM = re.compile(r"\s*(?:\d+[.)]|[-*+])\s*")
_CLOSING = re.compile(r"[\"”]")
_OPEN_MARKS = re.compile(r"\s*(?:\[[\d\s,;]*\]?\s*)*[.!?。]?\s*")


class Sentence(NamedTuple):
    text: str
    """With the marks and the space after it."""
    is_whole: bool = True
    """False for the last one of a writer that was cut off."""


def sentence_stream(pieces: Iterator[str]) -> Generator[Sentence, None, None]:
    """Each sentence as soon as the next one begins; joined they are the text.

    A line of a list is a sentence, and so is a whole code block. Closing the stream closes `pieces`.

    Args:
        pieces: of the text; a generator that returns True was cut off.
    """
    held, cut_off = "", False
    try:
        while True:
            try:
                held += next(pieces)
            except StopIteration as end:
                cut_off = bool(end.value)
                break
            *whole, held = _cut(held)
            yield from map(Sentence, whole)
    finally:
        if isinstance(pieces, Generator):
            pieces.close()
    *whole, held = _cut(held, is_whole=True)
    yield from map(Sentence, whole)
    if held:
        yield Sentence(held, is_whole=not cut_off)


def _cut(text: str, *, is_whole: bool = False) -> list[str]:
    """The complete sentences, and last what may go on."""
    *lines, rest = re.split(r"(?<=\n)", text)
    found: list[str] = []
    block = ""
    for line in lines:
        if block or _FENCE.match(line):
            is_end = bool(block) and _FENCE.match(line) is not None
            block += line
            if is_end:
                found, block = [*found, block], ""
        elif line.strip():
            found += _sentences(line)
        elif found:
            found[-1] += line
        else:
            found = [line]
    if block or _FENCE.match(rest):
        return [*found, block + rest]
    if is_whole or _MAY_END.search(rest):
        *whole, rest = _sentences(rest, goes_on=not is_whole)
        found += whole
    # A mark behind the last sentence may still come.
    if found and not is_whole and _OPEN_MARKS.fullmatch(rest) and not found[-1].endswith("\n"):
        rest = found.pop() + rest
    return [*found, rest]


def _sentences(line: str, *, goes_on: bool = False) -> list[str]:
    """A line's sentences, each with the space and the marks after it. One that is quoted ends with the one around it."""
    starts = [start for start, _ in sentence_spans(line)][1:]
    cuts = [0, *starts, len(line)]
    parts = [line[start:end] for start, end in pairwise(cuts)]
    found: list[str] = []
    for part in parts:
        if found and (marks := _MARKS.match(part)):
            found[-1] += marks[0]
            part = part[marks.end() :]
        if found and (_ITEM.fullmatch(found[-1]) or (_is_quoting(found[-1]) and (goes_on or _CLOSING.search(part)))):
            found[-1] += part
        elif part or not found:
            found.append(part)
    return found


def _is_quoting(text: str) -> bool:
    """Whether a quotation is open at the end of `text`."""
    return text.count('"') % 2 == 1 or text.count("“") > text.count("”")
