"""Scores how well each text answers a query, with a cross-encoder on ONNX Runtime, which reads both at once."""

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
"""The most padded tokens of one run. More are slower, because a layer's (tokens, 1536) numbers no longer fit the cache."""
GRAPH = 1
"""Raise it when `bert.classifier` builds another graph, so that a cached one is not used."""

RERANKERS = Table("sitetwin.rerankers", {})
"""Kinds of rerankers that other packages add. Each factory takes the settings and the name after the kind."""
_rerankers: dict[tuple[Path, int], "BertReranker"] = {}
_lock = threading.Lock()


class Reranker(Protocol):
    """A model that scores texts for one query."""

    @property
    def name(self) -> str:
        """Identifies the weights."""

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """A score for each text, float32 (texts,). Higher is better; scores are comparable between texts of one query."""


def load_reranker(settings: Settings, threads: int = 0) -> Reranker:
    """The reranker that the settings name. There is one in a process, and any thread may use it.

    Args:
        settings: the site's settings.
        threads: the CPU threads of one run; 0: one for each core.

    Raises:
        ModelError: none is named, its folder lacks a file, or it is no BERT.
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

    Args:
        folder: the model's folder.
        threads: the CPU threads of one run.

    Raises:
        ModelError: a file is missing, or the model is of a kind that is not known here.
    """

    def __init__(self, folder: Path, threads: int) -> None:
        self.folder = folder
        self.config = read_config(folder, "reranker")
        self._threads = threads
        self._lock = threading.Lock()

    @cached_property
    def name(self) -> str:
        """The folder's name with a digest of its weights."""
        return weights_name(self.folder)

    def scores(self, query: str, texts: Sequence[str]) -> np.ndarray:
        """The logit of each pair of query and text, float32 (texts,).

        A pair that is too long loses the end of its longer part, which is nearly always the text.
        """
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
