"""mlx-lm's loss, computed only for the tokens that are learnt.

`mlx_lm.tuner.trainer.default_loss` computes logits over the whole vocabulary for each token, then multiplies most of
them by 0. Here the hidden states of the learnt tokens are picked out first. The model's own head reads them, so whatever
the head does beside the projection (tied weights, soft caps, scales) still happens.

Import this after `blas.preload()`.
"""

from typing import Any, Protocol

import mlx.core as mx
import mlx.nn as nn
from mlx_lm.tuner.trainer import default_loss

from pipeline.training.data import Batch


class Loss(Protocol):
    """A loss over the learnt tokens of a batch."""

    def __call__(
        self, model: nn.Module, tokens: mx.array, spans: mx.array, most: int, reference: mx.array
    ) -> tuple[mx.array, mx.array]:
        """The loss in nats, and how many tokens are learnt.

        Args:
            model: the model with its adapter.
            tokens: (rows, longest).
            spans: (rows, 2), the first and the last learnt place of each row.
            most: the number of learnt tokens, or more.
            reference: (rows,), the log-probability of each row's learnt tokens by the reference. Only DPO reads it.
        """


def answer_loss(
    model: nn.Module, tokens: mx.array, spans: mx.array, most: int, reference: mx.array | None = None
) -> tuple[mx.array, mx.array]:
    """The mean over the learnt tokens, of a model whose trunk was changed by `prepare`."""
    logits, targets, _, is_learnt = picked_logits(model, tokens, spans, most)
    losses, learnt = nn.losses.cross_entropy(logits, targets), is_learnt.sum()
    return (losses * is_learnt).astype(mx.float32).sum() / learnt, learnt


def whole_loss(
    model: nn.Module, tokens: mx.array, spans: mx.array, most: int, reference: mx.array | None = None
) -> tuple[mx.array, mx.array]:
    """mlx-lm's own loss, which computes every token."""
    return default_loss(model, tokens, spans)  # type: ignore[no-any-return]


def picked_logits(
    model: nn.Module, tokens: mx.array, spans: mx.array, most: int
) -> tuple[mx.array, mx.array, mx.array, mx.array]:
    """What is computed of a batch: its learnt tokens, and others up to `most`.

    Args:
        model: the model with its adapter.
        tokens: (rows, longest).
        spans: (rows, 2), the first and the last learnt place of each row.
        most: the number of learnt tokens, or more.

    Returns:
        The logits (most, words), the right tokens (most,), their places (most,) counted over all rows of longest - 1
        places in turn, and whether each is learnt (most,).
    """
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    steps = mx.arange(1, tokens.shape[1])
    is_learnt = ((steps >= spans[:, :1]) & (steps <= spans[:, 1:])).reshape(-1)
    places = mx.argsort(mx.where(is_learnt, 0, 1))[:most]
    if getattr(_trunk(model), "picks", False):
        # The places must not be one of the module's own arrays, which become inputs of the compiled graph.
        object.__setattr__(_trunk(model), "_picked", places)
        logits = model(inputs)[0]
    else:
        logits = model(inputs)
        logits = logits.reshape(-1, logits.shape[-1])[places]
    return logits, targets.reshape(-1)[places], places, is_learnt[places]


def prepare(model: nn.Module, sample: Batch) -> Loss:
    """The fastest loss that is right for this model: `answer_loss` if its head can read picked states, else `whole_loss`.

    Both are computed for `sample`, a small batch, and compared. So an architecture that is built otherwise gets mlx-lm's own.
    """
    tokens, spans = mx.array(sample.tokens), mx.array(sample.spans)
    expected = default_loss(model, tokens, spans)[0].item()
    trunk = _trunk(model)
    if trunk is None:
        return whole_loss
    kind = type(trunk)
    trunk.__class__ = _picking(kind)
    found = _try(model, tokens, spans, sample.learnt)
    if found is not None and is_near(found, expected):
        return answer_loss
    trunk.__class__ = kind
    return whole_loss


def is_near(found: float, expected: float) -> bool:
    """Whether the results of two ways to compute one loss agree to 1 %."""
    return abs(found - expected) <= 1e-2 * max(1.0, abs(expected))


def _try(model: nn.Module, tokens: mx.array, spans: mx.array, learnt: int) -> float | None:
    """The `answer_loss` of these rows; None: the model's head does not take states of this shape."""
    try:
        loss: Any = answer_loss(model, tokens, spans, learnt)[0].item()
        return float(loss)
    except (ValueError, IndexError):
        return None


def _trunk(model: nn.Module) -> Any:
    """The part of a model before its head, as mlx-lm names it; None if there is no such part."""
    inner = getattr(model, "language_model", model)
    return getattr(inner, "model", None)


def _picking(kind: type) -> type:
    """A trunk that passes on only its `_picked` places, counted over all rows in turn: (1, picked, width)."""

    def call(self: Any, *args: Any, **kwargs: Any) -> mx.array:
        hidden: mx.array = kind.__call__(self, *args, **kwargs)
        return hidden.reshape(-1, hidden.shape[-1])[self._picked][None]

    return type(kind.__name__, (kind,), {"__call__": call, "picks": True})
