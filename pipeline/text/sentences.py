"""Finds where sentences begin and end."""

import re
from itertools import pairwise

import sentencex

_SPACE = re.compile(r"[^\S\n]")
_NAMED_DOT = re.compile(r"(?<![\w.])\.(?=\w)")
"""The dot that begins a name (`.NET`, `.env`)."""
_ORDINAL_DOT = re.compile(r"(?<![\w.,:])(\d{1,2})\.(?= (\w+))")
"""The dot behind a number, which may make `fifth` of five, with the next word."""
_OPENING = re.compile(r"(?<=\s)[\"'‘’“„«»‹›(\[]+$")
"""Quotation marks and brackets at the end of a sentence, which begin the next one because white space stands before them."""
_COUNTED = frozenset(
    """
    januar jänner februar feber märz april mai juni juli august september oktober november dezember jahrhundert
    marts mars maj december desember århundrede århundre
    ledna února března dubna května června července srpna září října listopadu prosince století
    tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta
    marraskuuta joulukuuta
    """.split()
)
"""What is counted with a dot in German, Danish, Norwegian, Czech and Finnish: `am 5. Januar`."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The start and end of each sentence of `text`, in characters, without the white space around it."""
    # sentencex 1.0.32 panics at an initial that is followed by a space of more than one byte. It also ends a sentence
    # within `.NET`, and of the rules for each language knows the English ones here: `5. Januar`, `5. maj` need ours.
    plain = _ORDINAL_DOT.sub(_without_dot, _NAMED_DOT.sub("_", _SPACE.sub(" ", text)))
    ends = [
        _before_opening(plain, boundary["end_index"]) for boundary in sentencex.get_sentence_boundaries("en", plain)
    ]
    spans = []
    for start, end in pairwise([0, *ends[:-1], len(text)]):
        if sentence := text[start:end].strip():
            start = text.index(sentence, start)
            spans.append((start, start + len(sentence)))
    return spans


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _before_opening(text: str, end: int) -> int:
    """`end`, or the place before a quotation mark that belongs to the next sentence: `'s Ochtends`, `“So?”`."""
    opening = _OPENING.search(text, max(0, end - 4), end) if text[end : end + 1].strip() else None
    return opening.start() if opening else end


def _without_dot(found: re.Match[str]) -> str:
    number, following = found.groups()
    return f"{number}{'_' if following.casefold() in _COUNTED else '.'}"
