"""What speaks for it that the passages hold the answer: a few numbers, which `calibration` weighs."""

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
"""Sentences in a row in which the kind of thing that is asked for should stand."""
NEAR_BEST = 0.8
"""A window that covers at least this share of what the best one covers may hold the answer."""

ASSUMED_CHUNKS = 10
"""As many chunks' weight has what is assumed of the cosines: a handful tells little of how far they spread."""

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
"""What a question of some kind looks like, and what has to be near its answer."""


class Background(NamedTuple):
    """Cosines of one question with all chunks."""

    mean: float
    deviation: float


ASSUMED_BACKGROUND = Background(0.1, 0.11)
"""Of all-MiniLM-L6-v2 on the documentation, the blog and the vault that the benchmarks ask."""


@dataclass(frozen=True, slots=True)
class Evidence:
    prominence: float | None
    """The best cosine of question and passage, in standard deviations above the question's mean cosine with the whole
    collection: what the collection is all about speaks for no passage. None without vectors."""
    coverage: float
    """Of the question's words, weighed by how rare they are (BM25's idf), the share that one passage holds, 0 to 1."""
    named: bool
    """What the question names by a proper name or a number is there."""
    fitting: bool
    """A person, an amount or a time is near, where the question asks for one."""

    def row(self) -> list[float]:
        """In the order of a model's weights, the constant last."""
        known = [] if self.prominence is None else [self.prominence]
        return [*known, self.coverage, float(self.named), float(self.fitting), 1.0]


def background(question: np.ndarray, vectors: np.ndarray | None) -> Background:
    """From the question's vector (dimension,) and those of some chunks (chunks, dimension), all of length 1; what is
    assumed when there are none."""
    if vectors is None:
        return ASSUMED_BACKGROUND
    cosines = vectors @ question
    known = len(cosines) / (len(cosines) + ASSUMED_CHUNKS)
    mean = known * cosines.mean() + (1 - known) * ASSUMED_BACKGROUND.mean
    variance = known * cosines.var() + (1 - known) * ASSUMED_BACKGROUND.deviation**2
    return Background(float(mean), float(variance) ** 0.5)


def wanted_tokens(question: str) -> list[str]:
    """The index's tokens of the words that carry meaning, each once."""
    meant = [word for word in words(question) if word not in FUNCTION_WORDS]
    return list(dict.fromkeys(token for word in meant for token in tokens.query_tokens(word)))


def weigh(
    question: str,
    passages: Sequence[Passage],
    vocabulary: Vocabulary,
    around: Background | None = None,
    understood: Collection[str] = (),
) -> Evidence:
    """The evidence that at least one passage gives.

    Args:
        around: the question's background, where the passages have cosines.
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
    """Title and heading, and some sentences in a row."""
    sentences = split_sentences(passage.text)
    heading = f"{passage.title} {passage.heading}"
    return [(heading, " ".join(sentences[start : start + WINDOW])) for start in range(len(sentences))]
