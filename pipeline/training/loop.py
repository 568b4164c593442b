"""The training loop, of mlx-lm's pieces: its LoRA layers, its loss, MLX's optimisers.

What mlx-lm's own loop has not: it can be stopped and resumed without a trace, it keeps the best weights and not the
last, and it ends when the validation loss has not fallen for some time.

`Trainer.step` is one step, whole. The loss that it follows is `loss.answer_loss`; the way from there to the gradients is
MLX's graph (`graph.py`), or for a Llama on a Linux CPU is written out (`cpu/gradients.py`), to the same numbers.

Import this after `blas.preload()`.
"""

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_map

from pipeline.errors import SitetwinError
from pipeline.training import checkpoint, graph, memory
from pipeline.training.checkpoint import Progress
from pipeline.training.config import TrainingConfig
from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.data import Batch, Schedule, TokenRow, by_length, make_batch
from pipeline.training.setup import add_adapter, choose_way, make_optimizer
from pipeline.weights.memory import graphics_limit, wire


class StoppedError(Exception):
    """A measurement was cut off because the run is to stop; it is made anew when the run goes on."""


def never() -> bool:
    return False


class Watcher(Protocol):
    """Sees what the loop does; every method is called in the loop's own thread."""

    def step(self, iteration: int, loss: float) -> None: ...

    def trained(self, point: TrainPoint) -> None: ...

    def evaluated(self, point: ValidPoint, progress: Progress) -> None: ...


class Trainer:
    """A model on its way to an adapter.

    Args:
        model: as mlx_lm loads it; its layers are changed in place.
        config: of `TrainingConfig.for_rows`, so that nothing is left to decide.
        folder: for checkpoints; the newest one there is gone on from.
    """

    def __init__(
        self, model: nn.Module, train: list[TokenRow], valid: list[TokenRow], config: TrainingConfig, folder: Path
    ) -> None:
        assert config.iters
        assert config.steps_per_eval
        assert config.save_every
        self.model = model
        self.config = config
        self.iters, self._eval_every, self._save_every = config.iters, config.steps_per_eval, config.save_every
        self.folder = folder
        self.schedule = Schedule(train, config)
        self._valid = [make_batch(rows, config.max_seq_length) for rows in by_length(valid, config.batch_size)]
        if config.val_batches != -1:
            # Of all lengths, not the shortest ones.
            step = max(1, len(self._valid) // max(1, config.val_batches))
            self._valid = self._valid[::step][: config.val_batches]
        add_adapter(model, config)
        self.optimizer = make_optimizer(config)
        self.optimizer.init(model.trainable_parameters())
        self.progress = Progress()
        self.best: dict[str, mx.array] = {}
        model.eval()
        shortest = make_batch([min(train, key=lambda row: len(row.tokens))], config.max_seq_length)
        self._loss_and_gradients = choose_way(model, shortest, config)
        if found := checkpoint.newest(folder):
            self.progress, self.best = checkpoint.load(found, model, self.optimizer)
        self._update = graph.updates(model, self.optimizer)
        self._accumulated = config.grad_accumulation_steps
        self._summed: Any = None
        """Gradients of the batches since the last update, `_unused` of them."""
        self._unused = 0

    def step(self, batch: Batch, seed: int = 0) -> float:
        """Reads one batch; changes the weights with the last of `grad_accumulation_steps` batches.

        Args:
            seed: of dropout.

        Returns:
            the mean loss over the batch's learnt tokens, before the change.
        """
        loss, gradients = self._loss_and_gradients(batch, seed)
        self._summed = gradients if self._summed is None else tree_map(mx.add, self._summed, gradients)
        self._unused += 1
        if self._unused == self._accumulated:
            mean = self._summed if self._unused == 1 else tree_map(lambda total: total / self._unused, self._summed)
            self._update(mean)
            self._summed, self._unused = None, 0
        mx.eval(self.model.trainable_parameters(), self.optimizer.state, loss, self._summed)
        # On a Mac what is freed stays with the process: as much again for each length that rows have.
        mx.clear_cache()
        return float(loss.item())  # type: ignore[arg-type]

    def run(self, watcher: Watcher, stop: Callable[[], bool] = never) -> bool:
        """Trains to the end, or until `stop()`; then a checkpoint is written and False given.

        Raises:
            SitetwinError: a loss is no number any more.
        """
        # Model, adapter and optimiser; an engine beside needs its own.
        wire(mx.get_active_memory(), graphics_limit())
        progress = self.progress
        if self._is_evaluation_due() and not self._evaluate(watcher, stop):
            return False
        tokens, started = 0, time.perf_counter()
        self.model.train()
        while progress.iteration < self.iters and not self._is_worn_out():
            batch = self.schedule.batch(progress.iteration)
            loss = self.step(batch, _dropout_seed(self.config.seed, progress.iteration))
            progress.iteration += 1
            progress.losses.append(self._number(loss, "the loss"))
            tokens += int((batch.spans[:, 1] + 1).sum())
            watcher.step(progress.iteration, loss)
            is_last = progress.iteration == self.iters
            if progress.iteration % self.config.steps_per_report == 0 or is_last:
                self._report(watcher, tokens / (time.perf_counter() - started))
                tokens, started = 0, time.perf_counter()
            # Summed gradients are in no checkpoint, so one is only written where there are none.
            is_whole, is_cut = self._unused == 0, False
            if self._is_evaluation_due():
                before = time.perf_counter()
                # A checkpoint after summed gradients would be of a later iteration than this evaluation.
                is_cut = not self._evaluate(watcher, stop if is_whole else never)
                started += time.perf_counter() - before
            is_stopped = is_cut or stop()
            if is_whole and (is_stopped or is_last or self._is_save_due()):
                checkpoint.save(self.folder, progress, self.model, self.best, self.optimizer)
                if is_cut or (is_stopped and not is_last):
                    return False
        return True

    def mean_loss(self, batches: Sequence[Batch], what: str, stop: Callable[[], bool] = never) -> float:
        """The mean over all learnt tokens of `batches`, without dropout.

        Args:
            what: is measured, for the error's words.

        Raises:
            StoppedError: `stop()` said so before the last batch.
            SitetwinError: it is no number.
        """
        self.model.eval()
        losses = []
        for batch in batches:
            if stop():
                raise StoppedError
            losses.append(self._loss_and_gradients.loss(batch))
        mean = sum(mean * learnt for mean, learnt in losses) / sum(learnt for _, learnt in losses)
        return self._number(mean, what)

    def weights(self) -> dict[str, mx.array]:
        """Those with the lowest validation loss; without validation rows the last."""
        return self.best or checkpoint.weights_of(self.model)

    def _is_evaluation_due(self) -> bool:
        """At the beginning, at each `steps_per_eval` and at the end, unless a checkpoint holds it already."""
        iteration = self.progress.iteration
        is_time = iteration % self._eval_every == 0 or iteration == self.iters
        return is_time and all(point.iteration != iteration for point in self.progress.curves.valid)

    def _is_save_due(self) -> bool:
        """Whether a multiple of `save_every` has come since the last whole update."""
        iteration = self.progress.iteration
        return iteration // self._save_every > (iteration - self._accumulated) // self._save_every

    def _is_worn_out(self) -> bool:
        """Whether the last `patience` evaluations brought nothing better."""
        points = [point for point in self.progress.curves.valid if point.iteration]
        best = self.progress.curves.best
        return bool(self.config.patience and best) and len(points) - 1 - points.index(best) >= self.config.patience  # type: ignore[arg-type]

    def _report(self, watcher: Watcher, tokens_per_second: float) -> None:
        progress = self.progress
        point = TrainPoint(
            iteration=progress.iteration,
            loss=sum(progress.losses) / len(progress.losses),
            learning_rate=self.optimizer.learning_rate.item(),
            tokens_per_second=tokens_per_second,
            memory_gb=memory.peak() / 1e9,
        )
        progress.losses = []
        progress.curves.train.append(point)
        watcher.trained(point)

    def _evaluate(self, watcher: Watcher, stop: Callable[[], bool]) -> bool:
        """False: `stop()` cut it off."""
        if not self._valid:
            return True
        try:
            point = ValidPoint(
                iteration=self.progress.iteration, loss=self.mean_loss(self._valid, "the validation loss", stop)
            )
        except StoppedError:
            return False
        curves = self.progress.curves
        curves.valid.append(point)
        if curves.best is point:
            self.best = {name: mx.array(value) for name, value in checkpoint.weights_of(self.model).items()}
            mx.eval(self.best)
        watcher.evaluated(point, self.progress)
        self.model.train()
        mx.clear_cache()
        return True

    def _number(self, loss: float, what: str) -> float:
        if math.isfinite(loss):
            return loss
        when = f"at iteration {self.progress.iteration}" if self.progress.iteration else "before training"
        change = "train again with a lower learning_rate" if self.progress.iteration else "set [models] chat to another"
        raise SitetwinError(f"{what} is {loss} {when}: {change}")


def _dropout_seed(seed: int, iteration: int) -> int:
    """Another one in each iteration and each run, and the same when a run is resumed."""
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])
