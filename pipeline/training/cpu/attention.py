"""Attention, with the forward and the backward pass written out.

Letters: T is the tokens of a packed batch. There are G groups of S heads that share keys and values; a head has W numbers.
"""

from typing import Any

import mlx.core as mx
import numpy as np

from pipeline.training.cpu import kernels
from pipeline.training.cpu.norm import Norm
from pipeline.training.cpu.packing import Packed
from pipeline.training.cpu.products import gemm
from pipeline.training.cpu.projections import frozen


class Rope:
    """Rotary positions. The angles are read off the model's own rope, so any scaling of positions is kept."""

    def __init__(self, attention: Any) -> None:
        """Takes mlx-lm's attention of any layer."""
        self._rope, self._width = attention.rope, head_width(attention)
        self._cos = self._sin = np.empty((0, self._width // 2), np.float32)

    def reach(self, length: int) -> None:
        """Computes the angles of the first `length` positions: cosines and sines (length, W/2)."""
        if len(self._cos) < length:
            units = np.zeros((1, 1, length, self._width), np.float32)
            units[..., : self._width // 2] = 1
            turned = np.array(self._rope(mx.array(units)))[0, 0]
            self._cos, self._sin = (np.ascontiguousarray(half) for half in np.split(turned, 2, 1))

    def turned(self, x: np.ndarray, positions: np.ndarray, direction: int) -> np.ndarray:
        """x (T, heads · W) turned by its positions' angles; direction 1 turns forward, -1 back."""
        y = np.empty_like(x)
        kernels.turn(x, self._cos, self._sin, positions, np.float32(direction), y)
        return y


class Heads:
    """The queries' or the keys' way to their products: each head is normalised if the model does so (Qwen 3), then turned."""

    def __init__(self, norm: Any, rope: Rope) -> None:
        """Takes mlx-lm's norm, or None, and the rope."""
        self._norm, self._rope = Norm(norm) if norm else None, rope

    def forward(self, x: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, Any]:
        """The turned heads of x (T, heads · W), and what `backward` needs."""
        x, kept = self._norm.forward(x) if self._norm else (x, None)
        return self._rope.turned(x, positions, 1), kept

    def backward(self, dy: np.ndarray, positions: np.ndarray, kept: Any) -> np.ndarray:
        """The gradient of x; `dy` (T, heads · W) is the gradient of the output."""
        dy = self._rope.turned(dy, positions, -1)
        if not self._norm:
            return dy
        dx = np.zeros_like(dy)
        self._norm.backward(dy, kept, dx)
        return dx


class Attention:
    """Causal attention. The heads of a group form one longer matrix (tokens · S, W)."""

    def __init__(self, part: Any, rope: Rope) -> None:
        self._groups, self._share, self._width = part.n_kv_heads, part.n_heads // part.n_kv_heads, head_width(part)
        self._scale = part.scale
        self._queries, self._keys = (Heads(part.get(name), rope) for name in ("q_norm", "k_norm"))

    def forward(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, packed: Packed) -> tuple[np.ndarray, Any]:
        """The mixed values (T, G · S · W) and what `backward` needs; q is (T, G · S · W), k and v are (T, G · W)."""
        q, of_q = self._queries.forward(q, packed.positions)
        k, of_k = self._keys.forward(k, packed.positions)
        y = np.empty_like(q)
        kept = []
        for part in packed.parts:
            here, keys, values = self._by_group(q[part.own]), self._seen(k, part.seen), self._seen(v, part.seen)
            p = self._products(here, keys.transpose(1, 2, 0), self._scale)
            kernels.hide(p)
            np.exp(p, out=p)
            kernels.share_out(p)
            y[part.own] = self._side_by_side(self._products(p, values.swapaxes(0, 1)))
            kept.append((part, here, keys, values, p))
        return y, (packed.positions, of_q, of_k, kept)

    def backward(self, dy: np.ndarray, kept: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The gradients of q, k and v; `dy` (T, G · S · W) is the gradient of the output."""
        positions, of_q, of_k, parts = kept
        dq = np.empty_like(dy)
        dk, dv = (np.zeros((len(dy), self._groups * self._width), np.float32) for _ in range(2))
        for part, here, keys, values, p in parts:
            there = self._by_group(dy[part.own])
            dp = self._products(there, values.transpose(1, 2, 0))
            dv[part.seen] += self._gathered(p, there)
            kernels.softmax_backward(dp, p)
            dq[part.own] = self._side_by_side(self._products(dp, keys.swapaxes(0, 1), self._scale))
            dk[part.seen] += self._gathered(dp, here, self._scale)
        return self._queries.backward(dq, positions, of_q), self._keys.backward(dk, positions, of_k), dv

    def _seen(self, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(seen, G, W) of x (T, G · W)."""
        return np.asarray(x[seen]).reshape(-1, self._groups, self._width)

    def _by_group(self, x: np.ndarray) -> np.ndarray:
        """(G, tokens, S, W) of x (tokens, G · S · W)."""
        return np.ascontiguousarray(x.reshape(len(x), self._groups, self._share, self._width).swapaxes(0, 1))

    def _side_by_side(self, x: np.ndarray) -> np.ndarray:
        return x.swapaxes(0, 1).reshape(x.shape[1], -1)

    def _products(self, x: np.ndarray, y: np.ndarray, alpha: float = 1.0) -> np.ndarray:
        """(G, tokens, S, n) of x (G, tokens, S, m) and y (G, m, n). y is copied to be contiguous, as a transposed product
        is slower."""
        y = np.ascontiguousarray(y)
        out = np.empty((*x.shape[:3], y.shape[2]), np.float32)
        for group in range(self._groups):
            gemm(_flat(x[group]), y[group], alpha=alpha, out=_flat(out[group]))
        return out

    def _gathered(self, p: np.ndarray, x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
        """The sum over a key's queries: (seen, G · W) of p (G, tokens, S, seen) and x (G, tokens, S, W)."""
        out = np.empty((p.shape[3], self._groups, self._width), np.float32)
        for group in range(self._groups):
            gemm(_flat(p[group]), _flat(x[group]), ta=True, alpha=alpha, out=out[:, group])
        return out.reshape(len(out), -1)


def head_width(attention: Any) -> int:
    """How many numbers a head of mlx-lm's attention has."""
    width: int = frozen(attention.k_proj).weight.shape[0] // attention.n_kv_heads
    return width


def _flat(x: np.ndarray) -> np.ndarray:
    """A contiguous (L, heads, numbers) as (L · heads, numbers)."""
    return x.reshape(-1, x.shape[-1])
