"""Orders the best passages anew by the sentence of each that is nearest to the question.

A passage of several sentences has one vector, so the one sentence that answers may weigh little in it. An embedder whose
cosines lie close together loses most by that: docs/languages.md says what this brings.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from pipeline.text.pieces import split_sentences

READ = 8
"""So many passages are read. With six the gain was half, with ten the same."""
WEIGHT = 1.5
"""How much the nearest sentence of all adds to a score of at most 1. From 1 to 2 it matters little."""
LONGEST = 300
"""Characters of a sentence that are read. What is longer is code or a row of a table."""


def nearest_sentences(
    question: np.ndarray, texts: Mapping[str, str], embed: Callable[[Sequence[str]], np.ndarray]
) -> dict[str, float]:
    """The cosine of the nearest sentence of each text, by id; a text without a sentence is left out.

    Args:
        question: its vector, (dimension,) of length 1.
        texts: of the passages, by id, each below a line with its title and headings, which is read with each sentence.
        embed: gives the vectors (texts, dimension) of texts.
    """
    pieces = {id: _sentences(text) for id, text in texts.items()}
    every = list(dict.fromkeys(piece for own in pieces.values() for piece in own))
    if not every:
        return {}
    cosines = dict(zip(every, (embed(every) @ question).tolist(), strict=True))
    return {id: max(cosines[piece] for piece in own) for id, own in pieces.items() if own}


def by_sentence(scores: Mapping[str, float], nearest: Mapping[str, float], unrelated: float) -> dict[str, float]:
    """New scores of all passages, from 0 to 1 if the old ones are.

    Args:
        scores: by id.
        nearest: the cosine of the nearest sentence, by the id of each passage that was read.
        unrelated: the cosine of texts that have nothing to do with each other.
    """
    best = max(nearest.values(), default=unrelated) - unrelated
    if best <= 0:
        return dict(scores)
    share = {id: max(cosine - unrelated, 0.0) / best for id, cosine in nearest.items()}
    return {id: (score + WEIGHT * share.get(id, 0.0)) / (1 + WEIGHT) for id, score in scores.items()}


def _sentences(text: str) -> list[str]:
    heading, line_end, body = text.partition("\n")
    return [f"{heading}{line_end}{sentence[:LONGEST]}" for sentence in split_sentences(body)]
