"""Evidence that the passages hold the answer: a few numbers. `calibration` learns their weights."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.index.passages import Passage
from pipeline.index.vocabulary import Vocabulary
from pipeline.text import tokens
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.names import names
from pipeline.text.pieces import split_sentences
from pipeline.text.words import stems_with_parts, words

WINDOW = 3
"""The length of a window, in sentences. A window should contain the kind of thing that is asked for."""
NEAR_BEST = 0.8
"""A window may hold the answer if its coverage is at least this share of the best window's."""

ASSUMED_CHUNKS = 10
"""The assumed background counts as much as this many chunks, because a few chunks tell little of how cosines spread."""

_PERSON = re.compile(r"[^\W\d_a-z]\w+[^\S\n]+(?:[^\W\d_a-z]\.\s)?[^\W\d_a-z]\w+")
_AMOUNT = re.compile(
    r"\d|\b(?:no|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|"
    r"quarter|third|twice|once|many|few|several|free)\b",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\d|\b(?:when|after|before|while|once|today|yesterday|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|"
    r"february|march|april|may|june|july|august|september|october|november|december|"
    r"(?:year|month|week|day|hour|minute|second)s?)\b",
    re.IGNORECASE,
)
_ANSWERS = (
    (re.compile(r"\bwho(?:se|m)?\b(?! (?:can|could|may|must|should|sees?|gets?|needs?)\b)"), _PERSON),
    (re.compile(r"\bhow (?:much|many|long|far|tall|big|old|large|often|fast|hot|high|wide|deep)\b|\b(?:price|cost)\b"), _AMOUNT),
    (re.compile(r"^(?:and |but |so )?when\b|\b(?:what|which) (?:year|date|day|time|month)\b"), _TIME),
)  # fmt: skip
"""For each kind of question: how it is recognised, and what must stand near its answer."""


class Background(NamedTuple):
    """The mean and the standard deviation of the cosines of one question with all chunks."""

    mean: float
    deviation: float


ASSUMED_BACKGROUND = Background(0.1, 0.11)
"""Measured with all-MiniLM-L6-v2 on the documentation, the blog and the vault of the benchmarks."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence that passages answer a question."""

    prominence: float | None
    """The best cosine of the question and a passage, in standard deviations above the question's mean cosine with the
    whole collection. So a topic of the whole collection speaks for no passage. None without vectors."""
    coverage: float
    """The largest share of the question's words that one passage holds, 0 to 1. Words are weighed by BM25's idf."""
    named: bool
    """Whether the passages hold every proper name and number of the question."""
    fitting: bool
    """Whether a person, an amount or a time stands near, if the question asks for one."""

    def row(self) -> list[float]:
        """The evidence as numbers, in the order of a model's weights. The last is the constant 1."""
        known = [] if self.prominence is None else [self.prominence]
        return [*known, self.coverage, float(self.named), float(self.fitting), 1.0]


def background(question: np.ndarray, vectors: np.ndarray | None) -> Background:
    """Estimates the background of a question from a sample of chunks.

    Args:
        question: the question's vector, (dimension,) of length 1.
        vectors: the vectors of some chunks, (chunks, dimension) of length 1. None: the assumed background is returned.
    """
    if vectors is None:
        return ASSUMED_BACKGROUND
    cosines = vectors @ question
    known = len(cosines) / (len(cosines) + ASSUMED_CHUNKS)
    mean = known * cosines.mean() + (1 - known) * ASSUMED_BACKGROUND.mean
    variance = known * cosines.var() + (1 - known) * ASSUMED_BACKGROUND.deviation**2
    return Background(float(mean), float(variance) ** 0.5)


def wanted_tokens(question: str) -> list[str]:
    """The tokens of the question's words that carry meaning, as the index stores them, each once."""
    meant = [word for word in words(question) if word not in FUNCTION_WORDS]
    return list(dict.fromkeys(token for word in meant for token in tokens.query_tokens(word)))


def weigh(
    question: str,
    passages: Sequence[Passage],
    vocabulary: Vocabulary,
    around: Background | None = None,
    understood: Collection[str] = (),
) -> Evidence:
    """The evidence that at least one passage answers.

    Args:
        vocabulary: how common the question's `wanted_tokens` are.
        around: the question's background, if the passages have cosines.
        understood: words that the notes need not say, such as their owner's name.
    """
    rest = {token for word in understood for token in tokens.tokens(word)}
    held = [_tokens(f"{passage.title} {passage.heading} {passage.text}") for passage in passages]
    somewhere = set().union(*held)
    weights = {
        token: _idf(token, vocabulary) for token in wanted_tokens(question) if token in somewhere or token not in rest
    }
    said = stems_with_parts(" ".join(f"{passage.title} {passage.heading} {passage.text}" for passage in passages))
    similarities = [passage.similarity for passage in passages if passage.similarity is not None]
    return Evidence(
        prominence=(max(similarities) - around.mean) / around.deviation if similarities and around else None,
        coverage=max((_coverage(weights, own) for own in held), default=0.0),
        named=names(question) <= said | {stem for word in understood for stem in stems_with_parts(word)},
        fitting=_fits(question, passages, weights),
    )


def _tokens(text: str) -> set[str]:
    return set(tokens.tokens(text))


def _idf(token: str, vocabulary: Vocabulary) -> float:
    """How rare a token is: BM25's idf by Lucene's formula."""
    frequency = vocabulary.frequencies.get(token, 0)
    return math.log(1 + max(0.0, vocabulary.chunks - frequency + 0.5) / (frequency + 0.5))


def _coverage(weights: dict[str, float], held: Collection[str]) -> float:
    total = sum(weights.values())
    return sum(weight for token, weight in weights.items() if token in held) / total if total else 1.0


def _fits(question: str, passages: Sequence[Passage], weights: dict[str, float]) -> bool:
    asked = next((answer for kind, answer in _ANSWERS if kind.search(question.lower())), None)
    if asked is None:
        return True
    windows = [window for passage in passages for window in _windows(passage)]
    covered = [_coverage(weights, _tokens(f"{heading} {text}")) for heading, text in windows]
    enough = NEAR_BEST * max(covered, default=0.0)
    return any(asked.search(text) for (_, text), share in zip(windows, covered, strict=True) if share >= enough)


def _windows(passage: Passage) -> list[tuple[str, str]]:
    """The passage's title and heading, with `WINDOW` sentences in a row, from each sentence on."""
    sentences = split_sentences(passage.text)
    heading = f"{passage.title} {passage.heading}"
    return [(heading, " ".join(sentences[start : start + WINDOW])) for start in range(len(sentences))]
