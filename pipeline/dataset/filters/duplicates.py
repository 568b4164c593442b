"""Questions that are asked twice in other words."""

from collections.abc import Callable, Container, Sequence

import numpy as np

from pipeline.dataset.records import Pair, Rejection

SAME = 0.95
"""Cosine of two questions from which they ask the same."""


def duplicates(
    pairs: Sequence[Pair], embed: Callable[[Sequence[str]], np.ndarray], *, kept: Container[str] = ()
) -> dict[str, Rejection]:
    """Rejections by id of pairs whose question an earlier or better graded pair asks; those in `kept` stay.

    Args:
        embed: unit vectors, float32 (texts, dimension).
    """
    order = sorted(pairs, key=lambda pair: (pair.id not in kept, -pair.accuracy - pair.style))
    vectors = embed([pair.question for pair in order])
    chosen: list[int] = []
    refused: dict[str, Rejection] = {}
    for row, pair in enumerate(order):
        if chosen and pair.id not in kept:
            cosines = vectors[chosen] @ vectors[row]
            nearest = int(cosines.argmax())
            if cosines[nearest] >= SAME:
                asked = order[chosen[nearest]].question
                refused[pair.id] = Rejection(stage="duplicates", reason=f"“{asked}” asks the same")
                continue
        chosen.append(row)
    return refused
