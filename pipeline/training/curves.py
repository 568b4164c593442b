"""What is measured while a model is trained."""

from pydantic import BaseModel


class TrainPoint(BaseModel):
    """What was measured since the report before."""

    iteration: int
    loss: float
    """The mean over its iterations."""
    learning_rate: float
    tokens_per_second: float
    """Of all tokens that are read, without padding."""
    memory_gb: float
    """The most that the process has held by then."""


class ValidPoint(BaseModel):
    iteration: int
    """0: before training."""
    loss: float
    """The mean over the learnt tokens of the validation rows."""


class Forgetting(BaseModel):
    """Loss on general text, in nats a token: what the model knew before, and what the adapter costs of it."""

    before: float
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
        return min((point for point in self.valid if point.iteration), key=lambda point: point.loss, default=None)
