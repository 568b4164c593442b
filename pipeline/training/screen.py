"""A run's progress on stderr: a bar on a terminal, a line for each evaluation anywhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.registry import Run


class TerminalScreen:
    """Iteration, loss, tokens a second, memory and time left; used as a context."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=None, visible=False, figures="")
        self._iterations, self._every = 0, 1
        self._started = (0, 0.0)
        self._evaluation = 0.0
        self._rest = ""

    def __enter__(self) -> "TerminalScreen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        self._console.print(text, soft_wrap=True, markup=False)

    def start(self, run: Run) -> None:
        self._iterations, self._every = run.config.iters or 0, run.config.steps_per_eval or 1
        self._started, self._evaluation, self._rest = (run.iteration, time.monotonic()), 0.0, ""
        self._bar.reset(self._task, description=run.name, total=self._iterations, completed=run.iteration, visible=True)

    def step(self, iteration: int, loss: float) -> None:
        self._bar.update(self._task, completed=iteration, figures=f"loss {loss:.3f}{self._rest}")

    def asked(self, system: str, done: int, total: int) -> None:
        self._bar.update(
            self._task, description=f"asking {system}", completed=done, total=total, figures="", visible=True
        )

    def point(self, point: TrainPoint | ValidPoint) -> None:
        if isinstance(point, TrainPoint):
            is_first = not self._rest
            self._rest = f", {point.tokens_per_second:.0f} tokens/s, {point.memory_gb:.1f} GB"
            if is_first:
                self.say(f"about {self._minutes_left(point.iteration):.0f} minutes are left")
        else:
            if point.iteration == self._started[0]:
                self._evaluation = time.monotonic() - self._started[1]
                self._started = (point.iteration, time.monotonic())
            self.say(f"iteration {point.iteration} of {self._iterations}: validation loss {point.loss:.3f}{self._rest}")

    def _minutes_left(self, iteration: int) -> float:
        """From this run's pace since it began or was resumed, and what its first evaluation took."""
        first, began = self._started
        left = self._iterations - iteration
        seconds = (time.monotonic() - began) / (iteration - first) * left + left / self._every * self._evaluation
        return seconds / 60
