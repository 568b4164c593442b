"""The distance of a text from an author's: the mean of |z| over features.

Delta(text) = mean over features of |z(text) - z(author)|, with z = (rate - mean) / standard deviation over texts of the same
length by many authors (Burrows, Delta: a measure of stylistic difference, 2002). A short text is far from anyone, so all
texts that are compared are joined up to the same number of words.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.evaluation.voice.features import rates

FARTHEST = 3.0
"""Standard deviations beyond which one feature counts no more: a single odd sign must not decide."""
DRAWS = 4000
"""Texts that are joined anew: enough for a p that survives the correction for a whole table."""


class Distance:
    """Measures the distance from one author.

    Args:
        author: counts of the author's pieces, (pieces, 2, features).
        others: counts of the pieces of each other author.
        sizes: words of all these pieces, in the same order.
        budget: words of the texts that are compared.
    """

    def __init__(
        self, author: np.ndarray, others: Sequence[np.ndarray], sizes: Sequence[np.ndarray], budget: int
    ) -> None:
        rng = np.random.default_rng(0)
        own = joined(author, sizes[0], budget, rng, DRAWS)
        foreign = [
            joined(counts, size, budget, rng, max(1, DRAWS // len(others)))
            for counts, size in zip(others, sizes[1:], strict=True)
        ]
        spread = rates(np.concatenate([own, *foreign]))
        self._mean, self._deviation = spread.mean(axis=0), spread.std(axis=0)
        self._used = self._deviation > 0
        self._author = self._z(author.sum(axis=0))
        self.foreign = np.concatenate([self.of(one) for one in foreign])
        """The distances of other authors' texts, whose mean is the floor."""

    def _z(self, counts: np.ndarray) -> np.ndarray:
        z = (rates(counts) - self._mean)[..., self._used] / self._deviation[self._used]
        return np.asarray(z)

    def of(self, counts: np.ndarray) -> np.ndarray:
        """The distance of each of several joined texts (texts, 2, features)."""
        apart = np.minimum(np.abs(self._z(counts) - self._author), FARTHEST)
        return np.asarray(apart.mean(axis=-1))


def joined(counts: np.ndarray, sizes: np.ndarray, budget: int, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Texts of about `budget` words, each joined of pieces that are drawn with replacement, (draws, 2, features)."""
    return np.stack([counts[drawn].sum(axis=0) for drawn in drawings(sizes, budget, rng, draws)])


def drawings(sizes: np.ndarray, budget: int, rng: np.random.Generator, draws: int) -> list[np.ndarray]:
    """For each joined text, the places of its pieces."""
    longest = int(np.ceil(budget / max(1.0, float(sizes.min())))) + 1
    found = []
    for _ in range(draws):
        places = rng.integers(0, len(sizes), longest)
        found.append(places[: int(np.searchsorted(np.cumsum(sizes[places]), budget)) + 1])
    return found
