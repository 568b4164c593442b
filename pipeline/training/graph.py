"""Gradients by MLX's own graph. It serves every architecture, and on a Mac all of them.

On a graphics processor a step is compiled, as in mlx-lm's trainer: the graph is built once for each shape of a batch, and
element-wise operations are fused. For the demo model, building the graph takes 25 ms of each step here, and repeating
the built one 14 ms. mlx-lm measured a quarter more tokens a second on a Mac, from compiling and wired memory together
(its pull request 53). On a CPU, MLX compiles by calling a C++ compiler, which not every machine has, and the tenth that
is gained is less than what padding costs.

Import this after `blas.preload()`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import mlx.optimizers as optim
import numpy as np

from pipeline.training.data import Batch
from pipeline.training.loss import Loss
from pipeline.training.preference import RowLogps, row_logps

STEP, SHARES = 32, 8
"""For a compiled step, rows are padded to a multiple of `STEP` tokens, and the learnt places to a multiple of one part in
`SHARES` of all places.

Each new shape is traced, which costs as much as a dozen steps save. A traced graph stays in memory: a Mac's graphics
processor holds half a million arrays, and a shape takes some hundreds of them (MLX's issue 4464). Batches of similar
lengths leave some twenty shapes.
"""


def is_compiled() -> bool:
    """Whether steps are compiled: true if MLX computes on a graphics processor."""
    return mx.default_device().type == mx.DeviceType.gpu


class ByGraph:
    """A model's loss and gradients. Call it only in training mode, or never in it: a traced graph keeps the mode."""

    def __init__(self, model: nn.Module, loss: Loss, *, is_checkpointed: bool = False) -> None:
        """Prepares the model, whose dropout layers are changed in place.

        Args:
            model: the model with its adapter.
            loss: the loss to follow.
            is_checkpointed: a layer keeps only its input, and the backward pass computes it again.
        """
        dropouts: Any = [part for _, part in model.named_modules() if isinstance(part, nn.Dropout)]
        for part in dropouts:
            part.__class__ = _Dropout
        if is_checkpointed:
            _checkpoint_layers(model)
        both = nn.value_and_grad(model, loss)

        def run(key: mx.array, *batch: Any) -> tuple[mx.array, Any]:
            for part, own in zip(dropouts, mx.random.split(key, max(1, len(dropouts))), strict=False):
                part.hold(own)
            (value, _), gradients = both(model, *batch)
            return value, gradients

        self._model, self._is_compiled = model, is_compiled()
        state = [model.state]
        self._run = mx.compile(run, inputs=state, outputs=state) if self._is_compiled else run

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The loss, and the gradients as a tree like that of the trained parameters.

        Args:
            batch: the rows.
            seed: the seed of dropout, which is used only in training mode.
        """
        tokens, most = _rounded(batch) if self._is_compiled else (batch.tokens, batch.learnt)
        spans, reference = mx.array(batch.spans), mx.array(batch.reference)
        return self._run(mx.random.key(seed), mx.array(tokens), spans, most, reference)

    def row_logps(self, batch: Batch) -> RowLogps:
        """The log-probabilities of the rows."""
        logps, _ = row_logps(self._model, mx.array(batch.tokens), mx.array(batch.spans), batch.learnt)
        return RowLogps.of(np.array(logps), batch)


def updates(model: nn.Module, optimizer: optim.Optimizer) -> Callable[[Any], None]:
    """A function that changes the model by gradients. `optimizer` must have its state, which stays the same object."""
    if not is_compiled():
        return partial(optimizer.update, model)
    state = [model.state, optimizer.state]
    return mx.compile(lambda gradients: optimizer.update(model, gradients), inputs=state, outputs=state)


class _Dropout(nn.Dropout):
    """Drops by a key that it is given. MLX's own dropout draws again when a layer is computed a second time. Then the
    gradients would belong to another loss."""

    def hold(self, key: mx.array) -> None:
        """Keeps the random key (2,) from which the next dropout masks are drawn."""
        # The key must not be one of the module's own arrays, which are trained and become inputs of the compiled graph.
        object.__setattr__(self, "key", key)

    def __call__(self, x: mx.array) -> mx.array:
        if self._p_1 == 1 or not self.training:
            return x
        return (mx.random.bernoulli(self._p_1, x.shape, self.key) * x) * (1 / self._p_1)


def _rounded(batch: Batch) -> tuple[np.ndarray, int]:
    """The padded tokens, and how many places to compute. Both are rounded up, which changes neither loss nor gradients."""
    rows, longest = batch.tokens.shape
    padding = -(longest - 1) % STEP
    share = rows * (longest - 1 + padding) // SHARES
    return np.pad(batch.tokens, ((0, 0), (0, padding))), share * -(-batch.learnt // share)


def _checkpoint_layers(model: nn.Module) -> None:
    """Gradient checkpointing for this model's layers only. mlx-lm's own changes the layers' class, for all models."""
    for kind in {type(layer) for layer in model.layers}:
        own = type(kind.__name__, (kind,), {"__call__": _computed_twice(kind)})
        for layer in model.layers:
            if type(layer) is kind:
                layer.__class__ = own


def _computed_twice(kind: type) -> Callable[..., Any]:
    """The call of a layer of this kind that keeps only its arguments for the backward pass."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        dropouts = [part for part in self.modules() if isinstance(part, _Dropout)] if self.training else []

        def inner(parameters: Any, keys: list[mx.array], *args: Any, **kwargs: Any) -> Any:
            self.update(parameters)
            for part, key in zip(dropouts, keys, strict=True):
                part.hold(mx.stop_gradient(key))
            return kind.__call__(self, *args, **kwargs)

        # Keys are arguments too. Otherwise compiling would merge the two draws by one key, and keep what was drawn.
        keys = [part.key for part in dropouts]
        return mx.checkpoint(inner)(self.trainable_parameters(), keys, *args, **kwargs)

    return call
