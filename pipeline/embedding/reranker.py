"""How well each text answers a query: a cross-encoder, which reads both at once, on ONNX Runtime."""

import os
import threading
from collections.abc import Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pipeline.embedding.batches import batches, padded
from pipeline.embedding.bert import IDS, SCORE, TYPES, classifier
from pipeline.embedding.bert_folder import Config, load_tokenizer, read_config, read_weights, weights_name
from pipeline.embedding.onnx_embedder import open_session
from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.tables import Table
from pipeline.weights.cache import cached

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

BATCH_TOKENS = 1024
"""Padded tokens of one run. More at once is slower: the layer's (tokens, 1536) no longer fit the cache."""
GRAPH = 1
"""Raised when `bert.classifier` gives another graph, so that a cached one is not used."""

RERANKERS = Table("sitetwin.rerankers", {})
"""Kinds beside a folder, of other packages: each factory takes the settings and the name after the kind."""
_rerankers: dict[tuple[Path, int], "BertReranker"] = {}
_lock = threading.Lock()


class Reranker(Protocol):
    @property
    def name(self) -> str: ...

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """Float32 (texts,), higher is better; comparable between texts of one query."""


def load_reranker(settings: Settings, threads: int = 0) -> Reranker:
    """The reranker that the settings name, one per process; any thread may use it.

    Args:
        threads: of the CPU for one run; 0: one for each core.

    Raises:
        ModelError: none is named, its folder lacks a file, or is no BERT.
    """
    if not settings.models.reranker:
        raise ModelError(
            "no reranker is named: set [models] reranker to a folder with cross-encoder/ms-marco-MiniLM-L6-v2, or "
            "[retrieval] rerank = false"
        )
    kind, _, name = settings.models.reranker.partition(":")
    if name and (factory := RERANKERS.find(kind)):
        return factory(settings, name)  # type: ignore[no-any-return]
    folder = (settings.root / Path(settings.models.reranker).expanduser()).resolve()
    if not folder.is_dir():
        raise ModelError(f"no folder {folder}: set [models] reranker to one that exists, or [retrieval] rerank = false")
    threads = threads or os.cpu_count() or 1
    with _lock:
        if (folder, threads) not in _rerankers:
            _rerankers[folder, threads] = BertReranker(folder, threads)
        return _rerankers[folder, threads]


class BertReranker:
    """Runs the BertForSequenceClassification with one label in `folder`, which has the files of a BERT embedder.

    Nothing is loaded before the first query.

    Raises:
        ModelError: a file is missing, or it is a kind of model that is not known here.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.config = read_config(folder, "reranker")
        self._threads = threads
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        return weights_name(self.folder)

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """The logits. A pair that is longer than the model takes loses the end of its longer part, nearly always the text."""
        scores = np.zeros(len(texts), np.float32)
        if not texts:
            return scores
        with self._lock:
            tokenizer, session = self._tokenizer, self._session
        pairs = tokenizer.encode_batch([(query, text) for text in texts])
        for rows in batches([len(pair.ids) for pair in pairs], BATCH_TOKENS):
            inputs = padded([pairs[row].ids for row in rows])
            inputs[TYPES] = padded([pairs[row].type_ids for row in rows])[IDS]
            scores[rows] = session.run([SCORE], inputs)[0][:, 0]
        return scores

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        return load_tokenizer(self.folder, self.config)

    @cached_property
    def _session(self) -> "onnxruntime.InferenceSession":
        model = cached(f"{self.name}-rerank{GRAPH}", partial(_write_graph, self.folder, self.config)) / "model.onnx"
        return open_session(model, self._threads)


def _write_graph(weights: Path, config: Config, folder: Path) -> None:
    import onnx

    arrays = read_weights(weights)
    labels = arrays["classifier.bias"].size if "classifier.bias" in arrays else 0
    if labels != 1 or "pooler.dense.weight" not in arrays:
        raise ModelError(
            f"{weights} has no BERT head that gives a pair one score: set [models] reranker to a cross-encoder for "
            "search, e.g. a folder with cross-encoder/ms-marco-MiniLM-L6-v2"
        )
    model = classifier(arrays, heads=config.heads, epsilon=config.epsilon, activation=config.activation)
    onnx.save(model, folder / "model.onnx")
