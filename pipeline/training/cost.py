"""What a run will cost in time, said before its first step: from the last run like it, or from some steps that change nothing.

Import this after `blas.preload()`.
"""

import time
from collections.abc import Callable, Sequence

from pipeline.training import memory
from pipeline.training.config import TrainingConfig
from pipeline.training.data import TrainingRow
from pipeline.training.loop import Trainer, TrainingStoppedError
from pipeline.training.registry import Run

FEW = 20
"""A run of fewer iterations is over before its cost is worth measuring."""
MEASURED = 3
"""The steps that are timed. One more goes before them, in which memory is allocated and functions are compiled."""
FORWARD = 1 / 3
"""The share of a step that its forward pass takes. The backward pass takes twice as much."""


def cost_in_words(
    run: Run,
    trainer: Trainer,
    train: Sequence[TrainingRow],
    valid: Sequence[TrainingRow],
    earlier: Sequence[Run],
    stop: Callable[[], bool],
) -> str:
    """About how long the run will take, in words; "" for a short one.

    Args:
        run: the run, which has not made a step.
        trainer: its trainer. Its weights stay as they are.
        train: the rows to train on.
        valid: the rows to validate with.
        earlier: other runs on this machine, oldest first.
        stop: tells whether to stop.

    Raises:
        TrainingStoppedError: `stop()` was true.
    """
    config = run.config
    assert config.iters
    if config.iters < FEW:
        return ""
    like = [other for other in earlier if _is_like(other, run) and other.curves.train]
    if like:
        speeds = [point.tokens_per_second for point in like[-1].curves.train]
        speed, how = sorted(speeds)[len(speeds) // 2], f"as in the run {like[-1].name}"
    else:
        speed = _measured(trainer, stop)
        how = f"measured in {MEASURED} steps, which held {memory.peak() / 1e9:.1f} GB"
    seconds = work(config, train, valid) / speed
    time_words = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} seconds"
    return (
        f"the run will take at most about {time_words}: {config.iters} iterations at {speed:.0f} tokens a second, {how}"
    )


def work(config: TrainingConfig, train: Sequence[TrainingRow], valid: Sequence[TrainingRow]) -> float:
    """The tokens of all steps and evaluations; one that is only read counts a third."""
    assert config.iters
    assert config.steps_per_eval
    evaluations = config.iters // config.steps_per_eval + 1
    return _tokens(train, config) / len(train) * config.batch_size * config.iters + FORWARD * evaluations * _tokens(
        valid, config
    )


def _tokens(rows: Sequence[TrainingRow], config: TrainingConfig) -> int:
    return sum(min(row.longest, config.max_seq_length) for one in rows for row in one.rows)


def _is_like(other: Run, run: Run) -> bool:
    """Whether a step of `other` takes about as long as one of `run`."""
    alike = ("fine_tune_type", "num_layers", "batch_size", "grad_checkpoint", "method")
    return (
        other.name != run.name
        and other.base_hash == run.base_hash
        and all(getattr(other.config, key) == getattr(run.config, key) for key in alike)
    )


def _measured(trainer: Trainer, stop: Callable[[], bool]) -> float:
    """The tokens a second of some steps."""
    tokens, started = 0, 0.0
    for iteration in range(MEASURED + 1):
        if stop():
            raise TrainingStoppedError
        batch = trainer.schedule.batch(iteration)
        trainer.try_step(batch)
        if not iteration:
            started = time.perf_counter()
        else:
            tokens += int((batch.spans[:, 1] + 1).sum())
    return tokens / (time.perf_counter() - started)
