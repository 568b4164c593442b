"""How a next token is chosen: mlx-lm's samplers, one for all that sample alike, and one with a seed of its own.

Import this after `blas.preload()`.
"""

import secrets
from collections.abc import Callable
from functools import lru_cache
from random import Random

import mlx.core as mx
from mlx_lm.sample_utils import make_sampler

Sampler = Callable[[mx.array], mx.array]
"""From the logarithms of probabilities (rows, words) to tokens (rows,)."""


class SeededSampler:
    """Draws as if it were alone: what other rows of the batch draw changes nothing, and it changes nothing for them.

    So a request with a seed need not wait until it has the engine for itself.
    """

    def __init__(self, sampler: Sampler, seed: int) -> None:
        self._sampler = sampler
        self._seeds = Random(seed)

    def __call__(self, logprobs: mx.array) -> mx.array:
        mx.random.seed(self._seeds.getrandbits(63))
        try:
            return self._sampler(logprobs)
        finally:
            mx.random.seed(secrets.randbits(63))


@lru_cache(maxsize=64)
def sampler(
    temperature: float,
    top_p: float,
    top_k: int,
    min_p: float,
    xtc_probability: float,
    xtc_threshold: float,
    xtc_special_tokens: tuple[int, ...],
) -> Sampler:
    """mlx-lm's; the same object for the same numbers, because mlx-lm samples rows of one sampler at once."""
    return make_sampler(
        temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        xtc_probability=xtc_probability,
        xtc_threshold=xtc_threshold,
        xtc_special_tokens=list(xtc_special_tokens),
    )
