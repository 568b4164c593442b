import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

WIDTH, INNER, LAYERS, WORDS, LONGEST = 24, 40, 2, 50, 16
_erf = np.vectorize(math.erf, otypes=[np.float64])
_ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gelu": lambda x: x * (1 + _erf(x / math.sqrt(2))) / 2,
    "gelu_tanh": lambda x: x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2,
    "relu": lambda x: np.maximum(x, 0),
}


def _embed(
    arrays: Mapping[str, np.ndarray],
    ids: list[int],
    heads: int,
    epsilon: float,
    pooling: str,
    activation: str = "gelu",
) -> np.ndarray:
    """One text's vector of length 1, float64 (width,)."""
    hidden = _layers(arrays, ids, [0] * len(ids), heads, epsilon, activation)[-1]
    pooled = hidden.mean(0) if pooling == "mean" else hidden[0]
    return pooled / np.linalg.norm(pooled)


def _score(
    arrays: Mapping[str, np.ndarray],
    ids: list[int],
    types: list[int],
    heads: int,
    epsilon: float,
    activation: str = "gelu",
) -> np.ndarray:
    """One pair's logits, float64 (labels,), as BertForSequenceClassification has them."""
    first = _layers(arrays, ids, types, heads, epsilon, activation)[-1][0]
    pooled = np.tanh(first @ arrays["pooler.dense.weight"].T + arrays["pooler.dense.bias"])
    return pooled @ arrays["classifier.weight"].T + arrays["classifier.bias"]


def _layers(
    arrays: Mapping[str, np.ndarray], ids: list[int], types: list[int], heads: int, epsilon: float, activation: str
) -> list[np.ndarray]:
    """The embedding and each layer, float64 (tokens, width), by the encoder's formulas (Devlin et al. 2018)."""
    places = arrays["embeddings.position_embeddings.weight"][: len(ids)]
    kinds = arrays["embeddings.token_type_embeddings.weight"][types]
    hidden = (arrays["embeddings.word_embeddings.weight"][ids] + places + kinds).astype(np.float64)

    def linear(values: np.ndarray, name: str) -> np.ndarray:
        return values @ arrays[f"{name}.weight"].T + arrays[f"{name}.bias"]

    def norm(values: np.ndarray, name: str) -> np.ndarray:
        centred = values - values.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
        return scaled * arrays[f"{name}.weight"] + arrays[f"{name}.bias"]

    hidden = norm(hidden, "embeddings.LayerNorm")
    outputs = [hidden]
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
        narrow = linear(_ACTIVATIONS[activation](wide), f"{layer}.output.dense")
        hidden = norm(hidden + narrow, f"{layer}.output.LayerNorm")
        outputs.append(hidden)
    return outputs


@pytest.fixture
def reference_layers() -> Callable[..., list[np.ndarray]]:
    """Of a single text."""
    return lambda arrays, ids, heads, epsilon: _layers(arrays, ids, [0] * len(ids), heads, epsilon, "gelu")


@pytest.fixture
def reference_embedding() -> Callable[..., np.ndarray]:
    return _embed


@pytest.fixture
def reference_score() -> Callable[..., np.ndarray]:
    return _score


@pytest.fixture(scope="session")
def bert_arrays() -> dict[str, np.ndarray]:
    """Random weights of a small BERT with a head for pairs: 3 heads, 16 positions, 50 words."""
    random = np.random.default_rng(7)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, WIDTH),
        "embeddings.position_embeddings.weight": (LONGEST, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
        "pooler.dense.weight": (WIDTH, WIDTH),
        "pooler.dense.bias": (WIDTH,),
        "classifier.weight": (1, WIDTH),
        "classifier.bias": (1,),
    }
    for layer in range(LAYERS):
        linears = {
            **{f"attention.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")},
            "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH),
            "output.dense": (WIDTH, INNER),
        }
        for name, shape in linears.items():
            shapes[f"encoder.layer.{layer}.{name}.weight"] = shape
            shapes[f"encoder.layer.{layer}.{name}.bias"] = shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes |= {f"encoder.layer.{layer}.{name}.{part}": (WIDTH,) for part in ("weight", "bias")}
    return {name: random.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@pytest.fixture
def distilbert(tmp_path: Path, bert_arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model folder with `bert_arrays` as DistilBERT names them, without types and head. Its words are a to j."""
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    theirs = {
        "encoder.layer.": "transformer.layer.",
        "attention.self.query": "attention.q_lin",
        "attention.self.key": "attention.k_lin",
        "attention.self.value": "attention.v_lin",
        "attention.output.dense": "attention.out_lin",
        "attention.output.LayerNorm": "sa_layer_norm",
        "intermediate.dense": "ffn.lin1",
        "output.dense": "ffn.lin2",
        "output.LayerNorm": "output_layer_norm",
    }
    arrays = {}
    for name, array in bert_arrays.items():
        if not name.startswith(("pooler", "classifier", "embeddings.token_type")):
            for ours, other in theirs.items():
                name = name.replace(ours, other)
            arrays[f"distilbert.{name}"] = array
    save_file(arrays, tmp_path / "model.safetensors")
    config = {
        "model_type": "distilbert",
        "activation": "gelu",
        "dim": WIDTH,
        "n_heads": 3,
        "max_position_embeddings": LONGEST,
    }
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghij"]))
    return tmp_path
