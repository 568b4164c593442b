"""Orders the best passages anew by how well the words of the question are met by theirs, in meaning.

Each word of the question counts by its best match among the passage's words, the rarer ones more (late interaction:
Khattab and Zaharia, ColBERT, SIGIR 2020). docs/search-quality.md says what it brings.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.embedding.token_vectors import ReadTokens
from pipeline.embedding.word_vectors import word_vectors
from pipeline.index import keywords
from pipeline.text.tokens import query_tokens, tokens
from pipeline.text.words import WORD

READ = 5
"""So many passages are read; more changed nothing on documentation and did not help code."""
STRETCH = 30
"""Of each passage so many words are read, where the question's are densest. All of it takes four times as long and
finds less: far from the question's words a passage speaks of other things."""
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
    read: ReadTokens, *, words: int | None = STRETCH,
) -> dict[str, float]:  # fmt: skip
    """New scores of all passages, from 0 to 1 if the old ones are; {} if nothing can be compared.

    Args:
        language: the question's, an ISO 639-1 code.
        texts: of the passages that are read, by id, each below a line with its title and headings.
        scores: of all passages, by id.
        rarity: the weight of each token of the question.
        read: gives the vectors of tokens.
        words: so many of each text are read; None: all.
    """
    if words is not None:
        texts = {id: densest_stretch(text, language, rarity, words) for id, text in texts.items()}
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


def densest_stretch(text: str, language: str, rarity: Mapping[str, float], words: int) -> str:
    """The first line of `text`, and the so many `words` of the rest that hold most of the question's, weighed by `rarity`."""
    heading, line_end, body = text.partition("\n")
    found = list(WORD.finditer(body))
    if len(found) <= words:
        return text
    shared = {word: _shared(word, language, rarity) for word in {match[0] for match in found}}
    sums = np.cumsum([0.0, *(shared[match[0]] for match in found)])
    first = int(np.argmax(sums[words:] - sums[:-words]))
    return f"{heading}{line_end}{body[found[first].start() : found[first + words - 1].end()]}"


def _shared(word: str, language: str, rarity: Mapping[str, float]) -> float:
    return max((rarity.get(token, 0.0) for token in tokens(word, language or "en")), default=0.0)


def _weight(word: str, language: str, rarity: Mapping[str, float]) -> float:
    return max((rarity.get(token, 0.0) for token in query_tokens(word, language or "en", exact=True)), default=0.0)


def _met(words: np.ndarray, weights: np.ndarray, held: np.ndarray) -> float:
    """How well `words` (words, width) with `weights` (words,) are met by the words `held` (held, width), from 0 to 1."""
    if not held.size:
        return 0.0
    best = (words @ held.T).max(1)
    return max(float(best @ weights / weights.sum()), 0.0)
