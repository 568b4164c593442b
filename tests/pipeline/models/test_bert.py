from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest

from pipeline.models.bert import EMBEDDING, SCORE, TYPES, Activation, Pooling, classifier, encoder
from pipeline.models.onnx_embedder import padded

WIDTH, INNER, HEADS, LAYERS, WORDS, LONGEST = 24, 40, 3, 2, 50, 16


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
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


@pytest.mark.parametrize(("pooling", "activation"), [("mean", "gelu"), ("cls", "gelu_tanh"), ("mean", "relu")])
def test_the_graph_computes_bert(
    arrays: dict[str, np.ndarray],
    pooling: Pooling,
    activation: Activation,
    reference_embedding: Callable[..., np.ndarray],
) -> None:
    model = encoder(arrays, heads=HEADS, epsilon=1e-12, activation=activation, pooling=pooling)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    texts = [[5, 9, 2], list(range(LONGEST)), [1, 1, 1, 1, 48, 3, 7]]
    vectors = session.run([EMBEDDING], padded(texts))[0]
    for ids, vector in zip(texts, vectors, strict=True):
        expected = reference_embedding(arrays, ids, HEADS, 1e-12, pooling, activation)
        np.testing.assert_allclose(vector, expected, atol=2e-5)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
def test_the_graph_scores_pairs(
    arrays: dict[str, np.ndarray], activation: Activation, reference_score: Callable[..., np.ndarray]
) -> None:
    model = classifier(arrays, heads=HEADS, epsilon=1e-12, activation=activation)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    texts = [[5, 9, 2, 7], list(range(LONGEST)), [1, 1, 1, 1, 48, 3, 7]]
    types = [[0, 0, 1, 1], [0] * 5 + [1] * (LONGEST - 5), [0, 0, 0, 0, 1, 1, 1]]
    kinds = padded(types)["input_ids"]
    scores = session.run([SCORE], padded(texts) | {TYPES: kinds})[0]
    assert scores.shape == (3, 1)
    for ids, sides, score in zip(texts, types, scores, strict=True):
        np.testing.assert_allclose(score, reference_score(arrays, ids, sides, HEADS, 1e-12, activation), atol=2e-5)
    sides_ignored = session.run([SCORE], padded(texts) | {TYPES: np.zeros_like(kinds)})[0]
    assert np.abs(scores - sides_ignored).max() > 0.01
