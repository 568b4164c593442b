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
    """The most that MLX has held since the run, or its resumption, began."""


class ValidPoint(BaseModel):
    iteration: int
    """0: before training."""
    loss: float
    """The mean over the learnt tokens of the validation rows."""


class Curves(BaseModel):
    train: list[TrainPoint] = []
    valid: list[ValidPoint] = []

    @property
    def best(self) -> ValidPoint | None:
        """The lowest validation loss after training began, the earliest of equal ones."""
        return min((point for point in self.valid if point.iteration), key=lambda point: point.loss, default=None)
