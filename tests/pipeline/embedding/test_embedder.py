import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.embedding.embedder import PrefixedEmbedder, load_embedder, load_former
from pipeline.embedding.mlx_embedder import MlxEmbedder
from pipeline.embedding.openai_embeddings import OpenAIEmbeddings
from pipeline.embedding.prefixes import EmbeddingPrefixes
from pipeline.embedding.remote_embedder import RemoteEmbedder
from pipeline.errors import ModelError
from pipeline.servers.openai_server import OpenAIServer
from pipeline.settings import ModelSettings, Settings
from pipeline.weights.demo import embedding_model


class Recorder:
    name, dimension = "recorder", 2

    def __init__(self) -> None:
        self.texts: list[str] = []

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        self.texts += texts
        return np.tile(np.float32([0.6, 0.8]), (len(texts), 1))


def settings(**models: str) -> Settings:
    return Settings(root=Path.cwd(), models=ModelSettings(**models))  # type: ignore[arg-type]


def server_of(embedder: object) -> OpenAIServer:
    assert isinstance(embedder, PrefixedEmbedder)
    assert isinstance(embedder.model, RemoteEmbedder)
    assert isinstance(embedder.model._server, OpenAIEmbeddings)
    return embedder.model._server._server


def test_weights_are_loaded_once_in_a_process(tmp_path: Path) -> None:
    one, other = load_embedder(Settings(root=tmp_path)), load_embedder(settings(embedder=str(embedding_model())))
    assert isinstance(one, PrefixedEmbedder)
    assert isinstance(other, PrefixedEmbedder)
    assert one.model is other.model
    assert one.name.startswith("all-MiniLM-L6-v2-53aa51172d14-mean-256")


def test_a_folder_is_looked_for_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "minilm").symlink_to(embedding_model())
    embedder = load_embedder(Settings(root=tmp_path, models=ModelSettings(embedder="minilm")))
    assert embedder.dimension == 384
    with pytest.raises(ModelError, match=rf"no folder {tmp_path}/nothing: set \[models\] embedder"):
        load_embedder(Settings(root=tmp_path, models=ModelSettings(embedder="nothing")))


def test_questions_and_texts_get_their_prefixes() -> None:
    model = Recorder()
    embedder = PrefixedEmbedder(model, EmbeddingPrefixes("query: ", "passage: "), "")
    assert embedder.embed_query("why?").shape == (2,)
    assert embedder.embed(["because", "so"]).shape == (2, 2)
    assert model.texts == ["query: why?", "passage: because", "passage: so"]
    assert embedder.name == "recorder 'passage: '"
    assert PrefixedEmbedder(model, EmbeddingPrefixes("query: ", ""), "").name == "recorder"


def test_a_question_is_embedded_once_until_the_weights_are_others() -> None:
    model = Recorder()
    for _ in range(3):  # searched for, judged, quoted on; each time by an embedder of its own
        vector = PrefixedEmbedder(model, EmbeddingPrefixes("query: ", ""), "").embed_query("why?")
    assert model.texts == ["query: why?"]
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 1
    model.name = "exchanged"
    PrefixedEmbedder(model, EmbeddingPrefixes("query: ", ""), "").embed_query("why?")
    assert model.texts == ["query: why?"] * 2


def test_prefixes_come_from_the_settings_else_from_the_models_name() -> None:
    server = {"embedder": "openai:nomic-embed-text", "embedder_url": "http://127.0.0.1:9/v1"}
    known = load_embedder(settings(**server))
    assert isinstance(known, PrefixedEmbedder)
    assert known.prefixes == EmbeddingPrefixes("search_query: ", "search_document: ")
    chosen = load_embedder(settings(**server, embedder_query_prefix="clustering: ", embedder_document_prefix=""))
    assert isinstance(chosen, PrefixedEmbedder)
    assert chosen.prefixes == EmbeddingPrefixes("clustering: ", "")
    assert chosen.model is known.model


def test_a_former_embedder_is_loaded_by_its_spec_without_the_key_of_another_server() -> None:
    then = settings(
        embedder="openai:small",
        embedder_url="http://127.0.0.1:9/v1",
        embedder_api_key="old",
        embedder_document_prefix="d: ",
    )
    spec = load_embedder(then).spec
    assert "old" not in spec
    elsewhere = settings(embedder="openai:big", embedder_url="http://127.0.0.1:10/v1", embedder_api_key="new")
    former = load_former(spec, elsewhere)
    assert isinstance(former, PrefixedEmbedder)
    assert (server_of(former).model, server_of(former).url) == ("small", "http://127.0.0.1:9/v1")
    assert server_of(former).headers == {}
    assert former.prefixes.document == "d: "
    assert former.spec == spec
    same = settings(embedder="openai:big", embedder_url="http://127.0.0.1:9/v1", embedder_api_key="new")
    assert server_of(load_former(spec, same)).headers == {"Authorization": "Bearer new"}


def test_importing_costs_nothing() -> None:
    code = "import sys, pipeline.embedding.embedder\nprint(*{'onnx', 'onnxruntime', 'tokenizers', 'mlx.core', 'ollama'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac embeds with MLX")
def test_without_metal_mlx_is_not_even_loaded() -> None:
    code = """
import sys
from pathlib import Path
from pipeline.embedding.embedder import load_embedder
from pipeline.servers.openai_server import OpenAIServer
from pipeline.settings import Settings
embedder = load_embedder(Settings(root=Path.cwd()))
print(type(embedder.model).__name__, embedder.embed_query("why?").shape, [name for name in sys.modules if "mlx." in name])
"""
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "BertEmbedder (384,) []"


def test_where_metal_is_mlx_embeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.embedding.embedder._models", {})
    monkeypatch.setattr("pipeline.embedding.embedder.has_metal", lambda: True)
    embedder = load_embedder(Settings(root=tmp_path))
    assert isinstance(embedder, PrefixedEmbedder)
    assert isinstance(embedder.model, MlxEmbedder)
