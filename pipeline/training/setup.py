"""Prepares a run for its first step: the layers that are trained, the optimiser, and the way to compute the gradients.

Import this after `blas.preload()`.
"""

from collections.abc import Callable
from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
from mlx_lm.tuner.trainer import default_loss
from mlx_lm.tuner.utils import build_schedule, linear_to_lora_layers

from pipeline.errors import SettingsError
from pipeline.training import checkpoint, graph
from pipeline.training.config import LearningRateSchedule, TrainingConfig
from pipeline.training.cpu import fit
from pipeline.training.data import Batch
from pipeline.training.loss import is_near, prepare
from pipeline.training.preference import RowLogps, answers, objective, preference_loss, value

OPTIMIZERS = {
    "adam": optim.Adam, "adamw": optim.AdamW, "muon": optim.Muon, "sgd": optim.SGD, "adafactor": optim.Adafactor,
}  # fmt: skip


class Way(Protocol):
    """A way to compute a model's loss and gradients."""

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The loss, and the gradients as a tree like that of the trained parameters.

        Args:
            batch: the rows.
            seed: the seed of dropout, which is used only in training mode.
        """
        ...

    def row_logps(self, batch: Batch) -> RowLogps:
        """The log-probabilities of the rows. Call it outside training mode."""
        ...


def add_adapter(model: nn.Module, config: TrainingConfig) -> None:
    """Freezes the model and adds the layers that are trained. The same seed gives the same weights.

    Raises:
        SettingsError: more layers are asked for than there are, or the model has none of the keys.
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


def choose_way(model: nn.Module, sample: Batch, config: TrainingConfig) -> Way:
    """The fastest way that is right for this model: written out for a Linux CPU, or MLX's graph.

    Args:
        model: the model with its adapter.
        sample: a small batch, on which the way is compared with mlx-lm's own loss.
        config: the configuration.
    """
    if fit.is_fit(model):
        from pipeline.training.cpu.gradients import WrittenOut

        is_packed = config.pack_weights is not False
        written = WrittenOut(model, objective(config), is_checkpointed=config.grad_checkpoint, is_packed=is_packed)
        expected = default_loss(model, mx.array(sample.tokens), mx.array(sample.spans))[0].item()
        if is_near(value(answers, written.row_logps(sample)), expected):
            return written
    loss = prepare(model, sample)
    if config.method != "sft":
        loss = preference_loss(objective(config))
    return graph.ByGraph(model, loss, is_checkpointed=config.grad_checkpoint)


def make_optimizer(config: TrainingConfig) -> optim.Optimizer:
    """The optimiser of the configuration.

    Raises:
        SettingsError: MLX does not know the schedule, or its arguments or the optimiser's.
    """
    rate: Any = config.learning_rate
    if schedule := config.lr_schedule or _cosine(config):
        try:
            rate = build_schedule(schedule.model_dump())
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


def _cosine(config: TrainingConfig) -> LearningRateSchedule | None:
    """The schedule `cosine` over all updates of the run; None: the rate is constant."""
    if config.schedule == "constant":
        return None
    assert config.iters
    updates = max(1, config.iters // config.grad_accumulation_steps)
    rising = round(config.warmup * updates)
    return LearningRateSchedule(
        name="cosine_decay", arguments=[config.learning_rate, max(1, updates - rising)], warmup=rising
    )
