"""What preferences teach: losses of the log-probabilities of whole answers, DPO and ORPO.

A batch holds two rows for each preference, the chosen answer and then the rejected one. The losses read only the
log-probability of each answer, so one definition serves MLX's graph and the gradients that are written out for a CPU.

Import this after `blas.preload()`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import mlx.core as mx
import mlx.nn as nn
import numpy as np

from pipeline.training.config import TrainingConfig
from pipeline.training.data import Batch
from pipeline.training.loss import Loss, picked_logits

TIE = 1e-3
"""Nats. An answer that gains no more than this counts as no gain: in another batch the same sums differ in the last digits."""


class Objective(Protocol):
    """A loss of the answers' log-probabilities."""

    def __call__(self, logps: mx.array, reference: mx.array, lengths: mx.array) -> mx.array:
        """The loss in nats.

        Args:
            logps: (rows,), the log-probability of each answer.
            reference: (rows,), the same by the reference.
            lengths: (rows,), the tokens of each answer.
        """


def dpo(beta: float) -> Objective:
    """Direct preference optimisation (Rafailov et al. 2023, equation 7): -log sigmoid(beta times the margin).

    The margin is by how much more the model has raised the chosen answer over the reference than the rejected one.
    """

    def loss(logps: mx.array, reference: mx.array, lengths: mx.array) -> mx.array:
        raised = logps - reference
        losses: mx.array = -nn.log_sigmoid(beta * (raised[::2] - raised[1::2]))
        return losses.mean()

    return loss


def orpo(beta: float) -> Objective:
    """Odds ratio preference optimisation (Hong et al. 2024, equations 6 and 7): the loss of the chosen answers, and beta
    times -log sigmoid of the logarithm of the odds' ratio. An answer's probability is the geometric mean of its tokens'."""

    def loss(logps: mx.array, reference: mx.array, lengths: mx.array) -> mx.array:
        mean = logps / lengths
        # log(1 - p) by expm1, because p may be nearly 1. The bound keeps it finite where p is 1.
        odds = mean - mx.log(mx.maximum(-mx.expm1(mean), 1e-20))
        ratios: mx.array = nn.log_sigmoid(odds[::2] - odds[1::2])
        return -logps[::2].sum() / lengths[::2].sum() - beta * ratios.mean()

    return loss


def answers(logps: mx.array, reference: mx.array, lengths: mx.array) -> mx.array:
    """The mean loss of a token over all answers, mlx-lm's default_loss."""
    return -logps.sum() / lengths.sum()


def objective(config: TrainingConfig) -> Objective:
    """The objective of the configuration's method."""
    match config.method:
        case "dpo":
            return dpo(config.beta)
        case "orpo":
            return orpo(config.beta)
        case _:
            return answers


class RowLogps(NamedTuple):
    """What an objective reads of some rows, all (rows,) and in nats."""

    logps: np.ndarray
    """The log-probability of each row's learnt tokens together."""
    reference: np.ndarray
    """The same by the reference."""
    lengths: np.ndarray
    """How many they are."""

    @classmethod
    def of(cls, logps: np.ndarray, batch: Batch) -> "RowLogps":
        """Those of `batch`, whose rows have the log-probabilities `logps`."""
        return cls(logps, batch.reference, batch.lengths)

    @classmethod
    def joined(cls, parts: Sequence["RowLogps"]) -> "RowLogps":
        """Those of several batches as one."""
        return cls(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def value(objective: Objective, rows: RowLogps) -> float:
    """The objective's loss of these rows."""
    loss: Any = objective(*map(mx.array, rows)).item()
    return float(loss)


def value_and_grad(objective: Objective, rows: RowLogps) -> tuple[float, np.ndarray]:
    """The objective's loss, and its gradient (rows,) by the log-probability of each row."""
    loss: Any
    loss, gradient = mx.value_and_grad(objective)(*map(mx.array, rows))
    return float(loss.item()), np.array(gradient)


def preferred(config: TrainingConfig, rows: RowLogps) -> float | None:
    """The share of the preferences whose chosen answer gained more than the rejected one; None: the method has none.

    By DPO an answer gains over the reference. By ORPO, which has none, the likelier answer by token counts.
    """
    if config.method == "sft":
        return None
    gained = rows.logps - rows.reference if config.method == "dpo" else rows.logps / rows.lengths
    return float((gained[::2] > gained[1::2] + TIE).mean())


def row_logps(model: nn.Module, tokens: mx.array, spans: mx.array, most: int) -> tuple[mx.array, mx.array]:
    """The log-probability of each row's learnt tokens together, and how many they are: both (rows,).

    Logits of 16 bits are widened before: a margin is a small difference of large sums.

    Args:
        model: the model with its adapter.
        tokens: (rows, longest).
        spans: (rows, 2), the first and the last learnt place of each row.
        most: the number of learnt tokens, or more.
    """
    logits, targets, places, is_learnt = picked_logits(model, tokens, spans, most)
    losses = nn.losses.cross_entropy(logits.astype(mx.float32), targets) * is_learnt
    # A product, because adding by index has no fixed order on a graphics processor.
    rows = places // (tokens.shape[1] - 1) == mx.arange(tokens.shape[0])[:, None]
    return -(rows * losses).sum(1), (rows * is_learnt).sum(1)


def preference_loss(objective: Objective) -> Loss:
    """The objective as a loss of a model. It is told the reference too."""

    def loss(
        model: nn.Module, tokens: mx.array, spans: mx.array, most: int, reference: mx.array
    ) -> tuple[mx.array, mx.array]:
        logps, lengths = row_logps(model, tokens, spans, most)
        return objective(logps, reference, lengths), lengths.sum()

    return loss
