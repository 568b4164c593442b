"""The pieces of one section, put together to texts of a useful length."""

import re
from dataclasses import replace

from semantic_text_splitter import TextSplitter

from pipeline.content.structure import Piece

# a code block or table stays whole up to this many times the longest text
WHOLE = 3
# a text shorter than this part of the longest says little alone
SHORT = 1 / 8


def pack(pieces: list[Piece], max_chars: int) -> list[str]:
    """Texts of at most `max_chars` characters that hold all `pieces` in order.

    Where to cut is what leaves the smallest sum of squared unused room, so that texts are few and none is tiny; to cut
    off a sentence that announces what follows (`like this:`) counts as much as a text half empty.
    A piece that is to stay whole may be longer, and then takes a few words before it along.
    """
    pieces = [part for piece in pieces for part in _parts(piece, max_chars)]
    # best[n]: the least cost of the first n pieces, and where the last text of them begins
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(pieces) + 1):
        cut = max_chars / 2 if pieces[end - 1].text.endswith(":") and end < len(pieces) else 0
        choices = []
        length = 0
        for start in range(end - 1, -1, -1):
            length += len(pieces[start].text) + (len(pieces[start + 1].gap) if start + 1 < end else 0)
            if length > max_chars and start < end - 1 and not _takes_along(pieces[end - 1], length, max_chars):
                break
            choices.append((best[start][0] + max(0, max_chars - length) ** 2 + cut**2, start))
        best.append(min(choices))
    texts = []
    end = len(pieces)
    while end:
        start = best[end][1]
        texts.append("".join([pieces[start].text, *(piece.gap + piece.text for piece in pieces[start + 1 : end])]))
        end = start
    return texts[::-1]


def _takes_along(last: Piece, length: int, max_chars: int) -> bool:
    return last.whole and len(last.text) > max_chars and length - len(last.text) < max_chars * SHORT


def _parts(piece: Piece, max_chars: int) -> list[Piece]:
    """The piece, in as many parts as it takes: at lines in code and tables, at sentences elsewhere."""
    if len(piece.text) <= max_chars * (WHOLE if piece.whole else 1):
        return [piece]
    lines = piece.text.split("\n")
    if piece.kind == "fence" and len(lines) > 2:
        texts = _split_lines(lines[0], lines[1:-1], lines[-1], max_chars)
    elif piece.kind == "table":
        texts = _split_lines("\n".join(lines[:2]), lines[2:], "", max_chars)
    elif piece.kind == "code_block":
        texts = _split_lines("", lines, "", max_chars)
    else:
        # in prose a line's end is a space; room is left for a few words that lead to the first part
        prose = re.sub(r"(?<!  )(?<!\\)\n(?=\S)", " ", piece.text) if piece.kind == "paragraph" else piece.text
        texts = _split_evenly(prose, max_chars - int(max_chars * SHORT))
    gap = " " if piece.kind == "paragraph" else "\n"
    return [
        replace(piece, text=text, gap=gap if number else piece.gap, whole=False) for number, text in enumerate(texts)
    ]


def _split_lines(top: str, lines: list[str], bottom: str, max_chars: int) -> list[str]:
    """`lines` in parts, each between the fences of the code, or below the head of the table, that it is from."""
    room = max_chars - len(top) - len(bottom) - 2
    if room < max_chars / 2:
        return TextSplitter(max_chars).chunks("\n".join([top, *lines, bottom]))
    parts = [part.strip("\n") for part in TextSplitter(room, trim=False).chunks("\n".join(lines))]
    return ["\n".join(filter(None, (top, part, bottom))) for part in parts if part.strip()]


def _split_evenly(text: str, max_chars: int) -> list[str]:
    shortest = -(-len(text) // -(-len(text) // max_chars))
    return TextSplitter((shortest, max_chars)).chunks(text)
