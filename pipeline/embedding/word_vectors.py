"""The vectors of a text's words, in their context."""

from typing import NamedTuple

import numpy as np

from pipeline.embedding.token_vectors import TokenVectors
from pipeline.text.words import WORD

COMPARED = ("en", "")
"""The languages, by their ISO 639-1 codes, of questions whose words are compared: what was measured was in English. ""
stands for a text that does not tell its language."""
_MEASURED_WITH = "all-MiniLM-L6-v2-"
"""The names of its vectors begin so. Another embedder's cosines are spread in another way."""


def compares_words(embedder: str | None) -> bool:
    """Whether the weights that were measured for comparing words hold for the embedder of this name."""
    return embedder is not None and embedder.startswith(_MEASURED_WITH)


class WordVectors(NamedTuple):
    """The words of a text, in order. Words past the model's limit are left out."""

    words: list[str]
    """As they are written."""
    vectors: np.ndarray
    """(words, width): for each word the mean of its tokens' vectors, of length 1."""


def word_vectors(text: str, tokens: TokenVectors) -> WordVectors:
    """The words of a text with their vectors."""
    found = list(WORD.finditer(text))
    spans = np.array([word.span() for word in found], np.int64).reshape(-1, 2)
    first = np.searchsorted(tokens.spans[:, 0], spans[:, 0])
    behind = np.searchsorted(tokens.spans[:, 1], spans[:, 1], side="right")
    known = np.flatnonzero(first < behind)
    if not known.size:
        return WordVectors([], np.zeros((0, tokens.vectors.shape[1]), tokens.vectors.dtype))
    # Each pair of bounds gives two sums: of the word's tokens, and of what lies between it and the next. The row of
    # zeros lets the last bound be behind the last token.
    bounds = np.column_stack([first[known], behind[known]]).ravel()
    sums = np.add.reduceat(np.pad(tokens.vectors, ((0, 1), (0, 0))), bounds)[::2]
    return WordVectors([found[place][0] for place in known], sums / np.linalg.norm(sums, axis=1, keepdims=True))
