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
    """About how long the run will take, from the fastest of these steps to the slowest, in words; "" for a short one.

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
        speeds = sorted(point.tokens_per_second for point in like[-1].curves.train)
        # Without the outermost reports: one that a pause fell into says nothing.
        slow, fast = speeds[len(speeds) // 10], speeds[-1 - len(speeds) // 10]
        how = f"as in the run {like[-1].name}"
    else:
        speeds = sorted(_measured(trainer, stop))
        slow, fast = speeds[0], speeds[-1]
        how = f"measured in {MEASURED} steps, which held {memory.peak() / 1e9:.1f} GB"
    tokens = work(config, train, valid)
    unit, name = (60, "minutes") if tokens / slow >= 90 else (1, "seconds")
    return (
        f"the run will take at most about {_range(tokens / fast / unit, tokens / slow / unit)} {name}: {config.iters} "
        f"iterations at {_range(slow, fast)} tokens a second, {how}"
    )


def _range(low: float, high: float) -> str:
    return f"{low:.0f}" if f"{low:.0f}" == f"{high:.0f}" else f"{low:.0f} to {high:.0f}"


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


def _measured(trainer: Trainer, stop: Callable[[], bool]) -> list[float]:
    """The tokens a second of each of some steps."""
    speeds = []
    for iteration in range(MEASURED + 1):
        if stop():
            raise TrainingStoppedError
        batch, started = trainer.schedule.batch(iteration), time.perf_counter()
        trainer.try_step(batch)
        if iteration:
            speeds.append(int((batch.spans[:, 1] + 1).sum()) / (time.perf_counter() - started))
    return speeds
