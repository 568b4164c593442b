"""The parts of a Llama, with the forward and the backward pass written out.

`forward` returns its result and what the backward pass needs of it. `backward` takes that, and returns the gradient of
the input.

Letters: T is the tokens of a packed batch, D the model's width. There are G groups of S heads that share keys and
values; a head has W numbers.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import mlx.core as mx
import numpy as np
from mlx_lm.tuner.lora import LoRALinear

from pipeline.training.cpu import kernels
from pipeline.training.cpu.packing import Packed
from pipeline.training.cpu.products import Frozen, gemm, numbers

Arrays = dict[str, np.ndarray]


class Layer:
    """One block: y = x + attention(norm(x)), then y + mlp(norm(y))."""

    def __init__(self, layer: Any, name: str, rope: "Rope", *, is_packed: bool, behind: int = 1) -> None:
        """Reads the layer's frozen weights.

        Args:
            layer: mlx-lm's layer.
            name: its path in the model.
            rope: the rotary positions that all layers share.
            is_packed: keep copies of the weights in the order in which the products read them.
            behind: how many layers it is behind the first trained one. Layers before that need no backward pass, and the
                first trained one needs no gradient of its own x.
        """
        parts = {f"{name}.{path}": part for path, part in projections(layer).items()}
        q, k, v, o, gate, up, down = ({name: part} for name, part in parts.items())
        groups = [({**q, **k, **v}, behind > 0), *((group, behind >= 0) for group in (o, {**gate, **up}, down))]
        self._all = [Projections(group, is_packed=is_packed, goes_back=back) for group, back in groups]
        self._qkv, self._o, self._wide, self._down = self._all
        self._attention = Attention(layer.self_attn, rope)
        self._norms = Norm(layer.input_layernorm), Norm(layer.post_attention_layernorm)

    def read(self) -> None:
        """Takes the adapters' current weights."""
        for part in self._all:
            part.read()

    def forward(
        self, x: np.ndarray, packed: Packed, seed: int | None, places: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """The block's output for x (T, D), as (T, D), and what `backward` needs.

        Args:
            x: (T, D).
            packed: the batch.
            seed: the seed of dropout; None: no dropout.
            places: the tokens that are wanted; the output is then (places, D).
        """
        tokens = len(x)
        y, norm = self._norms[0].forward(x)
        (q, k, v), of_qkv = self._qkv.forward(y, seed)
        mixed, attention = self._attention.forward(q, k, v, packed)
        if places is not None:
            x, mixed = x[places], mixed[places]
        (near,), of_o = self._o.forward(mixed, seed)
        near += x
        y, norm_2 = self._norms[1].forward(near)
        (gate, up), of_wide = self._wide.forward(y, seed)
        sigmoid, inner = np.negative(gate), np.empty_like(gate)
        np.exp(sigmoid, out=sigmoid)
        kernels.swiglu_forward(gate, up, sigmoid, inner)
        (out,), of_down = self._down.forward(inner, seed)
        out += near
        return out, (tokens, places, norm, of_qkv, attention, of_o, norm_2, of_wide, gate, up, sigmoid, of_down)

    def backward(self, dx: np.ndarray, kept: Any, found: Arrays, *, is_first: bool) -> np.ndarray:
        """The gradient of x, (T, D). `dx` is overwritten.

        Args:
            dx: the gradient of the output, (T, D) or (places, D).
            kept: what `forward` returned.
            found: receives the adapters' gradients by name.
            is_first: nothing before this layer is trained, so the returned array has no meaning.
        """
        tokens, places, norm, of_qkv, attention, of_o, norm_2, of_wide, gate, up, sigmoid, of_down = kept
        dinner = self._down.backward([dx], of_down, found)
        dgate, dup = np.empty_like(gate), np.empty_like(up)
        kernels.swiglu_backward(dinner, gate, up, sigmoid, dgate, dup)
        self._norms[1].backward(self._wide.backward([dgate, dup], of_wide, found), norm_2, dx)
        mixed = self._o.backward([dx], of_o, found)
        if places is not None:
            dx, mixed = _spread(dx, places, tokens), _spread(mixed, places, tokens)
        dqkv = self._attention.backward(mixed, attention)
        near = self._qkv.backward(dqkv, of_qkv, found, is_first=is_first)
        if not is_first:
            self._norms[0].backward(near, norm, dx)
        return dx


class Projections:
    """Projections of the same x: y = x W + scale · dropout(x) A B as in LoRALinear, or y = x W for one that is not trained.

    They share one dropout of x. LoRALinear draws one for each projection, which takes three times as long.
    """

    def __init__(self, parts: dict[str, Any], *, is_packed: bool, goes_back: bool = True) -> None:
        """Reads the frozen weights.

        Args:
            parts: mlx-lm's projections by path.
            is_packed: keep copies of the weights in the order in which the products read them.
            goes_back: the gradient of x will be asked for.
        """
        self._number = zlib.crc32(" ".join(parts).encode())
        weights = [numbers(frozen(part).weight) for part in parts.values()]
        self._frozen = Frozen(weights, is_packed=is_packed, goes_back=goes_back)
        self._trained = []
        """For each trained projection its index, name, adapter, and columns in x A. That is one product for all of them,
        because narrow products are slow."""
        start = 0
        for place, (name, part) in enumerate(parts.items()):
            if is_lora(part):
                end = start + part.lora_a.shape[1]
                self._trained.append((place, name, part, slice(start, end)))
                start = end
        self.is_trained = bool(self._trained)
        self._rate = 1 - getattr(self._trained[0][2].dropout, "_p_1", 1) if self.is_trained else 0.0
        self.read()

    def read(self) -> None:
        """Takes the adapters' current weights."""
        if self.is_trained:
            self._a = np.concatenate([numbers(part.lora_a) for _, _, part, _ in self._trained], 1)
            self._b = [numbers(part.lora_b) for _, _, part, _ in self._trained]

    def forward(self, x: np.ndarray, seed: int | None) -> tuple[list[np.ndarray], Any]:
        """The output (T, N) of each projection of x (T, K), and what `backward` needs. `seed` None means no dropout."""
        ys = self._frozen.forward(x)
        if not self.is_trained:
            return ys, None
        dropped, stretch = None, 1.0
        if seed is not None and self._rate > 0:
            x, dropped = self._dropped(x, seed)
            stretch = 1 / (1 - self._rate)
        narrow = gemm(x, self._a)
        for (place, _, part, rank), b in zip(self._trained, self._b, strict=True):
            gemm(narrow[:, rank], b, out=ys[place], alpha=part.scale * stretch, beta=1)
        return ys, (x, dropped, narrow, stretch)

    def backward(self, dys: Sequence[np.ndarray], kept: Any, found: Arrays, *, is_first: bool = False) -> np.ndarray:
        """The gradient of x (T, K).

        Args:
            dys: the gradient of each output, (T, N).
            kept: what `forward` returned.
            found: receives the adapters' gradients by name.
            is_first: the gradient of x is not needed, so the returned array has no meaning.
        """
        if self.is_trained:
            x, dropped, narrow, stretch = kept
            dnarrow = np.empty_like(narrow)
            for (place, name, part, rank), b in zip(self._trained, self._b, strict=True):
                scale = part.scale * stretch
                gemm(dys[place], b, tb=True, alpha=scale, out=dnarrow[:, rank])
                found[f"{name}.lora_b"] = gemm(narrow[:, rank], dys[place], ta=True, alpha=scale)
            da = gemm(x, dnarrow, ta=True)
            found.update({f"{name}.lora_a": da[:, rank] for _, name, _, rank in self._trained})
        if is_first:
            return dys[0]
        dx = self._frozen.backward(dys)
        if self.is_trained and dropped is None:
            gemm(dnarrow, self._a, tb=True, out=dx, beta=1)
        elif self.is_trained:
            kernels.add_but(dx, gemm(dnarrow, self._a, tb=True), dropped)
        return dx

    def _dropped(self, x: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """x with the dropped numbers at 0, and their indices. A layer that is computed again drops the same."""
        expected = x.size * self._rate
        places = np.empty(int(expected + 6 * expected**0.5) + 10, np.int64)  # too small once in a billion times
        random = np.random.Generator(np.random.SFC64((seed, self._number)))
        y = np.empty_like(x)
        return y, places[: kernels.drop(x, y, self._rate, random, places)]


class Norm:
    """RMSNorm (Zhang and Sennrich 2019): y = x w / sqrt(mean(x²) + eps)."""

    def __init__(self, norm: Any) -> None:
        self._weight, self._eps = numbers(norm.weight), np.float32(norm.eps)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        """The normalised x (T, D), and what `backward` needs."""
        y, inverse = np.empty_like(x), np.empty(len(x), np.float32)
        kernels.norm_forward(x, self._weight, self._eps, y, inverse)
        return y, (x, inverse)

    def backward(self, dy: np.ndarray, kept: Any, dx: np.ndarray) -> None:
        """Adds the gradient of x to `dx` (T, D); `dy` (T, D) is the gradient of the output."""
        x, inverse = kept
        kernels.norm_backward(dy, x, self._weight, inverse, dx)


class Rope:
    """Rotary positions. The angles are read off the model's own rope, so any scaling of positions is kept."""

    def __init__(self, rope: Any, width: int) -> None:
        self._rope, self._width = rope, width
        self._cos = self._sin = np.empty((0, width // 2), np.float32)

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


class Attention:
    """Causal attention. The heads of a group form one longer matrix (tokens · S, W)."""

    def __init__(self, part: Any, rope: Rope) -> None:
        self._groups, self._share, self._width = part.n_kv_heads, part.n_heads // part.n_kv_heads, part.head_dim
        self._scale, self._rope = part.scale, rope

    def forward(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, packed: Packed) -> tuple[np.ndarray, Any]:
        """The mixed values (T, G · S · W) and what `backward` needs; q is (T, G · S · W), k and v are (T, G · W)."""
        q, k = self._rope.turned(q, packed.positions, 1), self._rope.turned(k, packed.positions, 1)
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
        return y, (packed.positions, kept)

    def backward(self, dy: np.ndarray, kept: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The gradients of q, k and v; `dy` (T, G · S · W) is the gradient of the output."""
        positions, parts = kept
        dq = np.empty_like(dy)
        dk, dv = (np.zeros((len(dy), self._groups * self._width), np.float32) for _ in range(2))
        for part, here, keys, values, p in parts:
            there = self._by_group(dy[part.own])
            dp = self._products(there, values.transpose(1, 2, 0))
            dv[part.seen] += self._gathered(p, there)
            kernels.softmax_backward(dp, p)
            dq[part.own] = self._side_by_side(self._products(dp, keys.swapaxes(0, 1), self._scale))
            dk[part.seen] += self._gathered(dp, here, self._scale)
        return self._rope.turned(dq, positions, -1), self._rope.turned(dk, positions, -1), dv

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


def projections(layer: Any) -> dict[str, Any]:
    """The seven projections of a Llama's layer, by their path within it."""
    attention, mlp = layer.self_attn, layer.mlp
    return {
        "self_attn.q_proj": attention.q_proj, "self_attn.k_proj": attention.k_proj, "self_attn.v_proj": attention.v_proj,
        "self_attn.o_proj": attention.o_proj,
        "mlp.gate_proj": mlp.gate_proj, "mlp.up_proj": mlp.up_proj, "mlp.down_proj": mlp.down_proj,
    }  # fmt: skip


def frozen(part: Any) -> Any:
    """The projection below its adapter; a projection without one as it is."""
    return part.linear if is_lora(part) else part


def is_lora(part: Any) -> bool:
    """Whether the projection has a LoRA adapter."""
    return type(part) is LoRALinear


def _flat(x: np.ndarray) -> np.ndarray:
    """A contiguous (L, heads, numbers) as (L · heads, numbers)."""
    return x.reshape(-1, x.shape[-1])


def _spread(x: np.ndarray, places: np.ndarray, tokens: int) -> np.ndarray:
    """A (T, D) with x (places, D) at its places and 0 elsewhere."""
    y = np.zeros((tokens, x.shape[1]), np.float32)
    y[places] = x
    return y
