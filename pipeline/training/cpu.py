"""The gradients of a LoRA on a Llama, written out for a Linux CPU.

MLX computes exponentials and random numbers there one at a time (40 to 120 million a second) where NumPy uses the
vector unit (2,000 million), and its graph for one step has some ten thousand nodes. Here the way forward and back is
NumPy and products of the OpenBLAS that MLX uses too, so that little more than the products is left. It is for what a
newcomer's machine trains: an fp32 model of mlx-lm's `llama`; every other one goes by MLX's own gradients.

Tried and left: NumPy within `mx.custom_function`, for other architectures too. Each evaluation within a gradient walks
over the whole graph before it, and a step took as long as without.

Letters: T tokens of a batch, rows after one another; B rows of L tokens; D the model's width; H heads of W numbers.
Import this after `blas.preload()`.
"""

import ctypes
from collections.abc import Iterator
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.models import llama
from mlx_lm.tuner.lora import LoRALinear

from pipeline.models import blas
from pipeline.training.checkpoint import weights_of
from pipeline.training.data import Batch, learnt_places

KINDS = {nn.Linear, LoRALinear}


class WrittenOut:
    """Loss and gradients of mlx-lm's default_loss for a model that `is_fit` says yes to."""

    def __init__(self, model: Any, *, is_checkpointed: bool = False) -> None:
        """`is_checkpointed`: a layer keeps what goes into it, and is computed a second time on the way back."""
        _keep_memory()
        self._model, self._is_checkpointed = model, is_checkpointed
        self._embedding = _numbers(model.model.embed_tokens.weight)
        self._head = self._embedding if model.args.tie_word_embeddings else _numbers(model.lm_head.weight)
        self._norm = _Norm(model.model.norm)
        self._layers = [_Layer(layer, f"model.layers.{number}") for number, layer in enumerate(model.layers)]
        trained = [number for number, layer in enumerate(self._layers) if layer.is_trained]
        self._first = min(trained, default=len(self._layers))

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The mean loss over the learnt tokens, and the gradients as a tree of the model's trained parameters.

        Args:
            seed: of dropout, which there is when the model is in training.
        """
        tokens = batch.tokens[:, :-1]
        seed = seed if self._model.training else -1
        x = self._embedding[tokens.reshape(-1)]
        for layer in self._layers:
            x = layer.forward(x, len(tokens), seed)
        places = learnt_places(batch.tokens.shape[1], batch.spans)
        picked = self._norm.forward(x[places])
        loss, dlogits = _cross_entropy(gemm(picked, self._head, tb=True), batch.tokens[:, 1:].reshape(-1)[places])
        dx = np.zeros_like(x)
        dx[places] = self._norm.backward(gemm(dlogits, self._head))
        found: dict[str, np.ndarray] = {}
        for number in range(len(self._layers) - 1, self._first - 1, -1):
            dx = self._layers[number].backward(dx, found, is_first=number == self._first)
        return mx.array(loss), tree_unflatten([(name, mx.array(value)) for name, value in found.items()])


def is_fit(model: Any) -> bool:
    """Whether this machine gains by `WrittenOut`, and they are right for this model."""
    if not blas.is_needed() or mx.default_device().type != mx.DeviceType.cpu or type(model) is not llama.Model:
        return False
    trunk = model.model
    if getattr(trunk, "embed_tokens", None).__class__ is not nn.Embedding or trunk.swa_idx is not None:
        return False
    parameters: dict[str, mx.array] = dict(tree_flatten(model.parameters()))  # type: ignore[arg-type]
    trained = {name.rpartition(".")[2] for name in weights_of(model)}
    projections = [part for layer in model.layers for part in _projections(layer).values()]
    return (
        trained == {"lora_a", "lora_b"}
        and all(
            type(part) in KINDS and type(_frozen(part)) is nn.Linear and "bias" not in _frozen(part)
            for part in projections
        )
        and not any(getattr(layer.self_attn.rope, "traditional", False) for layer in model.layers)
        and all(value.dtype == mx.float32 for value in parameters.values())
    )


class _Layer:
    """One block: x + attention(norm(x)), and to that its own MLP of its norm. What the way back needs is kept."""

    def __init__(self, layer: Any, name: str) -> None:
        self._projections = [
            _Projection(part, f"{name}.{path}", number)
            for number, (path, part) in enumerate(_projections(layer).items())
        ]
        self.is_trained = any(part.is_trained for part in self._projections)
        self._attention = _Attention(layer.self_attn)
        self._norms = _Norm(layer.input_layernorm), _Norm(layer.post_attention_layernorm)

    def forward(self, x: np.ndarray, rows: int, seed: int) -> np.ndarray:
        q, k, v, o, gate, up, down = (part.starting(seed) for part in self._projections)
        near = self._norms[0].forward(x)
        x = x + o.forward(self._attention.forward(q.forward(near), k.forward(near), v.forward(near), rows))
        near = self._norms[1].forward(x)
        z, wide = gate.forward(near), up.forward(near)
        sigmoid = np.negative(z)
        with np.errstate(over="ignore"):  # 1 / (1 + inf) is the 0 that is meant
            np.exp(sigmoid, out=sigmoid)
        sigmoid += 1
        np.reciprocal(sigmoid, out=sigmoid)
        silu = z * sigmoid
        self._kept = sigmoid, silu, wide
        return x + down.forward(silu * wide)

    def backward(self, dx: np.ndarray, found: dict[str, np.ndarray], *, is_first: bool) -> np.ndarray:
        q, k, v, o, gate, up, down = self._projections
        sigmoid, silu, wide = self._kept
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
        dq, dk, dv = self._attention.backward(o.backward(dx, found))
        near = q.backward(dq, found, is_last=is_first)
        k.backward(dk, found, near, is_last=is_first)
        v.backward(dv, found, near, is_last=is_first)
        del self._kept
        return dx if is_first else dx + self._norms[0].backward(near)


class _Projection:
    """y = x W + scale · dropout(x) A B, as LoRALinear computes it; y = x W where nothing is trained."""

    def __init__(self, part: Any, name: str, number: int) -> None:
        self.is_trained = type(part) is LoRALinear
        self._part, self._name = part, name
        self._number = hash_of(name)
        self._weight = _numbers(_frozen(part).weight)
        self._seed = -1

    def starting(self, seed: int) -> "_Projection":
        self._seed = seed
        return self

    def forward(self, x: np.ndarray) -> np.ndarray:
        y = gemm(x, self._weight, tb=True)
        if self.is_trained:
            self._a, self._b = _numbers(self._part.lora_a), _numbers(self._part.lora_b)
            self._scale, self._keep, kept = self._part.scale, None, x
            rate = 1 - getattr(self._part.dropout, "_p_1", 1)
            if self._seed >= 0 and rate > 0:
                self._keep = self._drawn(x.shape, rate)
                self._scale /= 1 - rate
                kept = x * self._keep
            self._x, self._narrow = kept, gemm(kept, self._a)
            gemm(self._narrow, self._b, out=y, alpha=self._scale, beta=1)
        return y

    def backward(
        self, dy: np.ndarray, found: dict[str, np.ndarray], dx: np.ndarray | None = None, *, is_last: bool = False
    ) -> np.ndarray:
        """dx, added to the one given. `is_last`: nothing before x is trained, so it is not needed."""
        if self.is_trained:
            dnarrow = gemm(dy, self._b, tb=True, alpha=self._scale)
            found[f"{self._name}.lora_a"] = gemm(self._x, dnarrow, ta=True)
            found[f"{self._name}.lora_b"] = gemm(self._narrow, dy, ta=True, alpha=self._scale)
        if is_last:
            return dy
        dx = gemm(dy, self._weight) if dx is None else gemm(dy, self._weight, out=dx, beta=1)
        if self.is_trained:
            if self._keep is None:
                gemm(dnarrow, self._a, tb=True, out=dx, beta=1)
            else:
                through = gemm(dnarrow, self._a, tb=True)
                through *= self._keep
                dx += through
        return dx

    def _drawn(self, shape: tuple[int, ...], rate: float) -> np.ndarray:
        """0 with probability `rate` (to 1/65536), else 1; from the seed and this projection's name alone."""
        count = shape[0] * shape[1]
        words = np.random.SFC64((self._seed, self._number)).random_raw(-(-count // 4))
        keep: np.ndarray = words.view(np.uint16)[:count] >= round(rate * 65536)
        return keep.reshape(shape).astype(np.float32)


class _Norm:
    """RMSNorm: x w / sqrt(mean(x²) + eps)."""

    def __init__(self, norm: Any) -> None:
        self._weight, self._eps = _numbers(norm.weight), norm.eps

    def forward(self, x: np.ndarray) -> np.ndarray:
        self._x = x
        self._inverse = 1 / np.sqrt(np.einsum("ti,ti->t", x, x)[:, None] / x.shape[1] + np.float32(self._eps))
        y = x * self._inverse
        y *= self._weight
        return y

    def backward(self, dy: np.ndarray) -> np.ndarray:
        dx = dy * self._weight
        inner = np.einsum("ti,ti->t", dx, self._x)[:, None] * self._inverse**3 / np.float32(dx.shape[1])
        dx *= self._inverse
        dx -= self._x * inner
        return dx


class _Attention:
    """Causal, with rotary places; k and v have as many heads as q or fewer. All arrays are (T, heads · W)."""

    def __init__(self, part: Any) -> None:
        self._heads, self._groups, self._scale = part.n_heads, part.n_kv_heads, part.scale
        self._width, self._rope = part.head_dim, part.rope
        self._turns: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def forward(self, q: np.ndarray, k: np.ndarray, v: np.ndarray, rows: int) -> np.ndarray:
        q, k, v = (x.reshape(rows, -1, x.shape[1] // self._width, self._width) for x in (q, k, v))
        length = q.shape[1]
        q, k = self._turn(q, 1), self._turn(k, 1)
        p = np.empty((rows, self._heads, length, length), np.float32)
        for row, head, group in self._each(rows):
            gemm(q[row, :, head], k[row, :, group], tb=True, alpha=self._scale, out=p[row, head])
        p += np.triu(np.full((length, length), -np.inf, np.float32), 1)
        p -= p.max(-1, keepdims=True)
        np.exp(p, out=p)
        p /= p.sum(-1, keepdims=True)
        y = np.empty_like(q)
        for row, head, group in self._each(rows):
            gemm(p[row, head], v[row, :, group], out=y[row, :, head])
        self._kept = q, k, v, p
        return y.reshape(rows * length, -1)

    def backward(self, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        q, k, v, p = self._kept
        dy = dy.reshape(q.shape)
        dp, dq, dk, dv = np.empty_like(p), np.empty_like(q), np.zeros_like(k), np.zeros_like(v)
        for row, head, group in self._each(len(q)):
            gemm(dy[row, :, head], v[row, :, group], tb=True, out=dp[row, head])
            gemm(p[row, head], dy[row, :, head], ta=True, out=dv[row, :, group], beta=1)
        dp -= np.einsum("...i,...i->...", dp, p)[..., None]
        dp *= p
        for row, head, group in self._each(len(q)):
            gemm(dp[row, head], k[row, :, group], alpha=self._scale, out=dq[row, :, head])
            gemm(dp[row, head], q[row, :, head], ta=True, alpha=self._scale, out=dk[row, :, group], beta=1)
        del self._kept
        tokens = len(q) * q.shape[1]
        return self._turn(dq, -1).reshape(tokens, -1), self._turn(dk, -1).reshape(tokens, -1), dv.reshape(tokens, -1)

    def _each(self, rows: int) -> Iterator[tuple[int, int, int]]:
        share = self._heads // self._groups
        return ((row, head, head // share) for row in range(rows) for head in range(self._heads))

    def _turn(self, x: np.ndarray, direction: int) -> np.ndarray:
        """x (B, L, heads, W) with each pair (i, i + W/2) turned by its place's angle, or back with direction -1."""
        cos, sin = self._angles(x.shape[1])
        half = self._width // 2
        left, right = x[..., :half], x[..., half:]
        y = np.empty_like(x)
        sin = sin if direction == 1 else -sin
        np.multiply(left, cos, out=y[..., :half])
        y[..., :half] -= right * sin
        np.multiply(right, cos, out=y[..., half:])
        y[..., half:] += left * sin
        return y

    def _angles(self, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and sines (L, 1, W/2), read off the model's own rope, whatever scales it."""
        if length not in self._turns:
            half = self._width // 2
            units = np.zeros((1, 1, length, self._width), np.float32)
            units[..., :half] = 1
            turned = np.array(self._rope(mx.array(units)))[0, 0]
            self._turns = {length: (turned[:, None, :half].copy(), turned[:, None, half:].copy())}
        return self._turns[length]


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


_sgemm: Any = None


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
    _product()(
        101, 112 if ta else 111, 112 if tb else 111, height, width, inner,
        alpha, a.ctypes.data, a.strides[0] // 4, b.ctypes.data, b.strides[0] // 4, beta, out.ctypes.data, out.strides[0] // 4,
    )  # fmt: skip
    return out


def _product() -> Any:
    """cblas_sgemm of the OpenBLAS that blas.preload() brought into the process."""
    global _sgemm
    if _sgemm is None:
        _sgemm = ctypes.CDLL(None).cblas_sgemm
        number, real, place = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
        _sgemm.argtypes = (*[number] * 6, real, place, number, place, number, real, place, number)
        _sgemm.restype = None
    return _sgemm


def hash_of(name: str) -> int:
    import zlib

    return zlib.crc32(name.encode())


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
    """The array's own memory, only to be read."""
    return np.array(array, copy=False)


def _keep_memory() -> None:
    """Freed arrays stay with the process: the next step needs as much again, and new pages must be cleared first."""
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
    mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
