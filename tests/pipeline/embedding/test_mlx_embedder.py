"""On MLX's processor for the CPU, where there is no Metal: the same graph, slower."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402

from pipeline.embedding.batches import padded  # noqa: E402
from pipeline.embedding.bert import Activation, Pooling  # noqa: E402
from pipeline.embedding.bert_folder import Config  # noqa: E402
from pipeline.embedding.mlx_embedder import MlxEmbedder, encode  # noqa: E402
from pipeline.embedding.onnx_embedder import BertEmbedder  # noqa: E402
from pipeline.weights.demo import embedding_model  # noqa: E402


@pytest.fixture(scope="module")
def embedder() -> MlxEmbedder:
    return MlxEmbedder(embedding_model())


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """Paragraphs of a guide, an empty text and one that is longer than the model takes."""
    guide = (Path(__file__).parents[3] / "docs" / "models.md").read_text(encoding="utf-8")
    return [*guide.split("\n\n")[3:9], "", "Ein Satz mit Umlauten: äöü, and an emoji 😀.", guide]


def test_its_vectors_and_its_name_are_those_of_onnx_runtime_in_fp32(embedder: MlxEmbedder, texts: list[str]) -> None:
    exact = BertEmbedder(embedding_model(), 1, exact=True)
    vectors, expected = embedder.embed(texts), exact.embed(texts)
    assert vectors.dtype == np.float32
    assert vectors.shape == (9, 384) == (len(texts), embedder.dimension)
    np.testing.assert_allclose(vectors, expected, atol=1e-5)
    assert (vectors * expected).sum(1).min() > 0.9999
    assert embedder.name == exact.name == "all-MiniLM-L6-v2-53aa51172d14-mean-256"


def test_a_text_has_the_same_vector_in_any_company(
    embedder: MlxEmbedder, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    together = embedder.embed(texts)
    monkeypatch.setattr("pipeline.embedding.mlx_embedder.BATCH_TOKENS", 100)
    np.testing.assert_allclose(embedder.embed(texts), together, atol=1e-5)
    for row in (0, 6, 8):
        np.testing.assert_allclose(embedder.embed([texts[row]])[0], together[row], atol=1e-5)


def test_what_is_past_the_limit_is_cut(embedder: MlxEmbedder) -> None:
    long = "word " * 300
    np.testing.assert_allclose(*embedder.embed([long, long + "and something else entirely"]), atol=1e-6)


def test_no_texts_no_rows(embedder: MlxEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_threads_that_come_and_go_get_the_vectors_of_their_own_texts(embedder: MlxEmbedder, texts: list[str]) -> None:
    short = texts[:8]
    expected = embedder.embed(short)
    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            vectors = list(pool.map(lambda text: embedder.embed([text])[0], short))
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


@pytest.mark.parametrize(("pooling", "activation"), [("mean", "gelu"), ("cls", "gelu_tanh"), ("mean", "relu")])
def test_the_encoder_is_bert(
    bert_arrays: dict[str, np.ndarray],
    pooling: Pooling,
    activation: Activation,
    reference_embedding: Callable[..., np.ndarray],
) -> None:
    config = Config(
        heads=3, width=24, epsilon=1e-12, max_tokens=16, activation=activation, pooling=pooling, lowercase=True
    )
    tokens = [[5, 9, 2], list(range(16)), [7]]
    weights = {name: mx.array(array) for name, array in bert_arrays.items()}
    ids, mask = (mx.array(array) for array in padded(tokens).values())
    vectors = np.array(encode(weights, ids, mask, config))
    for text, vector in zip(tokens, vectors, strict=True):
        expected = reference_embedding(bert_arrays, text, 3, 1e-12, pooling, activation)
        np.testing.assert_allclose(vector, expected, atol=2e-5)


def test_a_distilbert_too(distilbert: Path) -> None:
    texts = ["a d", "b", "c a f e"]
    expected = BertEmbedder(distilbert, 1, exact=True).embed(texts)
    np.testing.assert_allclose(MlxEmbedder(distilbert).embed(texts), expected, atol=2e-5)


def test_a_folder_without_weights_is_named(distilbert: Path) -> None:
    (distilbert / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has no model\.safetensors"):
        MlxEmbedder(distilbert).embed(["a"])


def test_its_tokens_are_those_of_onnx_runtime(embedder: MlxEmbedder, texts: list[str]) -> None:
    exact = BertEmbedder(embedding_model(), 1, exact=True)
    for found, expected in zip(embedder.embed_tokens(texts), exact.embed_tokens(texts), strict=True):
        np.testing.assert_array_equal(found.spans, expected.spans)
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=1e-4)
