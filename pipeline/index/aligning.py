"""Orders the best passages anew by how well the words of the question are met by theirs, in meaning.

Each word of the question counts by its best match among the passage's words, the rarer ones more (late interaction:
Khattab and Zaharia, ColBERT, SIGIR 2020). docs/search-quality.md says what it brings.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.embedding.token_vectors import ReadTokens
from pipeline.embedding.word_vectors import word_vectors
from pipeline.index import keywords
from pipeline.text.tokens import query_tokens

READ = 10
"""So many passages are read; more changed nothing on documentation and did not help code."""
WEIGHT = 0.4
"""How much a question that is met in full adds to a score of at most 1. From .2 to .8 it hardly matters."""


def rarities(frequencies: Mapping[str, int], chunks: int) -> dict[str, float]:
    """How rare each token is, as the keyword list weighs it.

    Args:
        frequencies: how many chunks hold a token, by token.
        chunks: the number of all chunks.
    """
    return {token: keywords.rarity(held, chunks) for token, held in frequencies.items()}


def align(
    question: str, language: str, texts: Mapping[str, str], scores: Mapping[str, float], rarity: Mapping[str, float],
    read: ReadTokens,
) -> dict[str, float]:  # fmt: skip
    """New scores of all passages, from 0 to 1 if the old ones are; {} if nothing can be compared.

    Args:
        language: the question's, an ISO 639-1 code.
        texts: of the passages that are read, by id.
        scores: of all passages, by id.
        rarity: the weight of each token of the question.
        read: gives the vectors of tokens.
    """
    vectors = read([question, *texts.values()]) if texts else None
    if vectors is None:
        return {}
    asked = word_vectors(question, vectors[0])
    weights = np.array([_weight(word, language, rarity) for word in asked.words])
    if not weights.any():
        return {}
    met = {
        id: _met(asked.vectors, weights, word_vectors(text, own).vectors)
        for (id, text), own in zip(texts.items(), vectors[1:], strict=True)
    }
    return {id: (score + WEIGHT * met.get(id, 0.0)) / (1 + WEIGHT) for id, score in scores.items()}


def _weight(word: str, language: str, rarity: Mapping[str, float]) -> float:
    return max((rarity.get(token, 0.0) for token in query_tokens(word, language or "en", exact=True)), default=0.0)


def _met(words: np.ndarray, weights: np.ndarray, held: np.ndarray) -> float:
    """How well `words` (words, width) with `weights` (words,) are met by the words `held` (held, width), from 0 to 1."""
    if not held.size:
        return 0.0
    best = (words @ held.T).max(1)
    return max(float(best @ weights / weights.sum()), 0.0)
