"""Says in words what the two curves show, and what to change."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel

from pipeline.training.curves import Curves, Forgetting, TrainPoint, ValidPoint

RISE = 0.03
"""The validation loss counts as rising if it ends above its lowest value by more than this share."""
FALL = 0.01
"""The validation loss counts as still falling if the last tenth of the run gained more than this share of all that was
gained."""
LEARNT = 0.2
"""The training loss counts as learnt if it is below the untrained model's loss by more than this share, whatever
validation says."""
JUMP = 0.1
"""The training loss counts as risen if it grows by more than this share. Less may be the noise of a few batches."""
FORGOTTEN = 0.1
"""Nats a token. If the loss on general text rises by more, that counts as forgetting: each token is a tenth less likely."""

RUINED = 1.0
"""Nats a token. A demo model whose loss on general text had risen by 2.3 wrote no sensible sentence any more, though the
validation loss of its preferences was 0."""


class CurveVerdict(BaseModel):
    """What a run's curves show."""

    name: Literal["underfit", "good", "overfit", "diverged", "unknown"]
    text: str
    change: str
    """What to change in the next run."""


def judge(curves: Curves, forgetting: Forgetting | None = None) -> CurveVerdict:
    """The verdict on a run that has ended, or on one so far.

    Args:
        curves: its losses.
        forgetting: its loss on general text, if it was measured.
    """
    verdict = _of_curves(curves)
    if forgetting is None or forgetting.rise is None or forgetting.rise <= FORGOTTEN:
        return verdict
    if forgetting.rise > RUINED:
        return CurveVerdict(
            name="diverged",
            text=f"the steps were too large: it has forgotten how to write: {forgetting}",
            change=f"{_smaller_steps(curves)}, and train for fewer epochs",
        )
    return CurveVerdict(
        name=verdict.name,
        text=f"{verdict.text}; it has forgotten some of what the base knew: {forgetting}",
        change=f"{verdict.change}; against the forgetting take a lower learning rate, fewer epochs or a lower rank",
    )


def _of_curves(curves: Curves) -> CurveVerdict:
    first, best = next((point for point in curves.valid if not point.iteration), None), curves.best
    if first is None or best is None:
        return CurveVerdict(
            name="unknown", text="there is no validation curve", change="build a data set with validation rows"
        )
    last = curves.valid[-1]
    if what := _divergence(curves, first, best, last):
        return CurveVerdict(name="diverged", text=f"the steps were too large: {what}", change=_smaller_steps(curves))
    if best.loss >= first.loss:
        if _has_learnt(curves, first):
            return CurveVerdict(
                name="overfit",
                text=f"the validation loss never fell below the untrained model's {first.loss:.3f} while the training "
                f"loss fell to {_mean(_late(curves.train)):.3f}",
                change="build a larger data set, or one whose documents are more like each other; train for fewer epochs",
            )
        return CurveVerdict(
            name="underfit",
            text=f"the validation loss stayed at the untrained model's {first.loss:.3f}, and the training loss hardly fell",
            change="train for more epochs, or with ten times the learning rate",
        )
    if last.loss > best.loss * (1 + RISE):
        return CurveVerdict(
            name="overfit",
            text=f"after iteration {best.iteration} the validation loss rose from {best.loss:.3f} to {last.loss:.3f}"
            + (" while the training loss went on falling" if _change_since(curves, best) < 0 else ""),
            change=f"the adapter is that of iteration {best.iteration}; train only that long, with a lower rank, or on more pairs",
        )
    before, late = _ends(curves)
    if best in curves.valid[-_window(curves) :] and before - late > FALL * (first.loss - late) * _share(curves):
        return CurveVerdict(
            name="underfit",
            text=f"the validation loss was still falling at the end, from {before:.3f} to {late:.3f}",
            change="train for more epochs, or with a higher learning rate",
        )
    return CurveVerdict(
        name="good",
        text=f"the validation loss fell from {first.loss:.3f} to {best.loss:.3f} and has flattened",
        change="nothing; what is still missing must come from more or better pairs",
    )


def _divergence(curves: Curves, first: ValidPoint, best: ValidPoint, last: ValidPoint) -> str:
    """How the loss diverged, in words; "" if it did not. Overfitting is no divergence, because its training loss falls."""
    is_below = best.loss < first.loss
    # If the loss first jumps and then comes back, the model has lost what it could do, even if it ends a little lower.
    highest = max((p for p in curves.valid if p.iteration <= best.iteration or not is_below), key=lambda p: p.loss)
    if highest.loss > first.loss * (1 + RISE) and (is_below or not _has_learnt(curves, first)):
        return f"the validation loss rose from the untrained model's {first.loss:.3f} to {highest.loss:.3f}" + (
            f" before it fell to {best.loss:.3f}" if is_below else ", and the training loss is no better"
        )
    if last.loss > best.loss * (1 + RISE) and _change_since(curves, best) > JUMP:
        return (
            f"after iteration {best.iteration} both losses rose, the validation loss from {best.loss:.3f} "
            f"to {last.loss:.3f}"
        )
    return ""


def _smaller_steps(curves: Curves) -> str:
    rates = [point.learning_rate for point in curves.train]
    return "take a fifth of the learning rate" + (f": --set learning_rate={max(rates) / 5:.2g}" if rates else "")


def _window(curves: Curves) -> int:
    """How many evaluations count as the end of the run: a quarter, because a single one is noisy."""
    return max(1, (len(curves.valid) - 1) // 4)


def _ends(curves: Curves) -> tuple[float, float]:
    """The mean validation loss in the last but one window, and in the last one."""
    size, losses = _window(curves), [point.loss for point in curves.valid]
    return sum(losses[-2 * size : -size]) / size, sum(losses[-size:]) / size


def _share(curves: Curves) -> float:
    """The distance between the two windows, in tenths of the run. Over a longer distance a flat loss may fall further."""
    last, before = curves.valid[-1].iteration, curves.valid[-1 - _window(curves)].iteration
    return 10 * (last - before) / last


def _has_learnt(curves: Curves, first: ValidPoint) -> bool:
    """Whether the training loss fell far enough, and steadily."""
    size = max(1, len(curves.train) // 4)
    quarters = [_mean(curves.train[start : start + size]) for start in range(0, len(curves.train) - size + 1, size)]
    jumps = any(later > earlier * (1 + JUMP) for earlier, later in pairwise(quarters))
    return bool(quarters) and not jumps and quarters[-1] < first.loss * (1 - LEARNT)


def _change_since(curves: Curves, best: ValidPoint) -> float:
    """The change of the training loss from about `best` to the end, as a share; 0 if nothing came after it."""
    before = [point for point in curves.train if point.iteration <= best.iteration] or curves.train[:1]
    after = [point for point in curves.train if point.iteration > best.iteration]
    if not before or not after:
        return 0.0
    then, now = _mean(_late(before)), _mean(_late(after))
    return (now - then) / then


def _late(points: Sequence[TrainPoint]) -> Sequence[TrainPoint]:
    """The last quarter of the points, at least one. A single report is noisy, being the mean of a few batches."""
    return points[-max(1, len(points) // 4) :]


def _mean(points: Sequence[TrainPoint]) -> float:
    return sum(point.loss for point in points) / len(points)
