"""How the next token is chosen: mlx-lm's samplers, shared by all requests that sample alike, and one with its own seed.

Import this after `blas.preload()`.
"""

import secrets
from collections.abc import Callable
from functools import lru_cache
from random import Random

import mlx.core as mx
from mlx_lm.sample_utils import make_sampler

Sampler = Callable[[mx.array], mx.array]
"""Takes log-probabilities (rows, words) and returns tokens (rows,)."""


class SeededSampler:
    """Draws as if its request were alone: other rows of the batch do not change its draws, nor it theirs.

    So a request with a seed need not wait until it has the engine to itself.

    Args:
        sampler: chooses the token.
        seed: the request's seed.
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
    """mlx-lm's sampler for these parameters.

    The same parameters give the same object, because mlx-lm samples all rows with one sampler at once.
    """
    return make_sampler(
        temperature,
        top_p=top_p,
        top_k=top_k,
        min_p=min_p,
        xtc_probability=xtc_probability,
        xtc_threshold=xtc_threshold,
        xtc_special_tokens=list(xtc_special_tokens),
    )
