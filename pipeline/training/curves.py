"""What is measured while a model is trained."""

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

Loss = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]
"""In nats a token. Version 0.1.0 wrote one that was no number as null."""


class Measured(BaseModel):
    """A record of measurements; what is no number is written as a string that is read again."""

    model_config = ConfigDict(ser_json_inf_nan="strings")


class TrainPoint(Measured):
    """What was measured since the report before."""

    iteration: int
    loss: Loss
    """The mean over its iterations."""
    learning_rate: float
    tokens_per_second: float
    """Of all tokens that are read, without padding."""
    memory_gb: float
    """The most that the process has held by then."""


class ValidPoint(Measured):
    iteration: int
    """0: before training."""
    loss: Loss
    """The mean over the learnt tokens of the validation rows."""


class Forgetting(Measured):
    """Loss on general text, in nats a token: what the model knew before, and what the adapter costs of it."""

    before: Loss
    """Of the base."""
    after: float | None = None
    """With the adapter; None: the run has not ended."""
    last: float | None = None
    """With the last weights, where they are kept too."""

    @property
    def rise(self) -> float | None:
        """Nats a token that the adapter's loss is higher; below 0 it is lower."""
        return None if self.after is None else self.after - self.before

    def __str__(self) -> str:
        if self.after is None or self.rise is None:
            return f"loss on general text {self.before:.3f} before training"
        share = self.rise / self.before
        return f"loss on general text from {self.before:.3f} to {self.after:.3f} ({self.rise:+.3f}, {share:+.1%})"


class Curves(BaseModel):
    train: list[TrainPoint] = []
    valid: list[ValidPoint] = []

    @property
    def best(self) -> ValidPoint | None:
        """The lowest validation loss after training began, the earliest of equal ones."""
        trained = (point for point in self.valid if point.iteration and math.isfinite(point.loss))
        return min(trained, key=lambda point: point.loss, default=None)
