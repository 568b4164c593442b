"""What an adapter adds to a layer: LoRA and DoRA, computed as mlx-lm's own layers compute them.

Import this after `blas.preload()`.
"""

from dataclasses import dataclass, field
from functools import cached_property

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from pipeline.engine.int8 import Int8Embedding, Int8Linear

LINEARS = (nn.Linear, nn.QuantizedLinear, Int8Linear)
EMBEDDINGS = (nn.Embedding, nn.QuantizedEmbedding, Int8Embedding)
Stamp = tuple[int, int, int, int]
"""Inode, modification time and size of the weights file, and modification time of the configuration. If one of them
changes, it is another adapter."""


@dataclass(frozen=True)
class Lora:
    """What an adapter adds to one layer: scale · x A B (LoRA, Hu et al. 2021)."""

    a: mx.array
    """A, (input, rank)."""
    b: mx.array
    """B, (rank, output)."""
    scale: float
    """The factor of the product, elsewhere written alpha / rank."""

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """The adapted output (..., output) of a linear layer.

        Args:
            layer: the base's own layer.
            x: its input (..., input).
            y: its own output (..., output) for `x`.
        """
        return y + (self.scale * ((x @ self.a) @ self.b)).astype(x.dtype)

    def numbers(self, layer: nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """As `linear`, for NumPy's arrays and a layer in 8 bits."""
        a, b = self._numbers
        adapted: np.ndarray = y + np.float32(self.scale) * ((x @ a) @ b)
        return adapted

    @cached_property
    def _numbers(self) -> tuple[np.ndarray, np.ndarray]:
        """A and B in fp32."""
        return _fp32(self.a), _fp32(self.b)

    def embedding(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """The adapted output (..., width) of an embedding.

        Args:
            layer: the base's own layer.
            x: token ids (...).
            y: its own output (..., width) for `x`.
        """
        return y + (self.scale * (self.a[x] @ self.b)).astype(y.dtype)

    def as_linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """The adapted output of an embedding whose transpose is the output layer. Takes what `linear` takes."""
        return y + (self.scale * ((x @ self.b.T) @ self.a.T)).astype(x.dtype)


@dataclass(frozen=True)
class Dora(Lora):
    """A LoRA with a learnt magnitude for each row of the weight (DoRA, Liu et al. 2024)."""

    stretch: mx.array
    """(output,): the learnt magnitude divided by the norm of the adapted weight's row."""

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """As `Lora.linear`, with each output multiplied by its row's `stretch`; the bias is not stretched."""
        bias = layer.get("bias")
        adapted = super().linear(layer, x, y if bias is None else y - bias)
        stretched = self.stretch.astype(x.dtype) * adapted
        return stretched if bias is None else stretched + bias

    def numbers(self, layer: nn.Module, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """As `linear`, for NumPy's arrays and a layer in 8 bits."""
        bias = _fp32(layer.bias) if "bias" in layer else np.float32(0)
        stretched: np.ndarray = _fp32(self.stretch) * super().numbers(layer, x, y - bias) + bias
        return stretched


@dataclass(frozen=True)
class Overlay:
    """An adapter's weights in memory."""

    name: str
    stamp: Stamp
    layers: dict[str, Lora] = field(repr=False)
    """What each layer gets, by the layer's path in the base."""

    def __deepcopy__(self, _memo: object) -> "Overlay":
        # mlx-lm copies prompt caches together with their `Rows`. Weights never change, so they need no copy.
        return self


def _fp32(array: mx.array) -> np.ndarray:
    """MLX's own memory if it is fp32 already."""
    return np.array(array.astype(mx.float32), copy=False)
