"""The curves as a picture, anew at each evaluation; an image viewer that is open on it sees the old one or the new one."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.training.curves import Curves

COLOURS = ("#0072B2", "#009E73", "#D55E00", "#CC79A7")
"""Told apart by the colour-blind too (Okabe and Ito)."""
SMOOTHED = 20
"""The training loss is averaged over this part of its reports: a single one is the mean of a few batches."""


def draw(runs: Mapping[str, Curves], path: Path, title: str, per_epoch: int = 0) -> None:
    """Training loss (thin), validation loss (thick) and the best checkpoint (ring) of each run as PNG.

    Args:
        per_epoch: iterations in an epoch, for an axis of epochs; 0: without it.
    """
    # Imported here: it takes a second, and only a training run draws.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for place, (name, curves) in enumerate(runs.items()):
        colour = COLOURS[place % len(COLOURS)]
        label = f"{name}: " if len(runs) > 1 else ""
        iterations, losses = [point.iteration for point in curves.train], [point.loss for point in curves.train]
        axes.plot(iterations, losses, color=colour, alpha=0.15, linewidth=0.8)
        axes.plot(
            iterations,
            _smooth(losses, len(losses) // SMOOTHED),
            color=colour,
            linewidth=1.2,
            linestyle="--",
            label=f"{label}training",
        )
        axes.plot(
            [point.iteration for point in curves.valid],
            [point.loss for point in curves.valid],
            color=colour,
            linewidth=2.4,
            marker=".",
            label=f"{label}validation",
        )
        if best := curves.best:
            axes.plot(best.iteration, best.loss, "o", color=colour, markersize=11, fillstyle="none")
            axes.annotate(
                f"best {best.loss:.3f}",
                (best.iteration, best.loss),
                xytext=(0, -18),
                textcoords="offset points",
                ha="center",
                color=colour,
            )
    axes.set(xlabel="iteration", ylabel="loss (nats a token)")
    if per_epoch:
        above = axes.secondary_xaxis(
            "top", functions=(lambda iteration: iteration / per_epoch, lambda epoch: epoch * per_epoch)
        )
        above.set_xlabel("epoch")
    axes.set_title(title)
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    axes.legend()
    beside = path.with_name(f".{path.stem}-{os.getpid()}.png")
    figure.savefig(beside)
    beside.replace(path)


def _smooth(losses: Sequence[float], around: int) -> list[float]:
    """Each the mean of itself and up to `around` on both sides."""
    windows = (losses[max(0, place - around) : place + around + 1] for place in range(len(losses)))
    return [sum(window) / len(window) for window in windows]
