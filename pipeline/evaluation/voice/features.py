"""What of a voice is counted: function words, and the form of sentences. Counts add up, so that texts can be joined."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.evaluation.voice.texts import masked
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.sentences import sentences
from pipeline.text.words import words

Counts = np.ndarray
"""(2, features): how often, and of how many. Counts of joined texts are the sums."""
Counter = Callable[[str], Counts]
_WORDS = sorted(FUNCTION_WORDS)
_SIGNS = (",", ";", ":", "!", "?", "(", '"', "'", "…", "-")
_DASH = re.compile(r"\s[-–—]\s|—")
SHORT, LONG = 8, 25
"""Words of a sentence up to which it is short, and from which on it is long."""


def function_words(text: str) -> Counts:
    """Each function word among all words, as Burrows counts them (Delta, 2002)."""
    said = words(text.replace("’", "'"))
    counted = [said.count(word) for word in _WORDS]
    return np.array([counted, [len(said)] * len(_WORDS)], float)


def form(text: str) -> Counts:
    """Words a sentence, short and long sentences, dashes and the signs of punctuation a word.

    Sentence length and punctuation are among the oldest marks of a style (Yule, 1939; Grieve, Quantitative authorship
    attribution, 2007).
    """
    plain = masked(text)
    lengths = [len(words(one.replace("*", "x").replace("#", "x"))) for one in sentences(plain)] or [0]
    count, total = len(lengths), max(1, sum(lengths))
    signs = [_DASH.sub(" ", plain).count(sign) for sign in _SIGNS]
    short, long = sum(length <= SHORT for length in lengths), sum(length >= LONG for length in lengths)
    return np.array(
        [[total, short, long, len(_DASH.findall(plain)), *signs], [count, count, count, *[total] * (len(_SIGNS) + 1)]],
        float,
    )


def table(texts: Sequence[str], count: Counter) -> np.ndarray:
    """The counts of several texts, (texts, 2, features)."""
    return np.stack([count(text) for text in texts])


def rates(counts: np.ndarray) -> np.ndarray:
    """How often of how many, (…, features), from counts (…, 2, features)."""
    return np.asarray(counts[..., 0, :] / np.maximum(counts[..., 1, :], 1))
