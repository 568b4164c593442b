"""The training loop, built from mlx-lm's pieces: its LoRA layers, its loss, MLX's optimisers.

It does what mlx-lm's own loop does not: it can be stopped and resumed without a trace, it keeps the best weights instead
of the last, and it ends when the validation loss has stopped falling for some time.

`Trainer.step` is one whole step. It follows the loss `loss.answer_loss`, or one of `preference.py`. The gradients come
from MLX's graph (`graph.py`). For a Llama or a Qwen on a Linux CPU they are written out by hand (`cpu/gradients.py`), with the same numbers.

Import this after `blas.preload()`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_map

from pipeline.errors import SitetwinError
from pipeline.training import checkpoint, graph, memory
from pipeline.training.checkpoint import TrainingProgress
from pipeline.training.config import TrainingConfig
from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.data import Batch, BatchOrder, TrainingRow, by_length, make_batch
from pipeline.training.preference import RowLogps, answers, objective, preferred, value
from pipeline.training.setup import add_adapter, choose_way, make_optimizer
from pipeline.weights.memory import graphics_limit, wire


class TrainingStoppedError(Exception):
    """A measurement was cut off because the run must stop. It is made again when the run goes on."""


def never() -> bool:
    """Always false: for loops that nobody stops."""
    return False


Examine = Callable[[Callable[[], bool]], float]
"""Asks the model, as it is now, some questions whose answers are known, and returns the share of right ones, 0 to 1. It is
told how to know that the run must stop, and then raises `TrainingStoppedError`."""


class LoopWatcher(Protocol):
    """Is told what the loop does. Every method is called in the loop's own thread."""

    def step(self, iteration: int, loss: float) -> None:
        """One iteration is done; `loss` is its mean loss in nats a token."""

    def trained(self, point: TrainPoint) -> None:
        """A report of the training loss is due."""

    def evaluated(self, point: ValidPoint, progress: TrainingProgress) -> None:
        """The validation rows were evaluated; `progress` holds the curves so far."""


class Trainer:
    """A model on its way to becoming an adapter.

    Args:
        model: as mlx_lm loads it. Its layers are changed in place.
        train: the rows to train on.
        valid: the rows to validate with.
        config: a configuration from `TrainingConfig.for_rows`, so that nothing is left to decide.
        folder: the folder of checkpoints. The newest one there is continued. None: only single steps are made, and no `run`.
        begin: the weights of an adapter of the same shape to begin from; None: a new adapter.
        examine: asks the golden questions at each evaluation; None: the loss alone decides which weights are best.
    """

    def __init__(
        self,
        model: nn.Module,
        train: Sequence[TrainingRow],
        valid: Sequence[TrainingRow],
        config: TrainingConfig,
        folder: Path | None,
        begin: Path | None = None,
        examine: Examine | None = None,
    ) -> None:
        assert config.iters
        assert config.steps_per_eval
        assert config.save_every
        self.model = model
        self.config = config
        self.iters, self._eval_every, self._save_every = config.iters, config.steps_per_eval, config.save_every
        self.folder, self._examine = folder, examine
        self.read(train, valid)
        add_adapter(model, config)
        if begin:
            model.load_weights(str(begin), strict=False)
        self.optimizer = make_optimizer(config)
        self.optimizer.init(model.trainable_parameters())
        self.progress = TrainingProgress()
        self.best: dict[str, mx.array] = {}
        model.eval()
        self._objective = objective(config)
        shortest = min((row for one in train for row in one.rows), key=lambda row: row.longest)
        self._loss_and_gradients = choose_way(model, make_batch([shortest], config.max_seq_length), config)
        if folder and (found := checkpoint.newest(folder)):
            self.progress, self.best = checkpoint.load(found, model, self.optimizer)
        self._update = graph.updates(model, self.optimizer)
        self._accumulated = config.grad_accumulation_steps
        self._summed: Any = None
        """The summed gradients of the batches since the last update. `_unused` counts those batches."""
        self._unused = 0

    def read(self, train: Sequence[TrainingRow], valid: Sequence[TrainingRow]) -> None:
        """Makes the batches of these rows."""
        self.schedule = BatchOrder(train, self.config)
        self._valid = [
            make_batch(rows, self.config.max_seq_length) for rows in by_length(valid, self.config.batch_size)
        ]
        if self.config.val_batches != -1:
            # The batches are taken at even distances, so that all lengths are among them and not only the shortest.
            step = max(1, len(self._valid) // max(1, self.config.val_batches))
            self._valid = self._valid[::step][: self.config.val_batches]

    @property
    def has_validation(self) -> bool:
        """Whether there are validation rows."""
        return bool(self._valid)

    def restart(self, weights: Mapping[str, mx.array], rate: float) -> None:
        """Begins again from these trained weights, with a constant learning rate and a new optimiser."""
        # Copies, because training may change arrays in place.
        self.model.load_weights([(name, mx.array(weight)) for name, weight in weights.items()], strict=False)
        constant = {"learning_rate": rate, "lr_schedule": None, "schedule": "constant"}
        self.optimizer = make_optimizer(self.config.model_copy(update=constant))
        self.optimizer.init(self.model.trainable_parameters())
        self._update = graph.updates(self.model, self.optimizer)
        self._summed, self._unused = None, 0

    def validation_loss(self, stop: Callable[[], bool] = never) -> float:
        """The loss of the validation rows as it is now, in nats; it need not be a number.

        Raises:
            TrainingStoppedError: `stop()` was true before the last batch.
        """
        return value(self._objective, self.row_logps(self._valid, stop))

    def step(self, batch: Batch, seed: int = 0) -> float:
        """Reads one batch. The last of `grad_accumulation_steps` batches changes the weights.

        Args:
            batch: the rows.
            seed: the seed of dropout.

        Returns:
            The batch's loss before the change, in nats.
        """
        loss, gradients = self._loss_and_gradients(batch, seed)
        self._summed = gradients if self._summed is None else tree_map(mx.add, self._summed, gradients)
        self._unused += 1
        if self._unused == self._accumulated:
            mean = self._summed if self._unused == 1 else tree_map(lambda total: total / self._unused, self._summed)
            self._update(mean)
            self._summed, self._unused = None, 0
        mx.eval(self.model.trainable_parameters(), self.optimizer.state, loss, self._summed)
        # On a Mac freed memory stays with the process: as much again for each length of the rows.
        mx.clear_cache()
        return float(loss.item())  # type: ignore[arg-type]

    def try_step(self, batch: Batch) -> None:
        """Computes the gradients of a batch, and changes nothing: to see how long it takes."""
        self.model.train()
        mx.eval(self._loss_and_gradients(batch, 0))
        mx.clear_cache()

    def run(self, watcher: LoopWatcher, stop: Callable[[], bool] = never) -> bool:
        """Trains to the end, or until `stop()` is true. Then it writes a checkpoint.

        Args:
            watcher: is told what happens.
            stop: tells whether to stop.

        Returns:
            Whether the run came to its end.

        Raises:
            SitetwinError: a loss is not a number any more.
        """
        assert self.folder
        # This wires model, adapter and optimiser only. An engine beside it needs memory of its own.
        wire(mx.get_active_memory(), graphics_limit())
        progress = self.progress
        if self._is_evaluation_due() and not self._evaluate(watcher, stop):
            return False
        tokens, started = 0, time.perf_counter()
        self.model.train()
        while progress.iteration < self.iters and not self._is_worn_out():
            batch = self.schedule.batch(progress.iteration)
            loss = self.step(batch, dropout_seed(self.config.seed, progress.iteration))
            progress.iteration += 1
            progress.losses.append(self._number(loss, "the loss"))
            tokens += int((batch.spans[:, 1] + 1).sum())
            watcher.step(progress.iteration, loss)
            is_last = progress.iteration == self.iters
            if progress.iteration % self.config.steps_per_report == 0 or is_last:
                self._report(watcher, tokens / (time.perf_counter() - started))
                tokens, started = 0, time.perf_counter()
            # A checkpoint does not hold summed gradients, so it is written only when there are none.
            is_whole, is_cut = self._unused == 0, False
            if self._is_evaluation_due():
                before = time.perf_counter()
                # While gradients are summed, the next checkpoint would come later than this evaluation. So the
                # evaluation must not be cut off here.
                is_cut = not self._evaluate(watcher, stop if is_whole else never)
                started += time.perf_counter() - before
            is_stopped = is_cut or stop()
            if is_whole and (is_stopped or is_last or self._is_save_due()):
                checkpoint.save(self.folder, progress, self.model, self.best, self.optimizer)
                if is_cut or (is_stopped and not is_last):
                    return False
        return True

    def mean_loss(self, batches: Sequence[Batch], what: str, stop: Callable[[], bool] = never) -> float:
        """The mean loss over all learnt tokens of `batches`, without dropout, in nats a token.

        Args:
            batches: the rows.
            what: the name of the measurement, for the error's message.
            stop: tells whether to stop.

        Raises:
            TrainingStoppedError: `stop()` was true before the last batch.
            SitetwinError: the loss is not a number.
        """
        return self._number(value(answers, self.row_logps(batches, stop)), what)

    def row_logps(self, batches: Sequence[Batch], stop: Callable[[], bool] = never) -> RowLogps:
        """The log-probabilities of all rows of `batches`, without dropout.

        Args:
            batches: the rows.
            stop: tells whether to stop.

        Raises:
            TrainingStoppedError: `stop()` was true before the last batch.
        """
        self.model.eval()
        found = []
        for batch in batches:
            if stop():
                raise TrainingStoppedError
            found.append(self._loss_and_gradients.row_logps(batch))
        return RowLogps.joined(found)

    def weights(self) -> dict[str, mx.array]:
        """The weights of the best evaluation; without validation rows, the last ones."""
        return self.best or checkpoint.weights_of(self.model)

    def _is_evaluation_due(self) -> bool:
        """True at the beginning, after every `steps_per_eval` iterations and at the end, unless it was done already."""
        iteration = self.progress.iteration
        is_time = iteration % self._eval_every == 0 or iteration == self.iters
        return is_time and all(point.iteration != iteration for point in self.progress.curves.valid)

    def _is_save_due(self) -> bool:
        """Whether a multiple of `save_every` has passed since the last whole update."""
        iteration = self.progress.iteration
        return iteration // self._save_every > (iteration - self._accumulated) // self._save_every

    def _is_worn_out(self) -> bool:
        """Whether at least `patience` evaluations have followed the best one."""
        points = [point for point in self.progress.curves.valid if point.iteration]
        best = self.progress.curves.best
        return bool(self.config.patience and best) and len(points) - 1 - points.index(best) >= self.config.patience  # type: ignore[arg-type]

    def _report(self, watcher: LoopWatcher, tokens_per_second: float) -> None:
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

    def _evaluate(self, watcher: LoopWatcher, stop: Callable[[], bool]) -> bool:
        """Evaluates the validation rows; false if `stop()` cut it off."""
        if not self._valid:
            return True
        try:
            rows = self.row_logps(self._valid, stop)
            answered = self._examine(stop) if self._examine else None
        except TrainingStoppedError:
            return False
        point = ValidPoint(
            iteration=self.progress.iteration,
            loss=self._number(value(self._objective, rows), "the validation loss"),
            preferred=preferred(self.config, rows),
            answered=answered,
        )
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


def dropout_seed(seed: int, iteration: int) -> int:
    """A seed that differs between iterations and between runs, but is the same when a run is resumed."""
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])
