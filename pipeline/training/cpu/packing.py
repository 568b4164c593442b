"""A batch as the written-out gradients read it: without padding, and with nothing computed twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.training.data import Batch


@dataclass(frozen=True, slots=True)
class PackedPart:
    """The rows' common beginning, or the rest of one row."""

    own: slice
    """Its tokens in the packed batch."""
    seen: np.ndarray
    """The indices of the tokens that they may see; its own come last."""


class Packed:
    """A batch's tokens without padding. The beginning that all rows share, the persona and the words around it, is there once.

    The same tokens give the same hidden states, so they are computed once for all rows. None of the shared tokens is learnt.
    """

    def __init__(self, batch: Batch) -> None:
        rows = [row[:last] for row, last in zip(batch.tokens, batch.spans[:, 1], strict=True)]
        common = _common(rows, int(batch.spans[:, 0].min()) - 1)
        ends = np.cumsum([common, *(len(row) - common for row in rows)])
        self.tokens = np.concatenate([rows[0][:common], *(row[common:] for row in rows)])
        self.positions = np.concatenate([np.arange(common), *(np.arange(common, len(row)) for row in rows)])
        learnt = [np.arange(max(first, 1), last + 1) for first, last in batch.spans]
        self.places = np.concatenate([steps - 1 - common + end for steps, end in zip(learnt, ends, strict=False)])
        """The indices of the tokens that are followed by a learnt one. `targets` holds those learnt tokens."""
        self.rows = np.repeat(np.arange(len(learnt)), [len(steps) for steps in learnt])
        """The row of each place."""
        self.targets = np.concatenate([row[steps] for row, steps in zip(batch.tokens, learnt, strict=True)])
        beginning = np.arange(common)
        self.parts = [PackedPart(slice(0, common), beginning)] if common else []
        self.parts += [PackedPart(slice(*ends), np.append(beginning, np.arange(*ends))) for ends in pairwise(ends)]


def _common(rows: Sequence[np.ndarray], most: int) -> int:
    """How many tokens all rows begin with in common, at most `most`."""
    most = max(0, min(most, *map(len, rows)))
    same = np.all([row[:most] == rows[0][:most] for row in rows], 0)
    return most if same.all() else int(same.argmin())
