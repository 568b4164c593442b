"""What DPO compares with: the log-probabilities of all answers by the model as the run found it.

They are computed once, before the first step, and kept in the run's folder. So training holds one model, and a run that
is resumed compares with the same figures. Import this after `blas.preload()`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline import files
from pipeline.training.data import TokenPreference, TrainingRow, by_length, make_batch
from pipeline.training.loop import Trainer, never

FILE = "reference.json"


def compare_with_beginning(
    trainer: Trainer,
    train: Sequence[TrainingRow],
    valid: Sequence[TrainingRow],
    folder: Path | None,
    stop: Callable[[], bool] = never,
) -> None:
    """Gives the trainer these preferences with their reference, which is kept in the run's `folder`; None: nowhere.

    Raises:
        TrainingStoppedError: `stop()` was true.
    """
    both = [*train, *valid]
    file = folder and folder / FILE
    if file and file.is_file():
        logps = np.array(json.loads(file.read_text(encoding="utf-8")), np.float32)
    else:
        logps = _logps(trainer, both, stop)
        if file:
            files.write_text(file, json.dumps(logps.tolist()))
    referred = [
        TokenPreference(*(replace(row, reference=float(logp)) for row, logp in zip(one.rows, pair, strict=True)))
        for one, pair in zip(both, logps, strict=True)
    ]
    trainer.read(referred[: len(train)], referred[len(train) :])


def _logps(trainer: Trainer, rows: Sequence[TrainingRow], stop: Callable[[], bool]) -> np.ndarray:
    """The log-probabilities of both answers of each preference, in nats: (preferences, 2)."""
    longest, size = trainer.config.max_seq_length, trainer.config.batch_size
    order = sorted(range(len(rows)), key=lambda place: rows[place].longest)
    batches = [make_batch(batch, longest) for batch in by_length([rows[place] for place in order], size)]
    logps = np.empty((len(rows), 2), np.float32)
    logps[order] = trainer.row_logps(batches, stop).logps.reshape(-1, 2)
    return logps
