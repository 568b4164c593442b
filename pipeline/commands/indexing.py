"""`sitetwin index` and `watch`."""

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings, load_settings


@click.command()
@click.option("--rebuild", is_flag=True, help="Embed everything again.")
@as_json
@with_settings
def index(settings: Settings, rebuild: bool, as_json: bool) -> None:
    """Bring the index up to date with the files."""
    from pipeline.answerability.calibration import refresh_calibration
    from pipeline.index import open_index
    from pipeline.progress import progress_bar

    with open_index(settings) as opened, progress_bar("indexing") as progress:
        report = opened.sync(progress, rebuild=rebuild)
    refresh_calibration(settings)
    if as_json:
        print_json(report)
        return
    click.echo(report.summary())


@click.command()
@with_settings
def watch(settings: Settings) -> None:
    """Keep the index up to date until Ctrl-C."""
    from pipeline.answerability.background import BackgroundCalibration
    from pipeline.index.watching import watch as watch_sources
    from pipeline.processes.endpoint import RunFiles

    def say(text: str) -> None:
        click.echo(text, err=True)

    files = RunFiles(settings.run_directory, "watcher")
    learn = BackgroundCalibration(lambda: load_settings(settings.file), say)

    def synced() -> None:
        # Whoever started this process learns that the index is up to date.
        if not files.find():
            files.publish(0)
        learn()

    watch_sources(settings, say, synced=synced)
