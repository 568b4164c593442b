"""Finds a learning rate: short runs over the same batches, each with another rate, from the same beginning.

The first rate is the configuration's. It is doubled as long as that helps, else halved. Each trial reads the same batches
in the same order with the same dropout, so the trials differ in nothing but the rate. Import this after `blas.preload()`.
"""

import math
from collections.abc import Callable, Iterator

import mlx.core as mx

from pipeline.training.checkpoint import weights_of
from pipeline.training.curves import RateTrial
from pipeline.training.loop import Trainer, TrainingStoppedError, dropout_seed

ITERATIONS = 30
"""The updates of a trial."""
FARTHEST = 5
"""The most doublings, or halvings, of the configuration's rate."""


def find_rate(
    trainer: Trainer, first: float, say: Callable[[str], None], stop: Callable[[], bool]
) -> tuple[float, list[RateTrial]]:
    """The best rate, and all trials in their order. Throw the trainer away afterwards.

    Args:
        trainer: one that has not made a step.
        first: the rate to begin with.
        say: is told each trial's result.
        stop: tells whether to stop.

    Raises:
        TrainingStoppedError: `stop()` was true.
    """
    beginning = {name: mx.array(weight) for name, weight in weights_of(trainer.model).items()}
    mx.eval(beginning)
    trials: dict[float, RateTrial] = {}

    def loss_of(rate: float) -> float:
        if rate not in trials:
            trainer.restart(beginning, rate)
            trials[rate] = RateTrial(rate=rate, loss=_trial(trainer, stop))
            say(f"learning rate {rate:.3g}: loss {trials[rate].loss:.3f} after {ITERATIONS} updates")
        found = trials[rate].loss
        return found if math.isfinite(found) else math.inf

    best = first
    loss_of(best)
    for rates in (_steps(first, 2), _steps(first, 1 / 2)):
        for rate in rates:
            if loss_of(rate) >= loss_of(best):
                break
            best = rate
        if best != first:
            break
    return best, list(trials.values())


def _steps(first: float, factor: float) -> Iterator[float]:
    return (first * factor**number for number in range(1, FARTHEST + 1))


def _trial(trainer: Trainer, stop: Callable[[], bool]) -> float:
    losses = []
    trainer.model.train()
    for iteration in range(ITERATIONS * trainer.config.grad_accumulation_steps):
        if stop():
            raise TrainingStoppedError
        batch = trainer.schedule.batch(iteration)
        losses.append(trainer.step(batch, dropout_seed(trainer.config.seed, iteration)))
        if not math.isfinite(losses[-1]):
            return math.nan
    late = losses[len(losses) // 2 :]
    return trainer.validation_loss(stop) if trainer.has_validation else sum(late) / len(late)
