from collections.abc import Callable

import numpy as np
import onnxruntime
import pytest

from pipeline.embedding.batches import padded
from pipeline.embedding.bert import EMBEDDING, IDS, SCORE, TYPES, Activation, Pooling, classifier, encoder, observer

HEADS, LONGEST = 3, 16


@pytest.mark.parametrize(("pooling", "activation"), [("mean", "gelu"), ("cls", "gelu_tanh"), ("mean", "relu")])
def test_the_graph_computes_bert(
    bert_arrays: dict[str, np.ndarray],
    pooling: Pooling,
    activation: Activation,
    reference_embedding: Callable[..., np.ndarray],
) -> None:
    model = encoder(bert_arrays, heads=HEADS, epsilon=1e-12, activation=activation, pooling=pooling)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    texts = [[5, 9, 2], [1, 48, 3]]
    vectors = session.run([EMBEDDING], {IDS: np.array(texts)})[0]
    longest = list(range(LONGEST))
    vectors = [*vectors, session.run([EMBEDDING], {IDS: np.array([longest])})[0][0]]
    for ids, vector in zip([*texts, longest], vectors, strict=True):
        expected = reference_embedding(bert_arrays, ids, HEADS, 1e-12, pooling, activation)
        np.testing.assert_allclose(vector, expected, atol=2e-5)


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
def test_the_graph_scores_pairs(
    bert_arrays: dict[str, np.ndarray], activation: Activation, reference_score: Callable[..., np.ndarray]
) -> None:
    model = classifier(bert_arrays, heads=HEADS, epsilon=1e-12, activation=activation)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    texts = [[5, 9, 2, 7], list(range(LONGEST)), [1, 1, 1, 1, 48, 3, 7]]
    types = [[0, 0, 1, 1], [0] * 5 + [1] * (LONGEST - 5), [0, 0, 0, 0, 1, 1, 1]]
    kinds = padded(types)["input_ids"]
    scores = session.run([SCORE], padded(texts) | {TYPES: kinds})[0]
    assert scores.shape == (3, 1)
    for ids, sides, score in zip(texts, types, scores, strict=True):
        np.testing.assert_allclose(score, reference_score(bert_arrays, ids, sides, HEADS, 1e-12, activation), atol=2e-5)
    sides_ignored = session.run([SCORE], padded(texts) | {TYPES: np.zeros_like(kinds)})[0]
    assert np.abs(scores - sides_ignored).max() > 0.01


def test_the_observer_gives_the_largest_inputs_of_each_linear_layer(bert_arrays: dict[str, np.ndarray]) -> None:
    model = observer(bert_arrays, heads=HEADS, epsilon=1e-12)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    ids = [5, 9, 2]
    peaks = dict(
        zip([out.name for out in session.get_outputs()], session.run(None, {IDS: np.array([ids])}), strict=True)
    )
    places, kind = (bert_arrays[f"embeddings.{of}_embeddings.weight"] for of in ("position", "token_type"))
    hidden = bert_arrays["embeddings.word_embeddings.weight"][ids] + places[:3] + kind[0]
    hidden = (hidden - hidden.mean(1, keepdims=True)) / hidden.std(1, keepdims=True)
    hidden = hidden * bert_arrays["embeddings.LayerNorm.weight"] + bert_arrays["embeddings.LayerNorm.bias"]
    np.testing.assert_allclose(peaks["encoder.layer.0.attention.self.query"], np.abs(hidden).max(0), atol=1e-5)
    kinds = {"attention.self.query", "attention.output.dense", "intermediate.dense", "output.dense"}
    assert peaks.keys() == {f"encoder.layer.{layer}.{kind}" for layer in range(2) for kind in kinds}
