"""What is measured while a model is trained."""

import math

from pydantic import BaseModel

from pipeline.measured import Measured, Number

Loss = Number
"""In nats a token."""


class TrainPoint(Measured):
    """What was measured since the last report."""

    iteration: int
    loss: Loss
    """The mean over the iterations since the last report."""
    learning_rate: float
    tokens_per_second: float
    """All tokens that are read count, padding does not."""
    memory_gb: float
    """The most memory that the process has held so far."""


class ValidPoint(Measured):
    """One evaluation on the validation rows."""

    iteration: int
    """0 is before training."""
    loss: Loss
    """The mean over the learnt tokens of the validation rows, or over the preferences."""
    preferred: float | None = None
    """The share of the validation preferences whose chosen answer gained more than the rejected one (`preference.preferred`).
    None: the run learns no preferences."""
    answered: float | None = None
    """The share of the golden questions that were answered right, 0 to 1. None: none were asked."""


class RateTrial(Measured):
    """What came of one learning rate in a short run (`finding.py`)."""

    rate: float
    loss: Number
    """The validation loss at the trial's end, or the mean training loss of its second half if there are no validation
    rows; not a number: the loss broke."""


class Forgetting(Measured):
    """The loss on general text, in nats a token: what the base knew, and how much of it the adapter costs."""

    before: Loss
    """The base's loss."""
    after: float | None = None
    """The loss with the adapter; None: the run has not ended."""
    last: float | None = None
    """The loss with the last weights, if they are kept too."""

    @property
    def rise(self) -> float | None:
        """By how many nats a token the adapter's loss is higher; negative if it is lower. None: the run has not ended."""
        return None if self.after is None else self.after - self.before

    def __str__(self) -> str:
        if self.after is None or self.rise is None:
            return f"loss on general text {self.before:.3f} before training"
        share = self.rise / self.before
        return f"loss on general text from {self.before:.3f} to {self.after:.3f} ({self.rise:+.3f}, {share:+.1%})"


class Curves(BaseModel):
    """The reports and evaluations of a run, in their order."""

    train: list[TrainPoint] = []
    valid: list[ValidPoint] = []

    @property
    def best(self) -> ValidPoint | None:
        """The best evaluation after training began; the earliest of equal ones. None: there is none.

        It is the one with most golden questions answered right, if any were asked, and then with the lowest loss.
        """
        trained = (point for point in self.valid if point.iteration and math.isfinite(point.loss))
        return min(trained, key=lambda point: (-(point.answered or 0), point.loss), default=None)
