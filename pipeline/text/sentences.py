"""Finds where sentences begin and end."""

import re
from itertools import pairwise

import sentencex

_SPACE = re.compile(r"[^\S\n]")
_NAMED_DOT = re.compile(r"(?<![\w.])\.(?=\w)")
"""The dot that begins a name (`.NET`, `.env`)."""


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """The start and end of each sentence of `text`, in characters, without the white space around it."""
    # sentencex 1.0.32 panics at an initial that is followed by a space of more than one byte. It also ends a sentence
    # within `.NET`.
    plain = _NAMED_DOT.sub("_", _SPACE.sub(" ", text))
    ends = [boundary["end_index"] for boundary in sentencex.get_sentence_boundaries("en", plain)]
    spans = []
    for start, end in pairwise([0, *ends[:-1], len(text)]):
        if sentence := text[start:end].strip():
            start = text.index(sentence, start)
            spans.append((start, start + len(sentence)))
    return spans


def sentences(text: str) -> list[str]:
    """The sentences of `text`, in order."""
    return [text[start:end] for start, end in sentence_spans(text)]
