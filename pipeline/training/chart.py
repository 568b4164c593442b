"""The curves as a picture, anew at each evaluation; an image viewer that is open on it sees the old one or the new one."""

import os
from collections.abc import Mapping
from pathlib import Path

from pipeline.training.curves import Curves


def draw(runs: Mapping[str, Curves], path: Path, title: str) -> None:
    """Training loss (thin), validation loss (thick) and the best checkpoint (ring) of each run as PNG."""
    # Imported here: it takes a second, and only a training run draws.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 5), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    for place, (name, curves) in enumerate(runs.items()):
        colour = f"C{place}"
        label = f"{name}: " if len(runs) > 1 else ""
        train, valid = curves.train, curves.valid
        axes.plot(
            [point.iteration for point in train],
            [point.loss for point in train],
            color=colour,
            alpha=0.5,
            linewidth=1,
            label=f"{label}training",
        )
        axes.plot(
            [point.iteration for point in valid],
            [point.loss for point in valid],
            color=colour,
            linewidth=2.2,
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
            )
    axes.set(xlabel="iteration", ylabel="loss (nats a token)", title=title)
    axes.margins(y=0.12)
    axes.grid(alpha=0.3)
    axes.legend()
    beside = path.with_name(f".{path.stem}-{os.getpid()}.png")
    figure.savefig(beside)
    beside.replace(path)
