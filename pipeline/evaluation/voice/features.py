"""What of a voice is counted: function words, and the form of sentences. Counts add up, so that texts can be joined."""

import re
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from pipeline.evaluation.voice.texts import masked
from pipeline.text.languages import tables
from pipeline.text.sentences import sentences
from pipeline.text.words import elided, words

Counts = np.ndarray
"""(2, features): how often, and of how many. Counts of joined texts are the sums."""
Counter = Callable[[str, str], Counts]
"""Counts a text in a language, given by its ISO 639-1 code."""
_SIGNS = (",", ";", ":", "!", "?", "(", '"', "'", "…", "-")
_QUOTES = str.maketrans("“”„«»", '"' * 5)
_DASH = re.compile(r"\s[-–—]\s|—")
SHORT, LONG = 8, 25
"""Words of a sentence up to which it is short, and from which on it is long."""


def function_words(text: str, language: str = "en") -> Counts:
    """Each function word among all words, as Burrows counts them (Delta, 2002)."""
    said = [part for word in words(text.replace("’", "'")) for part in elided(word, language)]
    counted = [said.count(word) for word in _listed(language)]
    return np.array([counted, [len(said)] * len(counted)], float)


@cache
def _listed(language: str) -> tuple[str, ...]:
    return tuple(sorted(tables.table(language).function_words))


def form(text: str, language: str = "en") -> Counts:
    """Words a sentence, short and long sentences, dashes and the signs of punctuation a word.

    Sentence length and punctuation are among the oldest marks of a style (Yule, 1939; Grieve, Quantitative authorship
    attribution, 2007).
    """
    plain = masked(text, language).translate(_QUOTES)
    lengths = [len(words(one.replace("*", "x").replace("#", "x"))) for one in sentences(plain)] or [0]
    count, total = len(lengths), max(1, sum(lengths))
    signs = [_DASH.sub(" ", plain).count(sign) for sign in _SIGNS]
    short, long = sum(length <= SHORT for length in lengths), sum(length >= LONG for length in lengths)
    return np.array(
        [[total, short, long, len(_DASH.findall(plain)), *signs], [count, count, count, *[total] * (len(_SIGNS) + 1)]],
        float,
    )


def table(texts: Sequence[str], count: Counter, language: str = "en") -> np.ndarray:
    """The counts of several texts, (texts, 2, features)."""
    return np.stack([count(text, language) for text in texts])


def rates(counts: np.ndarray) -> np.ndarray:
    """How often of how many, (…, features), from counts (…, 2, features)."""
    return np.asarray(counts[..., 0, :] / np.maximum(counts[..., 1, :], 1))
