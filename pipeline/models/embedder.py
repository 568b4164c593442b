"""Texts to vectors, by the embedder that the settings name."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from pipeline.models.demo import resolve_embedding_model
from pipeline.models.onnx_embedder import BertEmbedder
from pipeline.settings import Settings

_embedders: dict[tuple[Path, int], BertEmbedder] = {}
_lock = threading.Lock()


class Embedder(Protocol):
    @property
    def name(self) -> str:
        """Identifies weights and pooling: vectors of two embedders of one name can be compared."""

    @property
    def dimension(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Float32 (texts, dimension), rows of length 1; (0, dimension) for no texts."""


def load_embedder(settings: Settings, threads: int = 0) -> Embedder:
    """The embedder that the settings name, one per process; any thread may use it.

    Args:
        threads: of the CPU for one run; 0: one for each core. They sleep while they wait, so a chat beside them goes on.

    Raises:
        ModelError: its folder lacks a file, or is no BERT.
    """
    folder = resolve_embedding_model(settings.models.embedder)
    threads = threads or os.cpu_count() or 1
    with _lock:
        if (folder, threads) not in _embedders:
            _embedders[folder, threads] = BertEmbedder(folder, threads)
        return _embedders[folder, threads]
