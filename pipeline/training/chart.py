"""Draws the curves of a run as a picture, anew at each evaluation. An open image viewer sees the old file or the new one."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import files
from pipeline.training.curves import Curves, ValidPoint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")
"""Colours that colour-blind people can tell apart too (Okabe and Ito)."""
SMOOTHED = 20
"""Each point of the training loss is averaged with reports / SMOOTHED neighbours on both sides. A single report is the
noisy mean of a few batches."""


def draw(runs: Mapping[str, Curves], path: Path, title: str, per_epoch: int = 0, unit: str = "nats a token") -> None:
    """Draws training loss (thin), validation loss (thick) and the best checkpoint (ring) of each run into a PNG.

    With several runs, a second panel below shows their validation loss alone, where a small rise can be seen.

    Args:
        runs: the curves of each run, by the name to show.
        path: the file to write.
        title: the words above the picture.
        per_epoch: the iterations in an epoch, for a second axis in epochs; 0: without that axis.
        unit: of the losses.
    """
    # The import takes a second, and only a training run draws.
    from matplotlib.figure import Figure

    is_one = len(runs) == 1
    figure = Figure(figsize=(9, 5 if is_one else 9), dpi=120, layout="constrained")
    panels = figure.subplots(1 if is_one else 2, sharex=True, squeeze=False)[:, 0]
    for colour, (name, curves) in zip(cycle(COLOURS), runs.items()):
        label = "" if is_one else f"{name}: "
        _draw_training(panels[0], curves, colour, f"{label}training")
        for panel in panels:
            _draw_validation(panel, curves, colour, f"{label}validation")
        if curves.best:
            _mark(panels[-1], curves.best, colour)
    for panel in panels:
        panel.set_ylabel(f"loss ({unit})")
        panel.margins(y=0.12)
        panel.grid(alpha=0.3)
    panels[-1].set_xlabel("iteration")
    panels[0].legend()
    panels[0].set_title(title)
    if not is_one:
        panels[1].set_title("validation loss alone", fontsize="medium")
    if per_epoch:
        above = panels[0].secondary_xaxis(
            "top", functions=(lambda iteration: iteration / per_epoch, lambda epoch: epoch * per_epoch)
        )
        above.set_xlabel("epoch")
    with files.new_file(path) as draft:
        figure.savefig(draft, format="png")


def _draw_training(panel: "Axes", curves: Curves, colour: str, label: str) -> None:
    iterations, losses = [point.iteration for point in curves.train], [point.loss for point in curves.train]
    panel.plot(iterations, losses, color=colour, alpha=0.15, linewidth=0.8)
    smooth = _smooth(losses, len(losses) // SMOOTHED)
    panel.plot(iterations, smooth, color=colour, linewidth=1.2, linestyle="--", label=label)


def _draw_validation(panel: "Axes", curves: Curves, colour: str, label: str) -> None:
    iterations, losses = [point.iteration for point in curves.valid], [point.loss for point in curves.valid]
    panel.plot(iterations, losses, color=colour, linewidth=2.4, marker=".", label=label)
    if best := curves.best:
        panel.plot(best.iteration, best.loss, "o", color=colour, markersize=11, fillstyle="none")


def _mark(panel: "Axes", best: ValidPoint, colour: str) -> None:
    place, words = (best.iteration, best.loss), f"best {best.loss:.3f}"
    panel.annotate(words, place, xytext=(0, -18), textcoords="offset points", ha="center", color=colour)


def _smooth(losses: Sequence[float], around: int) -> list[float]:
    """Each loss averaged with up to `around` neighbours on both sides."""
    windows = (losses[max(0, place - around) : place + around + 1] for place in range(len(losses)))
    return [sum(window) / len(window) for window in windows]
