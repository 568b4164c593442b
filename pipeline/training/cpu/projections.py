"""The projections of a layer and their adapters, with the forward and the backward pass written out.

T is the tokens of a packed batch.
"""

import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from mlx_lm.tuner.lora import LoRALinear

from pipeline.training.cpu import kernels
from pipeline.training.cpu.products import Frozen, gemm, numbers

Arrays = dict[str, np.ndarray]


class Projections:
    """Projections of the same x: y = x W + b + scale · dropout(x) A B as in LoRALinear. One that is not trained has no A B,
    and many have no bias b.

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
        linears = [frozen(part) for part in parts.values()]
        weights = [numbers(linear.weight) for linear in linears]
        biases = [numbers(linear.bias) if "bias" in linear else None for linear in linears]
        self._frozen = Frozen(weights, biases, is_packed=is_packed, goes_back=goes_back)
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


def projections(layer: Any) -> dict[str, Any]:
    """The seven projections of a layer, by their path within it."""
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
