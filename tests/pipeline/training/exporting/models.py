"""What the engine and what an exported model make of a text."""

from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx_lm.utils import load_model

from pipeline.models.overlays import OverlaidModel
from pipeline.training.exporting.source import Source

IDS = mx.array([[1, 70, 90, 31, 5, 222, 14, 2, 1, 70]])


def engine_logits(source: Source) -> np.ndarray:
    """Under the adapter, as the engine lays it over the base; (tokens, vocabulary)."""
    model = OverlaidModel(load_model(source.base)[0])
    overlay = source.overlay(model.base)
    model.prepare(overlay.layers)
    return np.array(model(IDS, cache=model.make_cache_for(overlay))[0].astype(mx.float32))


def logits(folder: Path) -> np.ndarray:
    """Of a model folder."""
    return np.array(load_model(folder)[0](IDS)[0].astype(mx.float32))
