"""Shows the progress of a data set's build on stderr: pairs a minute, accepted share, time left."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pipeline.dataset.build_progress import BuildProgress, BuildReport


@contextmanager
def progress_bar() -> Iterator[BuildReport]:
    """A function that reports progress. Its bar appears at the first report and disappears when the block ends."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f} pairs/min, {task.fields[accepted]:.0%} accepted"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, visible=False, rate=0.0, accepted=0.0)

        def report(progress: BuildProgress) -> None:
            description = "teacher writes" if progress.unit == "tasks" else "judge reads"
            if bar.tasks[0].description != description:
                # Answers of earlier builds take no time, so the clock starts after them.
                bar.reset(task, description=description, visible=True, total=progress.total, completed=progress.done)
            share = progress.accepted / (progress.pairs or 1)
            bar.update(task, completed=progress.done, rate=progress.pairs_per_minute, accepted=share)

        yield report
