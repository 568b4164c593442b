"""mlx-lm's loss, at the price of the tokens that are learnt.

`mlx_lm.tuner.trainer.default_loss` computes logits over the whole vocabulary for each token and then multiplies most of
them by 0. Here the hidden states of the learnt tokens are picked out first. The model's own head reads them, whatever
it does beside the projection (tied weights, soft caps, scales).

Import this after `blas.preload()`.
"""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.tuner.trainer import default_loss

from pipeline.training.data import Batch, learnt_places

Loss = Callable[[nn.Module, mx.array, mx.array], tuple[mx.array, mx.array]]
"""Of the model, a batch's tokens and its spans: the mean over the learnt tokens, and how many they are."""


def answer_loss(model: nn.Module, tokens: mx.array, spans: mx.array) -> tuple[mx.array, mx.array]:
    """The same as default_loss of the same arguments.

    Args:
        model: with a trunk that `prepare` has made to pick.
        tokens: (rows, longest).
        spans: (rows, 2), the first and the last learnt place of each row; known values, not traced ones.
    """
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    places = mx.array(learnt_places(tokens.shape[1], np.array(spans)))
    _trunk(model)._picked = places
    logits = model(inputs)[0]
    losses = nn.losses.cross_entropy(logits, targets.reshape(-1)[places])
    return losses.astype(mx.float32).mean(), mx.array(places.size)


def prepare(model: nn.Module, sample: Batch) -> Loss:
    """The fastest loss that is right for this model: `answer_loss` if its head can read picked states.

    Both are computed for `sample`, a small batch, so an architecture that is built otherwise goes by default_loss.
    """
    tokens, spans = mx.array(sample.tokens), mx.array(sample.spans)
    expected = default_loss(model, tokens, spans)[0].item()
    trunk = _trunk(model)
    if trunk is None:
        return default_loss
    kind = type(trunk)
    trunk.__class__ = _picking(kind)
    found = _try(model, tokens, spans)
    if found is not None and abs(found - expected) <= 1e-2 * max(1.0, abs(expected)):
        return answer_loss
    trunk.__class__ = kind
    return default_loss


def _try(model: nn.Module, tokens: mx.array, spans: mx.array) -> float | None:
    """None: the model's head does not take states of this shape."""
    try:
        loss: Any = answer_loss(model, tokens, spans)[0].item()
        return float(loss)
    except (ValueError, IndexError):
        return None


def _trunk(model: nn.Module) -> Any:
    """The part of a model before its head, as mlx-lm names it; None where there is no such part."""
    inner = getattr(model, "language_model", model)
    return getattr(inner, "model", None)


def _picking(kind: type) -> type:
    """A trunk whose hidden states are those at its `_picked` places of all rows one after the other: (1, picked, width)."""

    def call(self: Any, *args: Any, **kwargs: Any) -> mx.array:
        hidden = kind.__call__(self, *args, **kwargs)  # type: ignore[operator]
        return hidden.reshape(-1, hidden.shape[-1])[self._picked][None]

    return type(kind.__name__, (kind,), {"__call__": call})
