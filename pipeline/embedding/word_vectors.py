"""The vectors of a text's words, in their context."""

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


def word_vectors(text: str, tokens: TokenVectors) -> list[tuple[str, np.ndarray]]:
    """The words of a text, each with the mean (width,) of its tokens' vectors, of length 1. Words past the limit lack one."""
    found = []
    starts, ends = tokens.spans[:, 0], tokens.spans[:, 1]
    for word in WORD.finditer(text):
        first, last = np.searchsorted(starts, word.start()), np.searchsorted(ends, word.end(), side="right")
        if first < last:
            mean = tokens.vectors[first:last].mean(0)
            found.append((word[0], mean / np.linalg.norm(mean)))
    return found
