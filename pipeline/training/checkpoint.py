"""Checkpoints: everything that a run needs to continue as if it had never stopped (weights, optimiser, iteration, curves).

Which rows an iteration reads, and what its dropout drops, follow from the seed and the iteration's number. So they need
no place here.

A checkpoint is a folder. It is written under another name and moved to its place whole, so a kill or a power cut leaves
either the old one or the new one. Import this after `blas.preload()`.
"""

import shutil
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.optimizers import Optimizer
from mlx.utils import tree_flatten, tree_unflatten
from pydantic import BaseModel

from pipeline import files
from pipeline.training.curves import Curves

WEIGHTS, BEST, OPTIMIZER, STATE = "weights.safetensors", "best.safetensors", "optimizer.safetensors", "state.json"


class TrainingProgress(BaseModel):
    """How far a run is after `iteration`."""

    iteration: int = 0
    curves: Curves = Curves()
    losses: list[float] = []
    """The loss of each iteration since the last report, in nats a token."""


def weights_of(model: nn.Module) -> dict[str, mx.array]:
    """The trained weights by name, as mlx-lm writes them into an adapter's file."""
    return dict(tree_flatten(model.trainable_parameters()))


def save(
    folder: Path, progress: TrainingProgress, model: nn.Module, best: dict[str, mx.array], optimizer: Optimizer
) -> Path:
    """Writes the checkpoint `folder/NNNNNNN`, removes older ones, and returns its path.

    Args:
        folder: the folder of the run's checkpoints.
        progress: how far the run is.
        model: the model whose trained weights are written.
        best: the best weights so far; empty: none.
        optimizer: the optimiser whose state is written.
    """
    name = f"{progress.iteration:07d}"
    final = folder / name
    state: dict[str, mx.array] = dict(tree_flatten(optimizer.state))
    with files.new_folder(final, replace=True) as draft:
        mx.save_safetensors(str(draft / WEIGHTS), weights_of(model))
        if best:
            mx.save_safetensors(str(draft / BEST), best)
        mx.save_safetensors(str(draft / OPTIMIZER), state)
        (draft / STATE).write_text(progress.model_dump_json(), encoding="utf-8")
    for other in folder.iterdir():  # older checkpoints, and drafts of processes that were killed
        if other != final:
            shutil.rmtree(other)
    return final


def newest(folder: Path) -> Path | None:
    """The newest checkpoint in `folder`; None if there is none."""
    return max(_all(folder), default=None, key=lambda path: path.name)


def load(checkpoint: Path, model: nn.Module, optimizer: Optimizer) -> tuple[TrainingProgress, dict[str, mx.array]]:
    """Restores model and optimiser from `checkpoint`; returns the progress and the best weights."""
    model.load_weights(str(checkpoint / WEIGHTS), strict=False)
    arrays: Any = mx.load(str(checkpoint / OPTIMIZER))
    optimizer.state = tree_unflatten(list(arrays.items()))
    best: Any = mx.load(str(checkpoint / BEST)) if (checkpoint / BEST).is_file() else {}
    mx.eval(model.parameters(), optimizer.state, best)
    return TrainingProgress.model_validate_json((checkpoint / STATE).read_bytes()), best


def _all(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.isdigit()] if folder.is_dir() else []
