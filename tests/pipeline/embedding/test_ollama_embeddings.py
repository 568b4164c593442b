"""A real Ollama as the embedder, by its own interface and by OpenAI's."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from ollama import Client

from pipeline.doctor import examine
from pipeline.embedding.embedder import Embedder, load_embedder
from pipeline.embedding.ollama_embeddings import OllamaEmbeddings
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.errors import ModelError
from pipeline.processes.endpoint import free_port
from pipeline.settings import ModelSettings, Settings
from pipeline.weights.demo import embedding_model
from tests.ollama_server import MODEL

TEXTS = [
    "The cat sits outside.",
    "Ein Satz mit Umlauten: äöü.",
    "",
    *(f"{'note ' * n}number {n}" for n in (0, 1, 4, 20)),
]


def needs_ollama(test: Callable[..., None]) -> Callable[..., None]:
    return pytest.mark.ollama(pytest.mark.slow(pytest.mark.timeout(600)(test)))


def settings(root: Path, embedder: str, url: str) -> Settings:
    return Settings(root=root, models=ModelSettings(embedder=embedder, embedder_url=url))


@pytest.fixture
def embedder(ollama: str, ollama_embedder: str, tmp_path: Path) -> Embedder:
    return load_embedder(settings(tmp_path, f"ollama:{ollama_embedder}", ollama))


@needs_ollama
@pytest.mark.parametrize(("kind", "path"), [("ollama", ""), ("openai", "/v1")])
def test_its_vectors_are_those_of_the_weights(
    ollama: str, ollama_embedder: str, tmp_path: Path, kind: str, path: str
) -> None:
    vectors = load_embedder(settings(tmp_path, f"{kind}:{ollama_embedder}", ollama + path)).embed(TEXTS)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    expected = BertEmbedder(embedding_model(), 2).embed(TEXTS)
    assert np.einsum("ij,ij->i", vectors, expected).min() > 0.97  # ours may be in 8 bits


@needs_ollama
def test_a_text_that_is_too_long_is_cut(embedder: Embedder) -> None:
    long = "The orchard is pruned in winter. " * 80  # 560 tokens, and its model takes 512
    one, other = embedder.embed([long, long + "Something else entirely. " * 20])
    assert one @ other > 0.9999


@needs_ollama
def test_its_name_follows_the_weights(ollama: str, ollama_embedder: str, embedder: Embedder) -> None:
    with Client(ollama) as client, closing(OllamaEmbeddings("sitetwin-exchanged", ollama)) as other:
        digest = next(model.digest for model in client.list().models if model.model == f"{ollama_embedder}:latest")
        assert embedder.name == f"ollama:{ollama_embedder}-{str(digest)[:12]}-384"
        client.create("sitetwin-exchanged", from_=ollama_embedder, parameters={"num_ctx": 128})
        before = other.identity()
        client.copy(ollama_embedder, "sitetwin-exchanged")
        assert other.identity() != before
        client.delete("sitetwin-exchanged")


@needs_ollama
def test_a_model_that_it_lacks_is_named_with_the_next_step(ollama: str, tmp_path: Path) -> None:
    missing = load_embedder(settings(tmp_path, "ollama:nomic-embed-nothing", ollama))
    with pytest.raises(ModelError, match=r"has no model nomic-embed-nothing: run `ollama pull nomic-embed-nothing`"):
        missing.embed(["a"])
    with pytest.raises(ModelError, match="has no model"):
        _ = missing.name
    elsewhere = load_embedder(settings(tmp_path, "openai:nomic-embed-nothing", f"{ollama}/v1"))
    with pytest.raises(ModelError, match=r"has no model nomic-embed-nothing .*set \[models\] embedder"):
        elsewhere.embed(["a"])


@needs_ollama
def test_a_chat_model_is_no_embedder(ollama: str, tmp_path: Path) -> None:
    with Client(ollama) as client:
        if not any(str(model.model).startswith(MODEL) for model in client.list().models):
            pytest.skip(f"the server at OLLAMA_HOST has no {MODEL}")
    chat = load_embedder(settings(tmp_path, f"ollama:{MODEL}", ollama))
    with pytest.raises(
        ModelError, match=rf"{MODEL} of Ollama is no embedding model: run `ollama pull nomic-embed-text`"
    ):
        chat.embed(["a"])


@needs_ollama
@pytest.mark.parametrize(("name", "state"), [("sitetwin-minilm", "ok"), ("nomic-embed-nothing", "missing")])
def test_doctor_asks_for_a_vector(ollama: str, ollama_embedder: str, tmp_path: Path, name: str, state: str) -> None:
    findings = examine(settings(tmp_path, f"ollama:{name}", ollama))
    finding = next(finding for finding in findings if finding.name == "embedder")
    assert finding.state == state
    assert ("384" if state == "ok" else "ollama pull") in finding.text


def test_no_server() -> None:
    address = f"http://127.0.0.1:{free_port()}"
    message = rf"no Ollama answers at {address}: run `ollama serve`, or set \[models\] embedder_url"
    with closing(OllamaEmbeddings("nomic-embed-text", address)) as server:
        with pytest.raises(ModelError, match=message):
            server.identity()
        with pytest.raises(ModelError, match=message):
            server.vectors(["a"])
