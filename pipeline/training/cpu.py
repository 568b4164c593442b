"""The gradients of a LoRA on a Llama, and Adam, written out for a Linux CPU.

MLX computes exponentials and random numbers there one at a time (40 to 120 million a second) where NumPy uses the
vector unit (2,000 million), and its graph for one step has some ten thousand nodes. Here the way forward and back is
NumPy and products of the OpenBLAS that MLX uses too, so that little more than the products is left. It is for what a
newcomer's machine trains: an fp32 model of mlx-lm's `llama`; every other one goes by MLX's own gradients.

Tried and left: NumPy within `mx.custom_function`, which would serve other architectures too. Each evaluation within a
gradient walks over the whole graph before it, and a step took as long as without.

Letters: T tokens of some rows, one row after another; B rows of L tokens; D the model's width; G groups of S heads that
share keys and values, of W numbers each. Import this after `blas.preload()`.
"""

import ctypes
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
from pipeline.training.data import Batch, learnt_places

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
    """Loss and gradients of mlx-lm's default_loss for a model that `is_fit`.

    With more than one thread each takes some of a batch's rows: NumPy's work is then shared too, not the products only.
    """

    def __init__(self, model: Any, *, is_checkpointed: bool = False) -> None:
        """`is_checkpointed`: a layer keeps only what goes into it, and is computed a second time on the way back."""
        _keep_memory()
        self._model = model
        self._lanes = [_Lane(model, number, is_checkpointed) for number in range(blas.threads())]

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The mean loss over the learnt tokens, and the gradients as a tree like that of the trained parameters.

        Args:
            seed: of dropout, which there is when the model is in training.
        """
        mx.eval(self._model.trainable_parameters())
        lanes = self._lanes[: len(batch.tokens)]
        parts = zip(
            lanes, np.array_split(batch.tokens, len(lanes)), np.array_split(batch.spans, len(lanes)), strict=True
        )
        work = [
            (lane, Batch(tokens, spans), batch.learnt, seed if self._model.training else None)
            for lane, tokens, spans in parts
        ]
        if len(lanes) == 1:
            results = [_run(*work[0])]
        else:
            with blas.one_thread(), ThreadPoolExecutor(len(lanes)) as pool:
                results = list(pool.map(lambda arguments: _run(*arguments), work))
        loss, gradients = results[0]
        for more, others in results[1:]:
            loss += more
            for name, value in others.items():
                gradients[name] += value
        return mx.array(loss), tree_unflatten([(name, mx.array(value)) for name, value in gradients.items()])


def _run(lane: "_Lane", batch: Batch, learnt: int, seed: int | None) -> tuple[float, Arrays]:
    # 1 / (1 + inf) is the 0 that is meant; a loss that breaks is the loop's to report.
    with np.errstate(over="ignore", invalid="ignore"):
        return lane.run(batch, learnt, seed)


class _Lane:
    """What one thread computes with: views of the model's weights, and what a step keeps for its way back."""

    def __init__(self, model: Any, number: int, is_checkpointed: bool) -> None:
        self._is_checkpointed = is_checkpointed
        self._embedding = _numbers(model.model.embed_tokens.weight)
        self._head = self._embedding if model.args.tie_word_embeddings else _numbers(model.lm_head.weight)
        self._norm = _Norm(model.model.norm)
        self._layers = [_Layer(layer, f"model.layers.{place}", number) for place, layer in enumerate(model.layers)]
        self._first = next(place for place, layer in enumerate(self._layers) if layer.is_trained)

    def run(self, batch: Batch, learnt: int, seed: int | None) -> tuple[float, Arrays]:
        """The losses of these rows over `learnt`, which counts the whole batch's tokens, and gradients by name."""
        tokens, rows = batch.tokens[:, :-1], len(batch.tokens)
        places = learnt_places(batch.tokens.shape[1], batch.spans)
        x = self._embedding[tokens.reshape(-1)]
        entered = []
        *layers, last = self._layers
        for place, layer in enumerate(layers):
            entered.append(x)
            x = layer.forward(x, rows, seed)
            if self._is_checkpointed or place < self._first:
                layer.forget()
        # Behind the last attention only what is learnt from matters.
        x = last.forward(x, rows, seed, places)
        logits = gemm(self._norm.forward(x), self._head, tb=True)
        loss, dlogits = _cross_entropy(logits, batch.tokens[:, 1:].reshape(-1)[places], learnt)
        dx = self._norm.backward(gemm(dlogits, self._head))
        found: Arrays = {}
        for place in range(len(layers), self._first - 1, -1):
            layer = self._layers[place]
            if self._is_checkpointed and layer is not last:
                layer.forward(entered[place], rows, seed)
            dx = layer.backward(dx, found, is_first=place == self._first)
            layer.forget()
        return loss, found


class _Layer:
    """One block: x + attention(norm(x)), and to that its own MLP of its norm."""

    def __init__(self, layer: Any, name: str, lane: int) -> None:
        self._projections = [_Projection(part, f"{name}.{path}", lane) for path, part in _projections(layer).items()]
        self.is_trained = any(part.is_trained for part in self._projections)
        self._attention = _Attention(layer.self_attn)
        self._norms = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)

    def forward(self, x: np.ndarray, rows: int, seed: int | None, places: np.ndarray | None = None) -> np.ndarray:
        """(T, D) of (T, D); of `places`, those of T that are wanted: (places, D)."""
        q, k, v, o, gate, up, down = self._projections
        near = self._norms[0].forward(x)
        mixed = self._attention.forward(q.forward(near, seed), k.forward(near, seed), v.forward(near, seed), rows)
        tokens = len(x)
        if places is not None:
            x, mixed = x[places], mixed[places]
        x = x + o.forward(mixed, seed)
        near = self._norms[1].forward(x)
        z, wide = gate.forward(near, seed), up.forward(near, seed)
        sigmoid = np.negative(z)
        np.exp(sigmoid, out=sigmoid)
        sigmoid += 1
        np.reciprocal(sigmoid, out=sigmoid)
        silu = np.multiply(z, sigmoid, out=z)
        self._kept = sigmoid, silu, wide, tokens, places
        return x + down.forward(silu * wide, seed)

    def backward(self, dx: np.ndarray, found: Arrays, *, is_first: bool) -> np.ndarray:
        """`is_first`: nothing before this layer is trained, and what is returned has no meaning."""
        q, k, v, o, gate, up, down = self._projections
        sigmoid, silu, wide, tokens, places = self._kept
        dwide = down.backward(dx, found)
        dz = 1 - sigmoid  # silu'(z) = s + silu(z) (1 - s)
        dz *= silu
        dz += sigmoid
        dz *= dwide
        dz *= wide
        dwide *= silu
        near = gate.backward(dz, found)
        up.backward(dwide, found, near)
        dx = dx + self._norms[1].backward(near)
        mixed = o.backward(dx, found)
        if places is not None:
            dx, mixed = _spread(dx, places, tokens), _spread(mixed, places, tokens)
        dq, dk, dv = self._attention.backward(mixed)
        near = q.backward(dq, found, is_first=is_first)
        k.backward(dk, found, near, is_first=is_first)
        v.backward(dv, found, near, is_first=is_first)
        return dx if is_first else dx + self._norms[0].backward(near)

    def forget(self) -> None:
        """Gives the memory back that the way back needed."""
        parts: tuple[Any, ...] = (self, self._attention, *self._norms, *self._projections)
        for part in parts:
            part._kept = ()


class _Projection:
    """y = x W + scale · dropout(x) A B, as LoRALinear computes it; y = x W where nothing is trained."""

    def __init__(self, part: Any, name: str, lane: int) -> None:
        self.is_trained = type(part) is LoRALinear
        self._part, self._name = part, name
        self._number = zlib.crc32(name.encode()), lane
        self._weight = _numbers(_frozen(part).weight)

    def forward(self, x: np.ndarray, seed: int | None) -> np.ndarray:
        """`seed`: None: without dropout."""
        y = gemm(x, self._weight, tb=True)
        if self.is_trained:
            a, b = _numbers(self._part.lora_a), _numbers(self._part.lora_b)
            scale, dropped = self._part.scale, None
            rate = 1 - getattr(self._part.dropout, "_p_1", 1)
            if seed is not None and rate > 0:
                dropped = self._drawn(x.size, rate, seed)
                scale /= 1 - rate
                x = x.copy()
                x.reshape(-1)[dropped] = 0
            narrow = gemm(x, a)
            gemm(narrow, b, out=y, alpha=scale, beta=1)
            self._kept = x, dropped, narrow, a, b, scale
        return y

    def backward(
        self, dy: np.ndarray, found: Arrays, dx: np.ndarray | None = None, *, is_first: bool = False
    ) -> np.ndarray:
        """The gradient of x, added to the one given."""
        if self.is_trained:
            x, dropped, narrow, a, b, scale = self._kept
            dnarrow = gemm(dy, b, tb=True, alpha=scale)
            found[f"{self._name}.lora_a"] = gemm(x, dnarrow, ta=True)
            found[f"{self._name}.lora_b"] = gemm(narrow, dy, ta=True, alpha=scale)
        if is_first:
            return dy
        dx = gemm(dy, self._weight) if dx is None else gemm(dy, self._weight, out=dx, beta=1)
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
        random = np.random.Generator(np.random.SFC64((seed, *self._number)))
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
    """Causal, with rotary places. The heads of a group are one longer matrix: (L · S, W)."""

    def __init__(self, part: Any) -> None:
        self._groups, self._share, self._width = part.n_kv_heads, part.n_heads // part.n_kv_heads, part.head_dim
        self._scale, self._rope = part.scale, part.rope
        self._angles: tuple[np.ndarray, np.ndarray] | None = None

    def forward(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, rows: int) -> np.ndarray:
        """(T, G · S · W) of q as wide, and k and v (T, G · W)."""
        length = len(q) // rows
        q, k = (np.ascontiguousarray(self._by_group(self._turned(x, rows, 1), rows)) for x in (q, k))
        v = v.reshape(rows, length, self._groups, self._width)
        p = np.empty((rows, self._groups, length, self._share, length), np.float32)
        lying = _lying(k[:, :, :, 0])
        for row, group in self._each(rows):
            gemm(_flat(q[row, group]), lying[row, group], alpha=self._scale, out=_flat(p[row, group]))
        p += np.triu(np.full((length, length), -np.inf, np.float32), 1)[:, None]
        p -= p.max(-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(-1, keepdims=True)
        y = np.empty_like(q)
        for row, group in self._each(rows):
            gemm(_flat(p[row, group]), v[row, :, group], out=_flat(y[row, group]))
        self._kept = q, k, v, p
        return y.transpose(0, 2, 1, 3, 4).reshape(rows * length, -1)

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        q, k, v, p = self._kept
        rows, tokens = len(q), len(dy)
        dy = np.ascontiguousarray(self._by_group(dy, rows))
        dp, dq, dk, dv = np.empty_like(p), np.empty_like(q), np.empty_like(k), np.empty_like(v)
        lying = _lying(v.swapaxes(1, 2))
        for row, group in self._each(rows):
            gemm(_flat(dy[row, group]), lying[row, group], out=_flat(dp[row, group]))
            gemm(_flat(p[row, group]), _flat(dy[row, group]), ta=True, out=dv[row, :, group])
        dp -= np.einsum("...i,...i->...", dp, p)[..., None]
        dp *= p
        for row, group in self._each(rows):
            flat = _flat(dp[row, group])
            gemm(flat, _flat(k[row, group]), alpha=self._scale, out=_flat(dq[row, group]))
            gemm(flat, _flat(q[row, group]), ta=True, alpha=self._scale, out=_flat(dk[row, group]))
        dq, dk = (self._turned(x.transpose(0, 2, 1, 3, 4).reshape(tokens, -1), rows, -1) for x in (dq, dk))
        return dq, dk, dv.reshape(tokens, -1)

    def _each(self, rows: int) -> Iterator[tuple[int, int]]:
        return ((row, group) for row in range(rows) for group in range(self._groups))

    def _by_group(self, x: np.ndarray, rows: int) -> np.ndarray:
        """A view (B, G, L, heads, W) of x (T, G · heads · W)."""
        heads = x.shape[1] // (self._groups * self._width)
        return x.reshape(rows, -1, self._groups, heads, self._width).transpose(0, 2, 1, 3, 4)

    def _turned(self, x: np.ndarray, rows: int, direction: int) -> np.ndarray:
        """x (T, heads · W), in each head the pairs (i, i + W/2) turned by their place's angle, or back (-1)."""
        cos, sin = self._turns(len(x) // rows)
        halves = x.reshape(rows, -1, x.shape[1] // self._width, 2, self._width // 2)
        across = halves[:, :, :, ::-1] * (sin * np.float32(direction))
        across += halves * cos
        return across.reshape(x.shape)

    def _turns(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """For both halves (L, 1, 2, W/2) the cosines, and the sines with their signs; read off the model's own rope."""
        if self._angles is None or len(self._angles[0]) < length:
            units = np.zeros((1, 1, length, self._width), np.float32)
            units[..., : self._width // 2] = 1
            cos, sin = np.array(self._rope(mx.array(units)))[0, 0].reshape(length, 1, 2, -1).transpose(2, 0, 1, 3)
            self._angles = np.stack([cos, cos], 2), np.stack([-sin, sin], 2)
        cos, sin = self._angles
        return cos[:length], sin[:length]


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


def _cross_entropy(logits: np.ndarray, right: np.ndarray, learnt: int) -> tuple[float, np.ndarray]:
    """Losses of logits (places, words) over `learnt`, and their gradient, for which `logits` is used up."""
    places = np.arange(len(right))
    logits -= logits.max(-1, keepdims=True)
    chosen = logits[places, right]
    np.exp(logits, out=logits)
    total = logits.sum(-1, keepdims=True)
    loss = float((np.log(total[:, 0]) - chosen).sum() / learnt)
    logits /= total * np.float32(learnt)
    logits[places, right] -= np.float32(1 / learnt)
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


def _lying(x: np.ndarray) -> np.ndarray:
    """(B, G, W, L) of x (B, G, L, W): a product with it takes half the time of one that transposes x."""
    return np.ascontiguousarray(x.swapaxes(-1, -2))


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
