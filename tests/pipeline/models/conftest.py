import math
from collections.abc import Callable, Mapping

import numpy as np
import pytest

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _embed(arrays: Mapping[str, np.ndarray], ids: list[int], heads: int, epsilon: float, pooling: str) -> np.ndarray:
    """One text's vector of length 1, float64 (width,), by the encoder's formulas (Devlin et al. 2018)."""
    places = arrays["embeddings.position_embeddings.weight"][: len(ids)]
    kinds = arrays["embeddings.token_type_embeddings.weight"][[0] * len(ids)]
    hidden = (arrays["embeddings.word_embeddings.weight"][ids] + places + kinds).astype(np.float64)

    def linear(values: np.ndarray, name: str) -> np.ndarray:
        return values @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"]

    def norm(values: np.ndarray, name: str) -> np.ndarray:
        centred = values - values.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return scaled * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    hidden = norm(hidden, "embeddings.LayerNorm")
    layers = len({name.split(".")[2] for name in arrays if name.startswith("encoder.layer.")})
    for layer in (f"encoder.layer.{n}" for n in range(layers)):
        query, key, value = (
            linear(hidden, f"{layer}.attention.self.{part}").reshape(len(ids), heads, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (weights / weights.sum(-1, keepdims=True) @ value).swapaxes(0, 1).reshape(len(ids), -1)
        attended = linear(mixed, f"{layer}.attention.output.dense")
        hidden = norm(hidden + attended, f"{layer}.attention.output.LayerNorm")
        wide = linear(hidden, f"{layer}.intermediate.dense")
        narrow = linear(wide * (1 + _erf(wide / math.sqrt(2))) / 2, f"{layer}.output.dense")
        hidden = norm(hidden + narrow, f"{layer}.output.LayerNorm")
    pooled = hidden.mean(0) if pooling == "mean" else hidden[0]
    return pooled / np.linalg.norm(pooled)


@pytest.fixture
def reference_embedding() -> Callable[..., np.ndarray]:
    return _embed
