from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest

from pipeline.embedding.bert import EMBEDDING, IDS, encoder, observer
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.weights.demo import embedding_model
from pipeline.weights.int8 import multiplies_exactly

TEXTS = [[5, 9, 2, 7, 31], [1, 48, 3, 3, 12]]


def session_of(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


@pytest.fixture
def session(bert_arrays: dict[str, np.ndarray]) -> onnxruntime.InferenceSession:
    """The small BERT in int8, watched over the two texts."""
    watching = session_of(observer(bert_arrays, heads=3, epsilon=1e-12))
    names = [output.name for output in watching.get_outputs()]
    peaks = dict(zip(names, watching.run(names, {IDS: np.array(TEXTS)}), strict=True))
    return session_of(encoder(bert_arrays, heads=3, epsilon=1e-12, pooling="mean", peaks=peaks))


@pytest.mark.skipif(not multiplies_exactly(), reason="this CPU's products of bytes overflow")
def test_int8_is_near_the_formula(
    bert_arrays: dict[str, np.ndarray],
    session: onnxruntime.InferenceSession,
    reference_embedding: Callable[..., np.ndarray],
) -> None:
    for ids, vector in zip(TEXTS, session.run([EMBEDDING], {IDS: np.array(TEXTS)})[0], strict=True):
        cosine = vector @ reference_embedding(bert_arrays, ids, 3, 1e-12, "mean")
        assert 0.995 < cosine < 1 - 1e-6


def test_a_text_in_int8_has_the_same_vector_in_any_company(session: onnxruntime.InferenceSession) -> None:
    together = session.run([EMBEDDING], {IDS: np.array(TEXTS)})[0]
    for ids, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(session.run([EMBEDDING], {IDS: np.array([ids])})[0][0], vector, atol=1e-6)


def test_a_cpu_that_overflows_gets_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embedding.onnx_embedder.multiplies_exactly", lambda: False)
    assert BertEmbedder(embedding_model(), 1).name == BertEmbedder(embedding_model(), 1, exact=True).name
