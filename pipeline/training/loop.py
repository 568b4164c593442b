"""The training loop, of mlx-lm's pieces: its LoRA layers, its loss, MLX's optimisers.

What mlx-lm's own loop has not: it can be stopped and resumed without a trace, it keeps the best weights and not the
last, and it ends when the validation loss has not fallen for some time. Import this after `blas.preload()`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np
from mlx.utils import tree_map
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.tuner.utils import build_schedule, linear_to_lora_layers

from pipeline.errors import SettingsError, SitetwinError
from pipeline.training import checkpoint, graph, memory
from pipeline.training.checkpoint import Progress
from pipeline.training.config import TrainingConfig
from pipeline.training.cpu import fit
from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.data import Batch, Schedule, TokenRow, by_length, make_batch
from pipeline.training.loss import is_near, prepare
from pipeline.weights.memory import graphics_limit, wire

OPTIMIZERS = {
    "adam": optim.Adam, "adamw": optim.AdamW, "muon": optim.Muon, "sgd": optim.SGD, "adafactor": optim.Adafactor,
}  # fmt: skip


class Way(Protocol):
    """How a model's loss and gradients are computed."""

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The mean loss over the learnt tokens, and a tree like that of the trained parameters.

        Args:
            seed: of dropout, which there is when the model is in training.
        """
        ...

    def loss(self, batch: Batch) -> tuple[float, int]:
        """The mean loss over the learnt tokens, and how many they are; without dropout when the model is not in training."""
        ...


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
        self._way = _way(model, shortest, config)
        if found := checkpoint.newest(folder):
            self.progress, self.best = checkpoint.load(found, model, self.optimizer)
        self._update = graph.updates(model, self.optimizer)

    def run(self, watcher: Watcher, stop: Callable[[], bool] = never) -> bool:
        """Trains to the end, or until `stop()`; then a checkpoint is written and False given.

        Raises:
            SitetwinError: the loss is no number any more.
        """
        # Model, adapter and optimiser; an engine beside needs its own.
        wire(mx.get_active_memory(), graphics_limit())
        progress, many = self.progress, self.config.grad_accumulation_steps
        if self._is_evaluation_due() and not self._evaluate(watcher, stop):
            return False
        summed: Any = None
        tokens, started = 0, time.perf_counter()
        self.model.train()
        while progress.iteration < self.iters and not self._is_worn_out():
            batch = self.schedule.batch(progress.iteration)
            loss, grad = self._way(batch, _dropout_seed(self.config.seed, progress.iteration))
            summed = grad if summed is None else tree_map(mx.add, summed, grad)
            progress.iteration += 1
            is_whole = progress.iteration % many == 0
            if is_whole:
                if many > 1:
                    summed = tree_map(lambda value: value / many, summed)
                self._update(summed)
                summed = None
            mx.eval(self.model.trainable_parameters(), self.optimizer.state, loss, summed)
            # On a Mac what is freed stays with the process: as much again for each length that rows have.
            mx.clear_cache()
            progress.losses.append(_number(loss, progress.iteration))
            tokens += int((batch.spans[:, 1] + 1).sum())
            watcher.step(progress.iteration, progress.losses[-1])
            is_last = progress.iteration == self.iters
            if progress.iteration % self.config.steps_per_report == 0 or is_last:
                self._report(watcher, tokens / (time.perf_counter() - started))
                tokens, started = 0, time.perf_counter()
            is_cut = False
            if self._is_evaluation_due():
                before = time.perf_counter()
                # A checkpoint after summed gradients would be of a later iteration than this evaluation.
                is_cut = not self._evaluate(watcher, stop if is_whole else never)
                started += time.perf_counter() - before
            is_stopped = is_cut or stop()
            # Summed gradients are in no checkpoint, so one is only written where there are none.
            if is_whole and (is_stopped or is_last or self._is_save_due(many)):
                checkpoint.save(self.folder, progress, self.model, self.best, self.optimizer)
                if is_cut or (is_stopped and not is_last):
                    return False
        return True

    def step(self, batch: Batch) -> float:
        """One update with this batch alone, outside a run; gives the loss before it."""
        loss, gradients = self._way(batch, 0)
        self._update(gradients)
        mx.eval(self.model.trainable_parameters(), self.optimizer.state, loss)
        return _number(loss, 0)

    def mean_loss(self, batches: Sequence[Batch], stop: Callable[[], bool] = never) -> float:
        """The mean over all learnt tokens of `batches`, without dropout.

        Raises:
            StoppedError: `stop()` said so before the last batch.
        """
        self.model.eval()
        losses = []
        for batch in batches:
            if stop():
                raise StoppedError
            losses.append(self._way.loss(batch))
        return sum(mean * learnt for mean, learnt in losses) / sum(learnt for _, learnt in losses)

    def weights(self) -> dict[str, mx.array]:
        """Those with the lowest validation loss; without validation rows the last."""
        return self.best or checkpoint.weights_of(self.model)

    def _is_evaluation_due(self) -> bool:
        """At the beginning, at each `steps_per_eval` and at the end, unless a checkpoint holds it already."""
        iteration = self.progress.iteration
        is_time = iteration % self._eval_every == 0 or iteration == self.iters
        return is_time and all(point.iteration != iteration for point in self.progress.curves.valid)

    def _is_save_due(self, many: int) -> bool:
        """Whether a multiple of `save_every` has come since the last whole update."""
        return self.progress.iteration // self._save_every > (self.progress.iteration - many) // self._save_every

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
            point = ValidPoint(iteration=self.progress.iteration, loss=self.mean_loss(self._valid, stop))
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


def add_adapter(model: nn.Module, config: TrainingConfig) -> None:
    """Freezes the model and lays over it what is trained, the same for the same seed.

    Raises:
        SettingsError: more layers are asked for than there are, or none of the keys is in this model.
    """
    mx.random.seed(config.seed)
    model.freeze()
    layers = model.layers
    if config.num_layers > len(layers):
        raise SettingsError(f"num_layers is {config.num_layers}, the model has {len(layers)}: set -1 for all")
    if config.fine_tune_type == "full":
        for layer in layers[-max(config.num_layers, 0) :]:
            layer.unfreeze()
        return
    linear_to_lora_layers(
        model, config.num_layers, config.lora_parameters.model_dump(), use_dora=config.fine_tune_type == "dora"
    )
    if not checkpoint.weights_of(model):
        names = sorted(name for name, part in layers[-1].named_modules() if "weight" in part and part.weight.ndim == 2)
        raise SettingsError(f"none of lora_parameters.keys is in this model: name some of {', '.join(names)}")


def _way(model: nn.Module, sample: Batch, config: TrainingConfig) -> Way:
    """The fastest one that is right for this model: written out, or by MLX's graph."""
    if fit.is_fit(model):
        from pipeline.training.cpu.gradients import WrittenOut

        is_packed = config.pack_weights is not False
        written = WrittenOut(model, is_checkpointed=config.grad_checkpoint, is_packed=is_packed)
        expected = default_loss(model, mx.array(sample.tokens), mx.array(sample.spans))[0].item()
        if is_near(written.loss(sample)[0], expected):
            return written
    return graph.ByGraph(model, prepare(model, sample), is_checkpointed=config.grad_checkpoint)


def make_optimizer(config: TrainingConfig) -> optim.Optimizer:
    """As it is set.

    Raises:
        SettingsError: MLX knows no such schedule, or not these arguments of it or of the optimiser.
    """
    rate: Any = config.learning_rate
    if config.lr_schedule:
        try:
            rate = build_schedule(config.lr_schedule.model_dump())
        except (AttributeError, TypeError) as error:
            raise SettingsError(f"lr_schedule: {error}: see the schedules of mlx.optimizers") from None
    kind: Callable[..., optim.Optimizer] = OPTIMIZERS[config.optimizer]
    if config.optimizer == "adam" and fit.is_here():
        from pipeline.training.cpu.adam import Adam

        kind = Adam
    try:
        return kind(learning_rate=rate, **config.optimizer_config.get(config.optimizer, {}))
    except TypeError as error:
        raise SettingsError(f"optimizer_config.{config.optimizer}: {error}: see that optimiser of MLX") from None


def _dropout_seed(seed: int, iteration: int) -> int:
    """Another one in each iteration and each run, and the same when a run is resumed."""
    return int(np.random.SeedSequence((seed, iteration)).generate_state(1, np.uint64)[0])


def _number(loss: mx.array, iteration: int) -> float:
    item: Any = loss.item()
    value = float(item)
    if value != value or value == float("inf"):
        raise SitetwinError(f"the loss is {value} at iteration {iteration}: train again with a lower learning_rate")
    return value
