"""RMSNorm, with the forward and the backward pass written out."""

from typing import Any

import numpy as np

from pipeline.training.cpu import kernels
from pipeline.training.cpu.products import numbers


class Norm:
    """RMSNorm (Zhang and Sennrich 2019): y = x w / sqrt(mean(x²) + eps).

    It normalises as many numbers at once as it has weights: a token's whole state, or each of its heads.
    """

    def __init__(self, norm: Any) -> None:
        self._weight, self._eps = numbers(norm.weight), np.float32(norm.eps)

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, Any]:
        """The normalised x, and what `backward` needs."""
        rows = self._rows(x)
        y, inverse = np.empty_like(rows), np.empty(len(rows), np.float32)
        kernels.norm_forward(rows, self._weight, self._eps, y, inverse)
        return y.reshape(x.shape), (rows, inverse)

    def backward(self, dy: np.ndarray, kept: Any, dx: np.ndarray) -> None:
        """Adds the gradient of x to `dx`; `dy` is the gradient of the output."""
        rows, inverse = kept
        kernels.norm_backward(self._rows(dy), rows, self._weight, inverse, self._rows(dx))

    def _rows(self, x: np.ndarray) -> np.ndarray:
        """The vectors in x that are normalised: (T, D) as it is, heads side by side (T, heads · W) as (T · heads, W)."""
        return x.reshape(-1, len(self._weight))
