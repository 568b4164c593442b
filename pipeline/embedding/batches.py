"""Puts texts of different lengths into one run of a model."""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.embedding.bert import IDS, MASK


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Groups of indices of texts with similar lengths, longest first. Padded, a group has at most `budget` tokens.

    Args:
        lengths: the tokens of each text.
        budget: the most tokens of a group, padding included. A longer text is a group of its own.
    """
    group: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if group and lengths[group[0]] * (len(group) + 1) > budget:
            yield group
            group = []
        group.append(row)
    if group:
        yield group


def padded(tokens: Sequence[Sequence[int]]) -> dict[str, np.ndarray]:
    """The inputs of a run: ids and mask, both int64 (texts, longest), filled up with 0."""
    shape = len(tokens), max(len(ids) for ids in tokens)
    ids, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, text in enumerate(tokens):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return {IDS: ids, MASK: mask}
