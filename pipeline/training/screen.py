"""Shows a run's progress on stderr: a bar on a terminal, and a line for each evaluation anywhere."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pipeline.training.curves import TrainPoint, ValidPoint
from pipeline.training.registry import Run


class TerminalScreen:
    """Shows iteration, loss, tokens a second, memory and the time left. Use it as a context manager."""

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
        self._steps: list[float] = []
        self._evaluations: list[float] = []
        self._last = 0.0
        self._rest = ""

    def __enter__(self) -> "TerminalScreen":
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, text: str) -> None:
        """Shows one line of text."""
        self._console.print(text, soft_wrap=True, markup=False)

    def start(self, run: Run) -> None:
        """Shows the bar for `run`."""
        self._iterations, self._every = run.config.iters or 0, run.config.steps_per_eval or 1
        self._rest = ""
        self._last = time.monotonic()
        self._bar.reset(self._task, description=run.name, total=self._iterations, completed=run.iteration, visible=True)

    def step(self, iteration: int, loss: float) -> None:
        """Moves the bar and shows the loss, in nats a token."""
        self._steps.append(self._since_last())
        self._bar.update(self._task, completed=iteration, figures=f"loss {loss:.3f}{self._rest}")

    def point(self, point: TrainPoint | ValidPoint) -> None:
        """Shows speed and memory of a report, or a line for an evaluation."""
        if isinstance(point, TrainPoint):
            is_first = not self._rest
            self._rest = f", {point.tokens_per_second:.0f} tokens/s, {point.memory_gb:.1f} GB"
            if is_first:
                left = self.seconds_for(self._iterations - point.iteration, self._every)
                self.say(f"about {left / 60:.0f} minutes are left")
        else:
            self._evaluations.append(self._since_last())
            share = "" if point.preferred is None else f", {point.preferred:.0%} of the better answers preferred"
            if point.answered is not None:
                share += f", {point.answered:.0%} of the golden questions right"
            self.say(
                f"iteration {point.iteration} of {self._iterations}: validation loss {point.loss:.3f}{share}{self._rest}"
            )

    def asked(self, asked: str, done: int, total: int) -> None:
        """Shows that `done` of `total` answers to the questions `asked` are there."""
        if done == 1:
            self._bar.reset(self._task, description=f"asking {asked}", total=total, visible=True, figures="")
        self._bar.update(self._task, completed=done)

    def seconds_for(self, iterations: int, every: int) -> float:
        """The seconds that `iterations` take with an evaluation after every `every` of them, judged by those so far."""
        return iterations * _mean(self._steps) + iterations / every * _mean(self._evaluations)

    def _since_last(self) -> float:
        before, self._last = self._last, time.monotonic()
        return self._last - before


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds) if seconds else 0.0
