"""One more token for each chat, written out in NumPy, for a model in 8 bits. Import this after `blas.preload()`.

Beside products that take some ten microseconds each, MLX's share of a token is its own bookkeeping: it hands every small
operation to another thread, and is waited for before each product. Written out, a token of the demo model takes half of
the time. Prompts are long enough for MLX.
"""

from functools import cached_property
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.models.cache import BatchKVCache

FAMILIES = ("llama", "mistral", "qwen2", "qwen3")
"""Those of mlx-lm's models whose blocks are computed as here."""


class Rotations:
    """The cosines and sines of rotary position embeddings (Su et al. 2021), shared by a model's blocks.

    Args:
        rope: mlx-lm's module, which knows the model's frequencies and scaling.
        width: of a head.
    """

    def __init__(self, rope: nn.Module, width: int) -> None:
        self._rope = rope
        self._width = width
        self._positions = np.empty(0, int)
        self._turns = np.empty(0), np.empty(0)

    @cached_property
    def are_known(self) -> bool:
        """Whether `rope` turns the first half of a head against its second half, as `rotated` does. A trial tells."""
        x = np.random.default_rng(0).normal(size=(2, 3, 1, self._width)).astype(np.float32)
        positions = np.array([3, 70])
        theirs = np.array(self._rope(mx.array(x), offset=mx.array(positions)))
        return bool(np.allclose(rotated(x[:, :, 0], *self.at(positions)), theirs[:, :, 0], atol=1e-4))

    def at(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cosines and sines (rows, 1, width / 2) of the rows at these positions (rows,)."""
        if not np.array_equal(positions, self._positions):
            half = mx.ones((len(positions), 1, 1, self._width // 2))
            turned = self._rope(mx.concatenate([half, mx.zeros_like(half)], axis=-1), offset=mx.array(positions))
            cosines, sines = np.split(np.array(turned)[:, :, 0], 2, axis=-1)
            self._positions, self._turns = positions, (cosines, sines)
        return self._turns


class Int8Block(nn.Module):
    """A transformer block, of which a step of one token is written out; mlx-lm's own block computes the rest.

    Args:
        block: mlx-lm's, with linear layers in 8 bits. This block takes its place, with layers of the same names.
        rotations: of the whole model.
    """

    def __init__(self, block: nn.Module, rotations: Rotations) -> None:
        super().__init__()
        self.__dict__.update(block.__dict__)
        dict.update(self, block)
        self._whole = type(block).__call__
        self._rotations = rotations

    def __call__(self, x: mx.array, mask: Any = None, cache: Any = None) -> mx.array:
        if x.shape[1] != 1 or type(cache) is not BatchKVCache or cache.keys is None or cache._right_padding is not None:
            y: mx.array = self._whole(self, x, mask, cache)
            return y
        h = np.array(x, copy=False)
        h = h + self._attended(_normed(self.input_layernorm, h), mask, cache)
        y = _normed(self.post_attention_layernorm, h)
        gate, up = self.mlp.gate_proj.numbers(y), self.mlp.up_proj.numbers(y)
        return mx.array(h + self.mlp.down_proj.numbers(_silu(gate) * up))

    def _attended(self, x: np.ndarray, mask: mx.array, cache: BatchKVCache) -> np.ndarray:
        """What the block's attention adds to its input; `x` is the normed input (rows, 1, width)."""
        attention = self.self_attn
        rows, heads, shared = len(x), attention.n_heads, attention.n_kv_heads
        queries = attention.q_proj.numbers(x).reshape(rows, heads, -1)
        keys = attention.k_proj.numbers(x).reshape(rows, shared, -1)
        values = attention.v_proj.numbers(x).reshape(rows, shared, -1)
        if "q_norm" in attention:
            queries, keys = _normed(attention.q_norm, queries), _normed(attention.k_norm, keys)
        turns = self._rotations.at(cache._idx - np.array(cache.left_padding))
        seen, said = _with_new(cache, rotated(keys, *turns), values)
        queries = rotated(queries, *turns).reshape(rows, shared, heads // shared, -1)
        scores = (queries * np.float32(attention.scale)) @ seen.swapaxes(-1, -2)
        is_seen = np.array(mask, copy=False)
        if not is_seen.all():
            scores = np.where(is_seen, scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        y: np.ndarray = attention.o_proj.numbers((weights @ said).reshape(rows, 1, -1))
        return y


def write_out(model: Any) -> None:
    """Replaces the blocks of `model`, whose linear layers are in 8 bits, by written-out ones, if it is of `FAMILIES`."""
    if model.model_type not in FAMILIES:
        return
    attention = model.layers[0].self_attn
    rotations = Rotations(attention.rope, attention.q_proj.shape[0] // attention.n_heads)
    if rotations.are_known:
        model.model.layers = [Int8Block(block, rotations) for block in model.layers]


def rotated(x: np.ndarray, cosines: np.ndarray, sines: np.ndarray) -> np.ndarray:
    """Heads (rows, heads, width), turned by what `Rotations.at` gives for their rows."""
    first, second = np.split(x, 2, axis=-1)
    return np.concatenate([first * cosines - second * sines, first * sines + second * cosines], axis=-1)


def _with_new(cache: BatchKVCache, keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """All keys and values of the chats (rows, heads, tokens, width), after those of a new token (rows, heads, width).

    They are written where MLX holds them: nothing else reads places of a cache that are not filled yet.
    """
    place = cache._idx
    assert cache.keys is not None
    if place == cache.keys.shape[2]:  # mlx-lm makes room for more
        cache.update_and_fetch(mx.array(keys[:, :, None]), mx.array(values[:, :, None]))
    else:
        cache._idx += 1
        cache.offset = cache.offset + 1
    held = []
    for array, new in ((cache.keys, keys), (cache.values, values)):
        numbers = np.array(array, copy=False)
        numbers[:, :, place] = new
        held.append(numbers[:, :, : place + 1])
    return held[0], held[1]


def _normed(norm: nn.RMSNorm, x: np.ndarray) -> np.ndarray:
    """x divided by the root of its mean square (RMSNorm, Zhang and Sennrich 2019), times the norm's weights."""
    weight = np.array(norm.weight, copy=False)
    y: np.ndarray = x * (weight / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + np.float32(norm.eps)))
    return y


def _silu(x: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and x over it is 0, as it should be
        y: np.ndarray = x / (1 + np.exp(-x))
    return y
