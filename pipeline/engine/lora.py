"""What an adapter adds to a layer: LoRA and DoRA, computed as mlx-lm's own layers do.

Import this after `blas.preload()`.
"""

from dataclasses import dataclass, field

import mlx.core as mx
import mlx.nn as nn

LINEARS = (nn.Linear, nn.QuantizedLinear)
EMBEDDINGS = (nn.Embedding, nn.QuantizedEmbedding)
Stamp = tuple[int, int, int, int]
"""File, time of change and size of the weights, time of change of the configuration: another one is another adapter."""


@dataclass(frozen=True)
class Lora:
    """What one layer adds (LoRA, Hu et al. 2021), computed as mlx-lm's own layers do."""

    a: mx.array
    """(input, rank)"""
    b: mx.array
    """(rank, output)"""
    scale: float

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """`y` is the layer's own output for `x`."""
        return y + (self.scale * ((x @ self.a) @ self.b)).astype(x.dtype)

    def embedding(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        return y + (self.scale * (self.a[x] @ self.b)).astype(y.dtype)

    def as_linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """For an embedding whose transpose is the output layer."""
        return y + (self.scale * ((x @ self.b.T) @ self.a.T)).astype(x.dtype)


@dataclass(frozen=True)
class Dora(Lora):
    """The same with learnt magnitudes of the rows (DoRA, Liu et al. 2024)."""

    stretch: mx.array
    """(output,): learnt magnitude over the norm of the adapted weight's row."""

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        bias = layer.get("bias")
        adapted = super().linear(layer, x, y if bias is None else y - bias)
        stretched = self.stretch.astype(x.dtype) * adapted
        return stretched if bias is None else stretched + bias


@dataclass(frozen=True)
class Overlay:
    """An adapter's weights in memory."""

    name: str
    stamp: Stamp
    layers: dict[str, Lora] = field(repr=False)
    """By the layer's path in the base."""

    def __deepcopy__(self, _memo: object) -> "Overlay":
        # Prompt caches are copied with what rides along; weights that never change need not be.
        return self
