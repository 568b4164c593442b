"""Bounds how long a model thinks before it answers.

Import this after `blas.preload()`.
"""

from collections.abc import Sequence
from typing import Any

import mlx.core as mx

THINKING_TOKENS = 1024
"""The most tokens of a thought, unless a request says otherwise."""


class ThinkingBound:
    """Closes a thought that is too long, as a logits processor of mlx-lm.

    Args:
        tokens: the most tokens of a thought.
        opening: the tokens that open a thought; empty: the prompt has opened it.
        closing: the tokens that close a thought.
    """

    def __init__(self, tokens: int, opening: Sequence[int], closing: Sequence[int]) -> None:
        self._tokens = tokens
        self._opening = list(opening)
        self._closing = list(closing)
        self._steps = 0
        self._is_over = False

    def __call__(self, tokens: mx.array, logits: mx.array) -> mx.array:
        """`logits` (1, words). From the bound on, only the next closing token stays finite, until the thought is closed.

        Args:
            tokens: (length,), the prompt and the answer so far.
            logits: (1, words), those of the next token.
        """
        self._steps += 1
        over = self._steps - 1 - self._tokens
        if self._is_over or over < 0:
            return logits
        # The tokens are read only once, at the bound. Reading them at each step would make MLX wait each time.
        if over == len(self._closing) or (over == 0 and not self._is_open(tokens)):
            self._is_over = True
            return logits
        words = mx.arange(logits.shape[-1])
        return mx.where(words == self._closing[over], logits, mx.array(-mx.inf, logits.dtype))

    def _is_open(self, tokens: mx.array) -> bool:
        said: Any = tokens[len(tokens) - self._steps + 1 :].tolist()
        return (not self._opening or _stands_in(self._opening, said)) and not _stands_in(self._closing, said)


def _stands_in(sequence: list[int], tokens: list[int]) -> bool:
    return any(tokens[at : at + len(sequence)] == sequence for at in range(len(tokens) - len(sequence) + 1))
