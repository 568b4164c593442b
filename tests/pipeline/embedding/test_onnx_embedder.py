import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.embedding.bert_folder import load_tokenizer, read_config
from pipeline.embedding.onnx_embedder import BertEmbedder, alike
from pipeline.weights.demo import embedding_model
from pipeline.weights.int8 import multiplies_exactly

TEXTS = [
    "The cat sits outside.",
    "Retrieval-augmented generation looks facts up before it answers, so that an answer can name its sources. " * 6,
    "",
    "Ein Satz mit Umlauten: äöü, and an emoji 😀.",
]


@pytest.fixture(scope="module")
def embedder() -> BertEmbedder:
    return BertEmbedder(embedding_model(), os.cpu_count() or 1)


@pytest.fixture(scope="module")
def exact() -> BertEmbedder:
    return BertEmbedder(embedding_model(), os.cpu_count() or 1, exact=True)


def test_the_demo_embedder_is_minilm(exact: BertEmbedder, reference_embedding: Callable[..., np.ndarray]) -> None:
    folder = embedding_model()
    arrays, config = load_file(folder / "model.safetensors"), read_config(folder)
    tokenizer = load_tokenizer(folder, config)
    vectors = exact.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, exact.dimension) == (4, 384)
    for text, vector in zip(TEXTS, vectors, strict=True):
        ids = tokenizer.encode(text).ids
        expected = reference_embedding(arrays, ids, config.heads, config.epsilon, config.pooling)
        assert vector @ expected > 0.9999
        np.testing.assert_allclose(vector, expected, atol=1e-4)


def test_int8_changes_hardly_a_vector(embedder: BertEmbedder, exact: BertEmbedder) -> None:
    guides = sorted((Path(__file__).parents[3] / "docs").glob("*.md"))
    texts = [text for guide in guides for text in guide.read_text(encoding="utf-8").split("\n\n") if len(text) > 250]
    assert len(texts) > 20
    cosines = (embedder.embed(texts) * exact.embed(texts)).sum(1)
    assert cosines.min() > 0.995
    assert cosines.mean() > 0.998
    assert (cosines.min() < 1 - 1e-5) == multiplies_exactly()


def test_near_meanings_are_near(embedder: BertEmbedder) -> None:
    cat, same, guitar = embedder.embed(["The cat sits outside", "a cat is outdoors", "A man is playing guitar"])
    assert cat @ same > 0.8
    assert abs(cat @ guitar) < 0.2


def test_no_texts_no_rows(embedder: BertEmbedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_text_has_the_same_vector_in_any_company(embedder: BertEmbedder) -> None:
    texts = [f"{'word ' * n}number {n}" for n in range(0, 60, 3)]
    together = embedder.embed(texts)
    for text, vector in list(zip(texts, together, strict=True))[::7]:
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=1e-5)


def test_what_is_past_the_limit_is_cut(embedder: BertEmbedder) -> None:
    long = "word " * 300
    np.testing.assert_allclose(*embedder.embed([long, long + "and something else entirely"]), atol=1e-6)


def test_the_name_says_weights_pooling_limit_and_rounding(embedder: BertEmbedder, exact: BertEmbedder) -> None:
    assert exact.name == "all-MiniLM-L6-v2-53aa51172d14-mean-256"
    assert embedder.name == exact.name + ("-int8" if multiplies_exactly() else "")


def test_runs_hold_every_text_once_and_only_texts_of_one_length() -> None:
    lengths = [5, 300, 7, 5, 90, 5, 7, 2]
    assert list(alike(lengths, 10)) == [[1], [4], [2], [6], [0, 3], [5], [7]]


def test_the_tokens_of_a_text_have_vectors_and_places(exact: BertEmbedder) -> None:
    text = "Postgres isn't huge."
    tokens, nothing = exact.embed_tokens([text, ""])
    assert [text[start:end] for start, end in tokens.spans] == ["Post", "gre", "s", "isn", "'", "t", "huge", "."]
    assert tokens.vectors.shape == (8, 2 * exact.dimension)
    np.testing.assert_allclose(np.linalg.norm(tokens.vectors, axis=1), 1, atol=1e-5)
    assert nothing.spans.shape == (0, 2)
    assert nothing.vectors.shape == (0, 2 * exact.dimension)


def test_a_token_has_both_last_layers(exact: BertEmbedder, reference_layers: Callable[..., list[np.ndarray]]) -> None:
    folder = embedding_model()
    arrays, config = load_file(folder / "model.safetensors"), read_config(folder)
    ids = load_tokenizer(folder, config).encode(TEXTS[0]).ids
    below, last = reference_layers(arrays, ids, config.heads, config.epsilon)[-2:]
    rows = [layer[1:-1] / np.linalg.norm(layer[1:-1], axis=1, keepdims=True) for layer in (below, last)]
    expected = np.concatenate(rows, axis=1) / np.sqrt(2)
    np.testing.assert_allclose(exact.embed_tokens([TEXTS[0]])[0].vectors, expected, atol=1e-4)
