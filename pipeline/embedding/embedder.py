"""Turns texts into vectors with the embedder that the settings name."""

import json
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.embedding.bert_folder import read_prefixes
from pipeline.embedding.mlx_embedder import MlxEmbedder, has_metal
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.embedding.prefixes import EmbeddingPrefixes, known_prefixes
from pipeline.embedding.recent import Recent
from pipeline.embedding.remote_embedder import EmbeddingServer, RemoteEmbedder
from pipeline.embedding.token_vectors import TokenModel, TokenVectors
from pipeline.settings import ModelSettings, Settings
from pipeline.tables import Table
from pipeline.weights.demo import EMBEDDINGS
from pipeline.weights.locating import resolve_embedding_model

EMBEDDERS = Table(
    "sitetwin.embedders",
    {
        "ollama": "pipeline.embedding.ollama_embeddings:OllamaEmbeddings",
        "openai": "pipeline.embedding.openai_embeddings:OpenAIEmbeddings",
    },
)
"""Kinds of servers that embed. Each factory takes a model's name, the server's address and a key."""
_SPEC = ("embedder", "embedder_url", "embedder_query_prefix", "embedder_document_prefix")
_models: dict[tuple[str, ...], "TextModel"] = {}
_lock = threading.Lock()


class TextModel(Protocol):
    """A model that turns texts into vectors."""

    @property
    def name(self) -> str:
        """Identifies weights and pooling: vectors of two models with the same name can be compared."""

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The texts' vectors, float32 (texts, dimension), rows of length 1; (0, dimension) for no texts."""


class Embedder(TextModel, Protocol):
    """A text model that treats questions and the texts that are searched differently."""

    @property
    def spec(self) -> str:
        """What `load_former` needs to load it again. It holds no key."""

    def embed_query(self, text: str) -> np.ndarray:
        """A question's vector, float32 (dimension,) of length 1, to be compared with the vectors of `embed`."""

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """The vectors of the tokens of questions and texts, without prefixes; None if the model's server does not tell them."""


_tokens: Recent[TokenVectors] = Recent(most=64)
"""Of a question that names a day the same passages are judged twice, and in a conversation they come again."""


@dataclass(frozen=True, slots=True)
class PrefixedEmbedder:
    """Puts `prefixes` in front of the texts and passes them to `model`."""

    model: TextModel
    prefixes: EmbeddingPrefixes
    spec: str

    @property
    def name(self) -> str:
        """The model's name with the document prefix, on which the index's vectors depend."""
        # The query prefix is left out, because it changes no vector of an index.
        return f"{self.model.name} {self.prefixes.document!r}" if self.prefixes.document else self.model.name

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return self.model.dimension

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of texts that are searched, as `TextModel.embed`."""
        return self.model.embed([self.prefixes.document + text for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        """The vector of a question, as `Embedder.embed_query`."""
        return _query_vector(self.model, self.model.name, self.prefixes.query + text)  # type: ignore[arg-type]

    def embed_tokens(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """The vectors of the texts' tokens, as `Embedder.embed_tokens`."""
        if not isinstance(self.model, TokenModel):
            return None
        return _tokens.read(self.model.name, texts, self.model.embed_tokens)


def load_embedder(settings: Settings, threads: int = 0) -> Embedder:
    """The embedder that the settings name. Its weights are loaded once in a process, and any thread may use it.

    Args:
        settings: the site's settings.
        threads: the CPU threads to use where no graphics processor does the work; 0: one for each core. They sleep while
            they wait, so a chat beside them goes on.

    Raises:
        ModelError: its folder lacks a file or holds no BERT, or its server has no address.
    """
    models = settings.models
    spec = json.dumps({key: getattr(models, key) for key in _SPEC})
    kind, _, name = models.embedder.partition(":")
    if name and (server := EMBEDDERS.find(kind)):
        key = (models.embedder, models.embedder_url, models.embedder_api_key)
        return PrefixedEmbedder(_once(key, lambda: _remote(server, name, models)), _prefixes(models, name), spec)
    folder = embedder_folder(settings)
    threads = threads or os.cpu_count() or 1
    model = _once((str(folder), str(threads)), lambda: _local(folder, threads))
    return PrefixedEmbedder(model, _prefixes(models, folder), spec)


def load_former(spec: str, settings: Settings) -> Embedder:
    """The embedder that was loaded with `spec`, whatever the settings name now.

    Raises:
        ModelError: as `load_embedder`.
    """
    former = settings.models.model_copy(update=json.loads(spec))
    if former.embedder_url != settings.models.embedder_url:
        former.embedder_api_key = ""  # a key is sent to its own server only
    return load_embedder(settings.model_copy(update={"models": former}))


def embedder_folder(settings: Settings) -> Path:
    """The folder of an embedder that runs on this machine.

    Raises:
        ModelError: the demo weights can't be fetched, or there is no such folder.
    """
    name = settings.models.embedder
    return resolve_embedding_model(name if name in EMBEDDINGS else str(settings.root / Path(name).expanduser()))


@lru_cache(maxsize=8)
def _query_vector(model: TextModel, name: str, text: str) -> np.ndarray:
    """The vector of `text`, remembered because one question is embedded to search, to judge and to quote.

    `name` is part of the key: under another name the model has other weights.
    """
    vector: np.ndarray = model.embed([text])[0]
    vector.flags.writeable = False
    return vector


def _once(key: tuple[str, ...], make: Callable[[], TextModel]) -> TextModel:
    with _lock:
        if key not in _models:
            _models[key] = make()
        return _models[key]


def _local(folder: Path, threads: int) -> TextModel:
    return MlxEmbedder(folder) if has_metal() else BertEmbedder(folder, threads)


def _remote(server: Callable[[str, str, str], EmbeddingServer], name: str, models: ModelSettings) -> TextModel:
    return RemoteEmbedder(server(name, models.embedder_url, models.embedder_api_key))


def _prefixes(models: ModelSettings, model: str | Path) -> EmbeddingPrefixes:
    known = read_prefixes(model) if isinstance(model, Path) else known_prefixes(model)
    query, document = models.embedder_query_prefix, models.embedder_document_prefix
    return EmbeddingPrefixes(
        query=known.query if query is None else query, document=known.document if document is None else document
    )
