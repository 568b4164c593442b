"""The runs as rows of a table, for people and for other programs."""

from pydantic import BaseModel

from pipeline.adapters import promotions
from pipeline.settings import Settings
from pipeline.training.registry import runs


class RunRow(BaseModel):
    """One run in a list."""

    run: str
    state: str
    promoted: bool
    verdict: str
    """What its curves show: good, underfit, overfit, diverged, unknown; "" before its end."""
    best_loss: float | None
    """The lowest validation loss, in nats a token; None: there is none yet."""
    iteration: int
    data_set: int
    visibility: str
    made_at: str

    @property
    def said(self) -> str:
        """The row in a sentence."""
        loss = f", best validation loss {self.best_loss:.3f}" if self.best_loss is not None else ""
        verdict = f", {self.verdict}" if self.verdict else ""
        return f"{self.run}: {self.state}{verdict}{', promoted' if self.promoted else ''}{loss}; {self.visibility}"


def run_rows(settings: Settings) -> list[RunRow]:
    """All runs that can be read, the newest first.

    Raises:
        ModelError: the file that says which one is promoted is broken.
    """
    in_force = promotions(settings)
    promoted = in_force[-1].name if in_force else ""
    return [
        RunRow(
            run=run.name,
            state=run.state,
            promoted=run.name == promoted,
            verdict=run.verdict.name if run.verdict else "",
            best_loss=run.curves.best.loss if run.curves.best else None,
            iteration=run.iteration,
            data_set=run.data_set,
            visibility=run.visibility,
            made_at=f"{run.made_at:%Y-%m-%d %H:%M}",
        )
        for run in reversed(runs(settings))
    ]
