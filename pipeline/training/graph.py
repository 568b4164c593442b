"""The gradients by MLX's own graph: for every architecture, and for all of them on a Mac.

On a graphics processor a step is compiled, as mlx-lm's trainer does it: the graph is built once for each shape that a
batch has, and element-wise operations are fused. For the demo model building takes 25 ms of each step here and
repeating what was built 14; mlx-lm measured a quarter more tokens a second on a Mac, by this and by wired memory
together (its pull request 53). On a CPU MLX compiles by calling a C++ compiler, which not every machine has, and the
tenth that is gained is less than what the padding costs.

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

STEP, SHARES = 32, 8
"""Compiled, a row is padded to a multiple of `STEP`, and the places that are learnt to one of an eighth of all.

Each shape is traced anew, which costs what a dozen steps save, and what was traced stays: a Mac's graphics processor
holds half a million arrays, and a shape takes some hundreds of them (MLX's issue 4464). Batches of about one length
leave some twenty shapes.
"""


def is_compiled() -> bool:
    """Whether steps are: where MLX computes on a graphics processor."""
    return mx.default_device().type == mx.DeviceType.gpu


class ByGraph:
    """A model's loss and gradients. Call it when the model is in training, or never then: what is traced stays so."""

    def __init__(self, model: nn.Module, loss: Loss, *, is_checkpointed: bool = False) -> None:
        """`is_checkpointed`: a layer keeps only what goes into it, and is computed a second time on the way back."""
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

        self._model, self._loss, self._is_compiled = model, loss, is_compiled()
        state = [model.state]
        self._run = mx.compile(run, inputs=state, outputs=state) if self._is_compiled else run

    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The mean loss over the learnt tokens, and the gradients as a tree like that of the trained parameters.

        Args:
            seed: of dropout, which there is when the model is in training.
        """
        tokens, most = _rounded(batch) if self._is_compiled else (batch.tokens, batch.learnt)
        return self._run(mx.random.key(seed), mx.array(tokens), mx.array(batch.spans), most)

    def loss(self, batch: Batch) -> tuple[float, int]:
        """The mean loss over the learnt tokens, and how many they are."""
        mean: Any = self._loss(self._model, mx.array(batch.tokens), mx.array(batch.spans), batch.learnt)[0].item()
        return float(mean), batch.learnt


def updates(model: nn.Module, optimizer: optim.Optimizer) -> Callable[[Any], None]:
    """Changes the model by gradients; `optimizer` has its state, which stays the same object."""
    if not is_compiled():
        return partial(optimizer.update, model)
    state = [model.state, optimizer.state]
    return mx.compile(lambda gradients: optimizer.update(model, gradients), inputs=state, outputs=state)


class _Dropout(nn.Dropout):
    """Drops by a key that it is given. MLX's own draws anew when a layer is computed a second time, and the gradients
    are then those of another loss."""

    def hold(self, key: mx.array) -> None:
        # Beside the module's own arrays, which are trained, and go into what is compiled.
        object.__setattr__(self, "key", key)

    def __call__(self, x: mx.array) -> mx.array:
        if self._p_1 == 1 or not self.training:
            return x
        return (mx.random.bernoulli(self._p_1, x.shape, self.key) * x) * (1 / self._p_1)


def _rounded(batch: Batch) -> tuple[np.ndarray, int]:
    """The tokens, and how many places to compute: both rounded up, which changes neither loss nor gradients."""
    rows, longest = batch.tokens.shape
    padding = -(longest - 1) % STEP
    share = rows * (longest - 1 + padding) // SHARES
    return np.pad(batch.tokens, ((0, 0), (0, padding))), share * -(-batch.learnt // share)


def _checkpoint_layers(model: nn.Module) -> None:
    """mlx-lm's gradient checkpointing, for this model's layers only: it changes a layer's class."""
    for kind in {type(layer) for layer in model.layers}:
        own = type(kind.__name__, (kind,), {"__call__": _computed_twice(kind)})
        for layer in model.layers:
            if type(layer) is kind:
                layer.__class__ = own


def _computed_twice(kind: type) -> Callable[..., Any]:
    """The call of a layer of this kind that keeps only its arguments for the way back."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        dropouts = [part for part in self.modules() if isinstance(part, _Dropout)] if self.training else []

        def inner(parameters: Any, keys: list[mx.array], *args: Any, **kwargs: Any) -> Any:
            self.update(parameters)
            for part, key in zip(dropouts, keys, strict=True):
                part.hold(mx.stop_gradient(key))
            return kind.__call__(self, *args, **kwargs)

        # Keys are arguments too: compiling takes draws by the very same key for one, and keeps what was drawn.
        keys = [part.key for part in dropouts]
        return mx.checkpoint(inner)(self.trainable_parameters(), keys, *args, **kwargs)

    return call
