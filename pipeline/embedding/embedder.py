"""Texts to vectors, by the embedder that the settings name."""

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
from pipeline.embedding.prefixes import Prefixes, known_prefixes
from pipeline.embedding.remote_embedder import EmbeddingServer, RemoteEmbedder
from pipeline.settings import ModelSettings, Settings
from pipeline.tables import Table
from pipeline.weights.demo import DEMO
from pipeline.weights.locating import resolve_embedding_model

EMBEDDERS = Table(
    "sitetwin.embedders",
    {
        "ollama": "pipeline.embedding.ollama_embeddings:OllamaEmbeddings",
        "openai": "pipeline.embedding.openai_embeddings:OpenAIEmbeddings",
    },
)
"""Servers that embed: each factory takes a model's name, the server's address and a key."""
_SPEC = ("embedder", "embedder_url", "embedder_query_prefix", "embedder_document_prefix")
_models: dict[tuple[str, ...], "TextModel"] = {}
_lock = threading.Lock()


class TextModel(Protocol):
    @property
    def name(self) -> str:
        """Identifies weights and pooling: vectors of two models of one name can be compared."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (texts, dimension), rows of length 1; (0, dimension) for no texts."""


class Embedder(TextModel, Protocol):
    """A text model that knows which texts are looked for and which look for them."""

    @property
    def spec(self) -> str:
        """What `load_former` makes it from again. Holds no key."""

    def embed_query(self, text: str) -> np.ndarray:
        """Float32 (dimension,) of length 1, to be compared with the vectors of `embed`."""


@dataclass(frozen=True, slots=True)
class PrefixedEmbedder:
    """`model` with `prefixes` in front of what it embeds."""

    model: TextModel
    prefixes: Prefixes
    spec: str

    @property
    def name(self) -> str:
        # Not the query's: it changes no vector of an index.
        return f"{self.model.name} {self.prefixes.document!r}" if self.prefixes.document else self.model.name

    @property
    def dimension(self) -> int:
        return self.model.dimension

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return self.model.embed([self.prefixes.document + text for text in texts])

    def embed_query(self, text: str) -> np.ndarray:
        return _query_vector(self.model, self.model.name, self.prefixes.query + text)  # type: ignore[arg-type]


def load_embedder(settings: Settings, threads: int = 0) -> Embedder:
    """The embedder that the settings name; its weights are loaded once in a process, and any thread may use it.

    Args:
        threads: of the CPU, where no graphics processor does the work; 0: one for each core. They sleep while they
            wait, so a chat beside them goes on.

    Raises:
        ModelError: its folder lacks a file, or is no BERT; or it is on a server that has no address.
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
        former.embedder_api_key = ""  # a key goes to no server but its own
    return load_embedder(settings.model_copy(update={"models": former}))


def embedder_folder(settings: Settings) -> Path:
    """The folder of an embedder that runs here.

    Raises:
        ModelError: the demo weights can't be had, or there is no such folder.
    """
    name = settings.models.embedder
    return resolve_embedding_model(name if name == DEMO else str(settings.root / Path(name).expanduser()))


@lru_cache(maxsize=8)
def _query_vector(model: TextModel, name: str, text: str) -> np.ndarray:
    """The same question is searched for, judged and quoted on; under another `name` the model has other weights."""
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


def _prefixes(models: ModelSettings, model: str | Path) -> Prefixes:
    known = read_prefixes(model) if isinstance(model, Path) else known_prefixes(model)
    query, document = models.embedder_query_prefix, models.embedder_document_prefix
    return Prefixes(
        query=known.query if query is None else query, document=known.document if document is None else document
    )
