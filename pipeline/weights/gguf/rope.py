"""Llama 3's scaling of positions. transformers stores its parameters, llama.cpp one factor per frequency."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

LLAMA3 = {
    "rope_type": "llama3",
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 8192,
}
"""The parameters of every Llama 3.1, 3.2 and 3.3, without the factor, which is 8 or 32."""


def llama3_factors(theta: float, width: int, scaling: Mapping[str, Any]) -> np.ndarray:
    """The divisor of each of a head's frequencies: shape (width / 2,) in fp32.

    The formula is transformers' `_compute_llama3_parameters`.

    Args:
        theta: base of RoPE.
        width: width of a head.
        scaling: `factor`; `low_freq_factor`, `high_freq_factor` and `original_max_position_embeddings` default to LLAMA3.
    """
    low, high, window = (
        scaling.get(key, LLAMA3[key])
        for key in ("low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    )
    wavelengths = 2 * math.pi * theta ** (np.arange(0, width, 2) / width)
    smooth = np.clip((window / wavelengths - low) / (high - low), 0, 1)
    factors: np.ndarray = 1 / ((1 - smooth) / scaling["factor"] + smooth)
    return factors.astype(np.float32)


def llama3_scaling(factors: np.ndarray, theta: float, width: int) -> dict[str, Any] | None:
    """The parameters that give these `factors` of shape (width / 2,); None if no Llama 3 parameters do."""
    scaling = LLAMA3 | {"factor": float(factors.max())}
    fits = factors.shape == (width // 2,) and np.allclose(llama3_factors(theta, width, scaling), factors, rtol=1e-3)
    return scaling if fits else None
