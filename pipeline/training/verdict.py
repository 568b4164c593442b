"""What the two curves say, in words, with what to change."""

from typing import Literal

from pydantic import BaseModel

from pipeline.training.curves import Curves

RISE = 0.03
"""So much above its lowest, as a share, the validation loss counts as rising."""
FALL = 0.01
"""So much between the last two evaluations, as a share of all that was gained, counts as still falling."""


class Verdict(BaseModel):
    name: Literal["underfit", "good", "overfit", "unknown"]
    text: str
    change: str
    """What to do in the next run."""


def judge(curves: Curves) -> Verdict:
    """The verdict of a run that has ended, or of one so far."""
    first, best = next((point for point in curves.valid if not point.iteration), None), curves.best
    if first is None or best is None:
        return Verdict(
            name="unknown", text="there is no validation curve", change="build a data set with validation rows"
        )
    last = curves.valid[-1]
    if best.loss >= first.loss:
        return Verdict(
            name="overfit" if _training_falls(curves) else "underfit",
            text=f"the validation loss never fell below the untrained model's {first.loss:.3f}",
            change="take a tenth of the learning rate; if that does not help, the data set is too small or too unlike itself",
        )
    if last.loss > best.loss * (1 + RISE):
        return Verdict(
            name="overfit",
            text=f"after iteration {best.iteration} the validation loss rose from {best.loss:.3f} to {last.loss:.3f}"
            + (" while the training loss went on falling" if _training_falls(curves, best.iteration) else ""),
            change=f"the adapter is that of iteration {best.iteration}; train so long, or with a lower rank, or more pairs",
        )
    before = curves.valid[-2]
    if best is last and before.loss - last.loss > FALL * (first.loss - last.loss) * _share(curves):
        return Verdict(
            name="underfit",
            text=f"the validation loss was still falling at the end, from {before.loss:.3f} to {last.loss:.3f}",
            change="train for more epochs, or with a higher learning rate",
        )
    return Verdict(
        name="good",
        text=f"the validation loss fell from {first.loss:.3f} to {best.loss:.3f} and has flattened",
        change="nothing; what is still missing must come from more or better pairs",
    )


def _share(curves: Curves) -> float:
    """How long the last stretch was, in tenths of the run: a longer one may fall further and count as flat."""
    last, before = curves.valid[-1].iteration, curves.valid[-2].iteration
    return 10 * (last - before) / last


def _training_falls(curves: Curves, since: int = 0) -> bool:
    losses = [point.loss for point in curves.train if point.iteration >= since]
    return len(losses) > 1 and losses[-1] < losses[0]
