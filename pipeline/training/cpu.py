"""The gradients of a LoRA on a Llama, and Adam, written out for a Linux CPU.

MLX computes exponentials and random numbers there one at a time (40 to 120 million a second) where NumPy uses the
vector unit (2,000 million), and its graph for one step has some ten thousand nodes. Here the way forward and back is
NumPy and products of the OpenBLAS that MLX uses too, so that little more than the products is left. It is for what a
newcomer's machine trains: an fp32 model of mlx-lm's `llama`; every other one goes by MLX's own gradients.

Tried and left: NumPy within `mx.custom_function`, which would serve other architectures too. Each evaluation within a
gradient walks over the whole graph before it, and a step took as long as without.

Letters: T tokens of a packed batch; D the model's width; G groups of S heads that share keys and values, of W numbers
each. Import this after `blas.preload()`.
"""

import ctypes
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models import llama
from mlx_lm.tuner.lora import LoRALinear

from pipeline.models import blas
from pipeline.training.checkpoint import weights_of
from pipeline.training.data import Batch

Arrays = dict[str, np.ndarray]


def is_here() -> bool:
    """Whether MLX computes on a Linux CPU."""
    return blas.is_needed() and mx.default_device().type == mx.DeviceType.cpu


def is_fit(model: Any) -> bool:
    """Whether this machine gains by `WrittenOut`, and it knows all that this model consists of."""
    if not is_here() or type(model) is not llama.Model or model.model.swa_idx is not None:
        return False
    projections = [part for layer in model.layers for part in _projections(layer).values()]
    every: Any = tree_flatten(model.parameters())
    return (
        type(model.model.embed_tokens) is nn.Embedding
        and all(value.dtype == mx.float32 for _, value in every)
        and {name.rpartition(".")[2] for name in weights_of(model)} == {"lora_a", "lora_b"}
        and all(type(_frozen(part)) is nn.Linear and "bias" not in _frozen(part) for part in projections)
        and not any(getattr(layer.self_attn.rope, "traditional", False) for layer in model.layers)
    )


class WrittenOut:
    """Loss and gradients of mlx-lm's default_loss for a model that `is_fit`."""

    def __init__(self, model: Any, *, is_checkpointed: bool = False) -> None:
        """`is_checkpointed`: a layer keeps only what goes into it, and is computed a second time on the way back."""
        _keep_memory()
        self._model, self._is_checkpointed = model, is_checkpointed
        self._embedding = _numbers(model.model.embed_tokens.weight)
        self._head = self._embedding if model.args.tie_word_embeddings else _numbers(model.lm_head.weight)
        self._norm = _Norm(model.model.norm)
        self._layers = [_Layer(layer, f"model.layers.{place}") for place, layer in enumerate(model.layers)]
        self._first = next(place for place, layer in enumerate(self._layers) if layer.is_trained)

    # 1 / (1 + inf) is the 0 that is meant; a loss that breaks is the loop's to report.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The mean loss over the learnt tokens, and the gradients as a tree like that of the trained parameters.

        Args:
            seed: of dropout, which there is when the model is in training.
        """
        mx.eval(self._model.trainable_parameters())
        loss, gradients = self._run(Packed(batch), seed if self._model.training else None)
        return mx.array(loss), tree_unflatten([(name, mx.array(value)) for name, value in gradients.items()])

    def _run(self, packed: "Packed", seed: int | None) -> tuple[float, Arrays]:
        x = self._embedding[packed.tokens]
        entered = []
        *layers, last = self._layers
        for place, layer in enumerate(layers):
            entered.append(x)
            x = layer.forward(x, packed, seed)
            if self._is_checkpointed or place < self._first:
                layer.forget()
        # Behind the last attention only what is learnt from matters.
        x = last.forward(x, packed, seed, packed.places)
        logits = gemm(self._norm.forward(x), self._head, tb=True)
        loss, dlogits = _cross_entropy(logits, packed.targets)
        dx = self._norm.backward(gemm(dlogits, self._head))
        found: Arrays = {}
        for place in range(len(layers), self._first - 1, -1):
            layer = self._layers[place]
            if self._is_checkpointed and layer is not last:
                layer.forward(entered[place], packed, seed)
            dx = layer.backward(dx, found, is_first=place == self._first)
            layer.forget()
        return loss, found


class Packed:
    """A batch's tokens without padding, and once what all its rows begin with: the persona and the words around it.

    Behind the same tokens stand the same hidden states, so they are computed once for all rows. Nothing is learnt from
    them themselves.
    """

    def __init__(self, batch: Batch) -> None:
        rows = [row[:last] for row, last in zip(batch.tokens, batch.spans[:, 1], strict=True)]
        self._common = common = _common(rows, int(batch.spans[:, 0].min()) - 1)
        self._ends = np.cumsum([common, *(len(row) - common for row in rows)])
        self.tokens = np.concatenate([rows[0][:common], *(row[common:] for row in rows)])
        self.positions = np.concatenate([np.arange(common), *(np.arange(common, len(row)) for row in rows)])
        learnt = [np.arange(max(first, 1), last + 1) for first, last in batch.spans]
        self.places = np.concatenate([steps - 1 - common + end for steps, end in zip(learnt, self._ends, strict=False)])
        """Of the tokens behind which one is learnt, and which ones these are."""
        self.targets = np.concatenate([row[steps] for row, steps in zip(batch.tokens, learnt, strict=True)])

    def parts(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Of the beginning and of each row's rest: its own tokens, and those that they see, themselves the last."""
        beginning = np.arange(self._common)
        if self._common:
            yield slice(0, self._common), beginning
        for start, end in pairwise(self._ends):
            yield slice(start, end), np.append(beginning, np.arange(start, end))


def _common(rows: Sequence[np.ndarray], most: int) -> int:
    """How many tokens all rows begin with, `most` at most."""
    most = max(0, min(most, *map(len, rows)))
    same = np.all([row[:most] == rows[0][:most] for row in rows], 0)
    return most if same.all() else int(same.argmin())


class _Layer:
    """One block: x + attention(norm(x)), and to that its own MLP of its norm."""

    def __init__(self, layer: Any, name: str) -> None:
        parts = {f"{name}.{path}": part for path, part in _projections(layer).items()}
        q, k, v, o, gate, up, down = ({name: part} for name, part in parts.items())
        self._qkv, self._o = _Projections({**q, **k, **v}), _Projections(o)
        self._wide, self._down = _Projections({**gate, **up}), _Projections(down)
        self._all = self._qkv, self._o, self._wide, self._down
        self.is_trained = any(part.is_trained for part in self._all)
        self._attention = _Attention(layer.self_attn)
        self._norms = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)

    def forward(
        self, x: np.ndarray, packed: "Packed", seed: int | None, places: np.ndarray | None = None
    ) -> np.ndarray:
        """(T, D) of (T, D); of `places`, those of T that are wanted: (places, D)."""
        q, k, v = self._qkv.forward(self._norms[0].forward(x), seed)
        mixed = self._attention.forward(q, k, v, packed)
        tokens = len(x)
        if places is not None:
            x, mixed = x[places], mixed[places]
        (near,) = self._o.forward(mixed, seed)
        x = x + near
        z, wide = self._wide.forward(self._norms[1].forward(x), seed)
        sigmoid = np.negative(z)
        np.exp(sigmoid, out=sigmoid)
        sigmoid += 1
        np.reciprocal(sigmoid, out=sigmoid)
        silu = np.multiply(z, sigmoid, out=z)
        self._kept = sigmoid, silu, wide, tokens, places
        (near,) = self._down.forward(silu * wide, seed)
        near += x
        return near

    def backward(self, dx: np.ndarray, found: Arrays, *, is_first: bool) -> np.ndarray:
        """`is_first`: nothing before this layer is trained, and what is returned has no meaning."""
        sigmoid, silu, wide, tokens, places = self._kept
        dwide = self._down.backward([dx], found)
        dz = 1 - sigmoid  # silu'(z) = s + silu(z) (1 - s)
        dz *= silu
        dz += sigmoid
        dz *= dwide
        dz *= wide
        dwide *= silu
        dx = dx + self._norms[1].backward(self._wide.backward([dz, dwide], found))
        mixed = self._o.backward([dx], found)
        if places is not None:
            dx, mixed = _spread(dx, places, tokens), _spread(mixed, places, tokens)
        near = self._qkv.backward(self._attention.backward(mixed), found, is_first=is_first)
        return dx if is_first else dx + self._norms[0].backward(near)

    def forget(self) -> None:
        """Gives the memory back that the way back needed."""
        parts: tuple[Any, ...] = (self, self._attention, *self._norms, *self._all)
        for part in parts:
            part._kept = ()


class _Projections:
    """Those that read the same x: each y = x W + scale · dropout(x) A B, as LoRALinear computes it; x W if not trained.

    What of x is dropped is the same for all of them. LoRALinear draws anew for each, which costs three times as much.
    """

    def __init__(self, parts: dict[str, Any]) -> None:
        self._number = zlib.crc32(" ".join(parts).encode())
        self._weights = [_numbers(_frozen(part).weight) for part in parts.values()]
        trained = [(place, *item) for place, item in enumerate(parts.items()) if type(item[1]) is LoRALinear]
        self._trained = []
        start = 0
        for place, name, part in trained:
            rank = part.lora_a.shape[1]
            self._trained.append((place, name, part, slice(start, start + rank)))
            start += rank
        self.is_trained = bool(trained)

    def forward(self, x: np.ndarray, seed: int | None) -> list[np.ndarray]:
        """`seed`: None: without dropout."""
        ys = [gemm(x, weight, tb=True) for weight in self._weights]
        if self.is_trained:
            # One product for all: narrow ones are slow.
            a = np.concatenate([_numbers(part.lora_a) for _, _, part, _ in self._trained], 1)
            first = self._trained[0][2]
            rate, dropped, stretch = 1 - getattr(first.dropout, "_p_1", 1), None, 1.0
            if seed is not None and rate > 0:
                dropped, stretch = self._drawn(x.size, rate, seed), 1 / (1 - rate)
                x = x.copy()
                x.reshape(-1)[dropped] = 0
            narrow = gemm(x, a)
            for place, _, part, columns in self._trained:
                gemm(narrow[:, columns], _numbers(part.lora_b), out=ys[place], alpha=part.scale * stretch, beta=1)
            self._kept = x, dropped, narrow, a, stretch
        return ys

    def backward(self, dys: Sequence[np.ndarray], found: Arrays, *, is_first: bool = False) -> np.ndarray:
        """The gradient of x."""
        if self.is_trained:
            x, dropped, narrow, a, stretch = self._kept
            dnarrow = np.empty_like(narrow)
            for place, name, part, columns in self._trained:
                dy, scale = dys[place], part.scale * stretch
                gemm(dy, _numbers(part.lora_b), tb=True, alpha=scale, out=dnarrow[:, columns])
                found[f"{name}.lora_b"] = gemm(narrow[:, columns], dy, ta=True, alpha=scale)
            da = gemm(x, dnarrow, ta=True)
            found.update({f"{name}.lora_a": da[:, columns] for _, name, _, columns in self._trained})
        if is_first:
            return dys[0]
        dx = gemm(dys[0], self._weights[0])
        for dy, weight in zip(dys[1:], self._weights[1:], strict=True):
            gemm(dy, weight, out=dx, beta=1)
        if self.is_trained:
            if dropped is None:
                gemm(dnarrow, a, tb=True, out=dx, beta=1)
            else:
                through = gemm(dnarrow, a, tb=True)
                through.reshape(-1)[dropped] = 0
                dx += through
        return dx

    def _drawn(self, count: int, rate: float, seed: int) -> np.ndarray:
        """Which of `count` inputs are dropped, each with probability `rate`; the same when a layer is computed again.

        The gaps between them are geometrically distributed, as rounded exponential ones are, and few draws make many.
        """
        random = np.random.Generator(np.random.SFC64((seed, self._number)))
        size = int(count * rate + 6 * (count * rate) ** 0.5) + 10  # too few once in a billion times
        places = np.empty(0, np.int64)
        while not len(places) or places[-1] < count:
            gaps = (random.standard_exponential(size) / -np.log1p(-rate)).astype(np.int64) + 1
            places = np.append(places, np.cumsum(gaps) + (places[-1] if len(places) else -1))
        return places[: np.searchsorted(places, count)]


class _Norm:
    """RMSNorm: x w / sqrt(mean(x²) + eps)."""

    def __init__(self, norm: Any) -> None:
        self._weight, self._eps = _numbers(norm.weight), np.float32(norm.eps)

    def forward(self, x: np.ndarray) -> np.ndarray:
        inverse = 1 / np.sqrt(np.einsum("ti,ti->t", x, x)[:, None] / np.float32(x.shape[1]) + self._eps)
        self._kept = x, inverse
        y = x * inverse
        y *= self._weight
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        x, inverse = self._kept
        dx = dy * self._weight
        inner = np.einsum("ti,ti->t", dx, x)[:, None] * inverse**3 / np.float32(x.shape[1])
        dx *= inverse
        dx -= x * inner
        return dx


class _Attention:
    """Causal, with rotary places. The heads of a group are one longer matrix: (tokens · S, W)."""

    def __init__(self, part: Any) -> None:
        self._groups, self._share, self._width = part.n_kv_heads, part.n_heads // part.n_kv_heads, part.head_dim
        self._scale, self._rope = part.scale, part.rope
        self._angles: tuple[np.ndarray, np.ndarray] | None = None

    def forward(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, packed: "Packed") -> np.ndarray:
        """(T, G · S · W) of q as wide, and k and v (T, G · W)."""
        q, k = self._turned(q, packed.positions, 1), self._turned(k, packed.positions, 1)
        y = np.empty_like(q)
        parts = []
        for own, seen in packed.parts():
            here, keys, values = self._by_group(q[own]), self._seen(k, seen), self._seen(v, seen)
            p = self._products(here, keys.transpose(1, 2, 0), self._scale)
            p += np.triu(np.full(p.shape[1::2], -np.inf, np.float32), 1 + p.shape[3] - p.shape[1])[:, None]
            p -= p.max(-1, keepdims=True)
            np.exp(p, out=p)
            p /= p.sum(-1, keepdims=True)
            y[own] = self._side_by_side(self._products(p, values.swapaxes(0, 1)))
            parts.append((here, keys, values, p))
        self._kept = packed, parts
        return y

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        packed, parts = self._kept
        dq = np.empty_like(dy)
        dk, dv = (np.zeros((len(dy), self._groups * self._width), np.float32) for _ in range(2))
        for (own, seen), (here, keys, values, p) in zip(packed.parts(), parts, strict=True):
            there = self._by_group(dy[own])
            dp = self._products(there, values.transpose(1, 2, 0))
            dv[seen] += self._gathered(p, there)
            dp -= np.einsum("...i,...i->...", dp, p)[..., None]
            dp *= p
            dq[own] = self._side_by_side(self._products(dp, keys.swapaxes(0, 1), self._scale))
            dk[seen] += self._gathered(dp, here, self._scale)
        return self._turned(dq, packed.positions, -1), self._turned(dk, packed.positions, -1), dv

    def _by_group(self, x: np.ndarray) -> np.ndarray:
        """(G, tokens, S, W) of x (tokens, G · S · W)."""
        return np.ascontiguousarray(x.reshape(len(x), self._groups, self._share, self._width).swapaxes(0, 1))

    def _side_by_side(self, x: np.ndarray) -> np.ndarray:
        return x.swapaxes(0, 1).reshape(x.shape[1], -1)

    def _seen(self, x: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """(seen, G, W) of x (T, G · W)."""
        return x[seen].reshape(-1, self._groups, self._width)

    def _products(self, x: np.ndarray, y: np.ndarray, alpha: float = 1.0) -> np.ndarray:
        """(G, tokens, S, n) of x (G, tokens, S, m) and y (G, m, n), made contiguous: that is quicker than to transpose."""
        y = np.ascontiguousarray(y)
        out = np.empty((*x.shape[:3], y.shape[2]), np.float32)
        for group in range(self._groups):
            gemm(_flat(x[group]), y[group], alpha=alpha, out=_flat(out[group]))
        return out

    def _gathered(self, p: np.ndarray, x: np.ndarray, alpha: float = 1.0) -> np.ndarray:
        """What the keys get: (seen, G · W) of p (G, tokens, S, seen) and x (G, tokens, S, W)."""
        out = np.empty((p.shape[3], self._groups, self._width), np.float32)
        for group in range(self._groups):
            gemm(_flat(p[group]), _flat(x[group]), ta=True, alpha=alpha, out=out[:, group])
        return out.reshape(len(out), -1)

    def _turned(self, x: np.ndarray, positions: np.ndarray, direction: int) -> np.ndarray:
        """x (T, heads · W), in each head the pairs (i, i + W/2) turned by their position's angle, or back (-1)."""
        cos, sin = (angle[positions] for angle in self._turns(int(positions.max()) + 1))
        halves = x.reshape(len(x), -1, 2, self._width // 2)
        across = halves[:, :, ::-1] * (sin * np.float32(direction))
        across += halves * cos
        return across.reshape(x.shape)

    def _turns(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """For both halves (L, 1, 2, W/2) the cosines, and the sines with their signs; read off the model's own rope."""
        if self._angles is None or len(self._angles[0]) < length:
            units = np.zeros((1, 1, length, self._width), np.float32)
            units[..., : self._width // 2] = 1
            cos, sin = np.array(self._rope(mx.array(units)))[0, 0].reshape(length, 1, 2, -1).transpose(2, 0, 1, 3)
            self._angles = np.stack([cos, cos], 2), np.stack([-sin, sin], 2)
        return self._angles


class Adam(optim.Adam):
    """MLX's Adam; its dozen operations on each of some hundred small arrays cost MLX more than their sums do."""

    def apply_gradients(self, gradients: Any, parameters: Any) -> Any:
        mx.eval(gradients)
        return super().apply_gradients(gradients, parameters)

    def apply_single(self, gradient: mx.array, parameter: mx.array, state: Any) -> mx.array:
        if self.bias_correction or parameter.dtype != mx.float32:
            return super().apply_single(gradient, parameter, state)  # type: ignore[no-any-return]
        (b1, b2), rate = self.betas, np.float32(self.learning_rate.item())
        g = _numbers(gradient)
        m = np.float32(b1) * _numbers(state["m"])
        m += np.float32(1 - b1) * g
        v = np.float32(b2) * _numbers(state["v"])
        change = g * g
        change *= np.float32(1 - b2)
        v += change
        np.sqrt(v, out=change)
        change += np.float32(self.eps)
        np.divide(m, change, out=change)
        change *= rate
        np.subtract(_numbers(parameter), change, out=change)
        state["m"], state["v"] = mx.array(m), mx.array(v)
        return mx.array(change)


def _cross_entropy(logits: np.ndarray, right: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean loss of logits (places, words), and its gradient, for which `logits` is used up."""
    places = np.arange(len(right))
    logits -= logits.max(-1, keepdims=True)
    chosen = logits[places, right]
    np.exp(logits, out=logits)
    total = logits.sum(-1, keepdims=True)
    loss = float((np.log(total[:, 0]) - chosen).mean())
    logits /= total * np.float32(len(right))
    logits[places, right] -= np.float32(1 / len(right))
    return loss, logits


def gemm(
    a: np.ndarray,
    b: np.ndarray,
    *,
    ta: bool = False,
    tb: bool = False,
    alpha: float = 1.0,
    beta: float = 0.0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """alpha · a b + beta · out of fp32 matrices whose rows are contiguous; `ta` and `tb` transpose a and b."""
    inner, height = a.shape if ta else a.shape[::-1]
    width = b.shape[0] if tb else b.shape[1]
    if out is None:
        out = np.empty((height, width), np.float32)
    blas.sgemm()(
        101, 112 if ta else 111, 112 if tb else 111, height, width, inner, alpha, _place(a), a.strides[0] // 4,
        _place(b), b.strides[0] // 4, beta, _place(out), out.strides[0] // 4,
    )  # fmt: skip
    return out


def _place(array: np.ndarray) -> int:
    """In memory; `array.ctypes.data` takes three times as long."""
    place: int = array.__array_interface__["data"][0]
    return place


def _flat(x: np.ndarray) -> np.ndarray:
    """(L · heads, numbers) of a contiguous (L, heads, numbers)."""
    return x.reshape(-1, x.shape[-1])


def _spread(x: np.ndarray, places: np.ndarray, tokens: int) -> np.ndarray:
    """x (places, D) at its places in (T, D), 0 elsewhere."""
    y = np.zeros((tokens, x.shape[1]), np.float32)
    y[places] = x
    return y


def _projections(layer: Any) -> dict[str, Any]:
    attention, mlp = layer.self_attn, layer.mlp
    return {
        "self_attn.q_proj": attention.q_proj, "self_attn.k_proj": attention.k_proj, "self_attn.v_proj": attention.v_proj,
        "self_attn.o_proj": attention.o_proj,
        "mlp.gate_proj": mlp.gate_proj, "mlp.up_proj": mlp.up_proj, "mlp.down_proj": mlp.down_proj,
    }  # fmt: skip


def _frozen(part: Any) -> Any:
    return part.linear if type(part) is LoRALinear else part


def _numbers(array: mx.array) -> np.ndarray:
    """The array's own memory, only to be read; rows contiguous."""
    return np.ascontiguousarray(np.array(array, copy=False))


def _keep_memory() -> None:
    """Freed arrays stay with the process: the next step needs as much again, and new pages must be cleared first."""
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD, as high as glibc takes it
    mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    mallopt(-8, 1)  # M_ARENA_MAX: what a thread has an arena of its own for goes back each time
