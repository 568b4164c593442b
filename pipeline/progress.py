"""Progress on stderr: a bar with rate and time left on a terminal, a line now and then elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

ProgressReport = Callable[[int, int, str], None]
"""Called with done, total (0: not known) and what is counted (`chunks`)."""


class RateColumn(ProgressColumn):
    """Units a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "–/s")


@contextmanager
def progress_bar(what: str) -> Iterator[ProgressReport]:
    """A reporter whose bar appears with the first report and goes when the block ends."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        RateColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=None, visible=False)

        def report(done: int, total: int, unit: str) -> None:
            description = f"{what} {unit}"
            if bar.tasks[0].description != description:
                # Another unit has another rate.
                bar.reset(task, description=description, visible=True)
            bar.update(task, completed=done, total=total or None)

        yield report
