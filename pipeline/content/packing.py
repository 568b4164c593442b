"""The pieces of one section, put together to texts of a useful length."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from semantic_text_splitter import TextSplitter

from pipeline.content.structure import SectionPiece

# a code block or table stays whole up to this many times the longest text
WHOLE = 3
# a text shorter than this part of the longest says little alone
SHORT = 1 / 8
STRETCH = 10_000
_LINK = re.compile(r"!?\[[^\[\]\n]{0,200}\]\([^()\s]{1,400}\)|https?://[^\s()<>]{1,400}")
_FENCED = re.compile(r"^[ \t>]*(`{3,}|~{3,})[^\n]*\n(?:.*?\n)?[ \t>]*\1[`~]*[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Cut:
    """The text of a chunk, and from where to where it stands in the document's text, in characters."""

    text: str
    start: int
    end: int


def join(pieces: Sequence[SectionPiece]) -> Cut:
    """Neighbouring pieces, at least one, as one text."""
    text = "".join([pieces[0].text, *(piece.gap + piece.text for piece in pieces[1:])])
    return Cut(text, pieces[0].start, pieces[-1].end)


def pack(pieces: list[SectionPiece], max_chars: int) -> list[Cut]:
    """Texts of at most `max_chars` characters that hold all `pieces` in order.

    Where to cut is what leaves the smallest sum of squared unused room, so that texts are few and none is tiny; to cut
    off a sentence that announces what follows (`like this:`) counts as much as a text half empty.
    A piece that is to stay whole may be longer, and then takes a few words before it along.
    """
    pieces = [part for piece in pieces for part in split(piece, max_chars)]
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
    return group(pieces, [start for _, start in best])


def group(pieces: Sequence[SectionPiece], starts: Sequence[int]) -> list[Cut]:
    """All `pieces` in texts; starts[n] says where the last text of the first n pieces begins."""
    cuts = []
    end = len(pieces)
    while end:
        cuts.append(join(pieces[starts[end] : end]))
        end = starts[end]
    return cuts[::-1]


def _takes_along(last: SectionPiece, length: int, max_chars: int) -> bool:
    return last.whole and len(last.text) > max_chars and length - len(last.text) < max_chars * SHORT


def split(piece: SectionPiece, max_chars: int) -> list[SectionPiece]:
    """The piece, in as many parts as it takes: at lines in code and tables, at sentences elsewhere."""
    if len(piece.text) <= max_chars * (WHOLE if piece.whole else 1):
        return [piece]
    if piece.whole and piece.kind not in ("fence", "table", "code_block"):
        return [part for inner in _around_code(piece) for part in split(inner, max_chars)]
    lines = piece.text.split("\n")
    if piece.kind == "fence" and len(lines) > 2:
        parts = _split_lines(piece.text, lines[0] + "\n", "\n" + lines[-1], max_chars)
    elif piece.kind == "table":
        parts = _split_lines(piece.text, "\n".join(lines[:2]) + "\n", "", max_chars)
    elif piece.kind == "code_block":
        parts = _split_lines(piece.text, "", "", max_chars)
    else:
        # in prose a line's end is a space; room is left for a few words that lead to the first part
        prose = re.sub(r"(?<!  )(?<!\\)\n(?=\S)", " ", piece.text) if piece.kind == "paragraph" else piece.text
        parts = _split_evenly(prose, max_chars - int(max_chars * SHORT))
    gap = " " if piece.kind == "paragraph" else "\n"
    return [
        SectionPiece(
            part.text, piece.kind, False, piece.start + part.start, piece.start + part.end, gap if number else piece.gap
        )
        for number, part in enumerate(parts)
    ]


def _around_code(piece: SectionPiece) -> Iterator[SectionPiece]:
    """The code blocks of an item or a quote, and what stands before, between and after them."""
    done = 0
    spans = [(found.start(), found.end(), "fence") for found in _FENCED.finditer(piece.text)]
    for start, end, kind in [*spans, (len(piece.text), len(piece.text), "")]:
        for begins, ends, of in ((done, start, piece.kind), (start, end, kind)):
            if text := piece.text[begins:ends].strip("\n"):
                begins += len(piece.text[begins:ends]) - len(piece.text[begins:ends].lstrip("\n"))
                before = piece.text[:begins]
                gap = piece.gap if not before.strip() else "\n\n" if before.endswith("\n\n") else "\n"
                at = piece.start + begins
                yield SectionPiece(text, of, of == "fence", at, at + len(text), gap)
        done = end


def _split_lines(text: str, top: str, bottom: str, max_chars: int) -> list[Cut]:
    """The lines of `text` in parts, each between the fences of the code, or below the head of the table, it is from."""
    room = max_chars - len(top) - len(bottom)
    if room < max_chars / 2:
        return _cuts(TextSplitter(max_chars), text)
    body = text[len(top) : len(text) - len(bottom)]
    parts = [
        Cut(top + cut.text.strip("\n") + bottom, len(top) + cut.start, len(top) + cut.end)
        for cut in _cuts(TextSplitter(room, trim=False), body)
        if cut.text.strip()
    ]
    if parts:  # the fences, or the head, stand where the outermost parts are
        parts[0] = replace(parts[0], start=0)
        parts[-1] = replace(parts[-1], end=len(text))
    return parts


def _split_evenly(text: str, max_chars: int) -> list[Cut]:
    shortest = -(-len(text) // -(-len(text) // max_chars))
    # for the splitter a link is one word, so that none is cut through
    words = _LINK.sub(lambda link: "x" * len(link[0]), text)
    cuts = _cuts(TextSplitter((shortest, max_chars)), words)
    return [replace(cut, text=text[cut.start : cut.end]) for cut in cuts]


def _cuts(splitter: TextSplitter, text: str) -> list[Cut]:
    return [
        Cut(part, offset + start, offset + start + len(part))
        for offset, stretch in _stretches(text)
        for start, part in splitter.chunk_indices(stretch)
    ]


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """`text` in stretches of at most STRETCH characters, each with where it begins: the splitter's time grows with the square."""
    start = 0
    while len(text) - start > STRETCH:
        end = max(text.rfind(mark, start + STRETCH // 2, start + STRETCH) for mark in ("\n", " ", "。")) + 1
        end = end or start + STRETCH
        yield start, text[start:end]
        start = end
    yield start, text[start:]
