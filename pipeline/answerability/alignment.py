"""How well the words of a question are met by the words of a passage, in meaning and not in letters.

Each word of the question is compared with each word of the passage by the cosine of their vectors, which the embedder
made in their context, and the best match counts (late interaction: Khattab and Zaharia, ColBERT, SIGIR 2020). So `huge`
is met by `large`, and the `cost` that no passage speaks of by nothing, however near the whole passage is.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from pipeline.embedding.token_vectors import ReadTokens
from pipeline.embedding.word_vectors import word_vectors


class Alignment(NamedTuple):
    """How well one passage meets a question, each from -1 to 1. Each number is that of the passage where it is highest."""

    subject: float
    """The mean over the words that carry meaning, the rarer ones weighing more."""
    wording: float
    """The mean over all words. Those that ask (`when`, `how much`) are met by what answers them."""


def align(question: str, texts: Sequence[str], rarity: Mapping[str, float], read: ReadTokens) -> Alignment | None:
    """Compares a question with the texts of passages.

    Args:
        rarity: the weight of each word that carries meaning, by the word as it is written. A word of weight 0 or less is
            left out altogether, and one without a weight counts for the wording only.

    Returns:
        None if there is nothing to compare.
    """
    vectors = read([question, *texts])
    if vectors is None:
        return None
    words, asked = word_vectors(question, vectors[0])
    said = [place for place, word in enumerate(words) if rarity.get(word, 1.0) > 0]
    passages = [held for _, held in map(word_vectors, texts, vectors[1:]) if held.size]
    if not said or not passages:
        return None
    best = np.stack([(asked[said] @ passage.T).max(1) for passage in passages])
    weights = np.array([rarity.get(words[place], 0.0) for place in said])
    if not weights.any():
        weights = np.ones(len(said))
    return Alignment(
        subject=float((best @ weights / weights.sum()).max()),
        wording=float(best.mean(1).max()),
    )
