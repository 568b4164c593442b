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
    from pipeline.embedding.choosing import advice
    from pipeline.progress import progress_bar
    from pipeline.site import Site

    site = Site(settings)
    with site.index() as opened, progress_bar("indexing") as progress:
        report = opened.sync(progress, rebuild=rebuild)
        languages = opened.languages()
    site.calibrate()
    if as_json:
        print_json(report)
        return
    click.echo(report.summary())
    if suggested := advice(settings.models.embedder, languages):
        click.echo(suggested, err=True)


@click.command()
@with_settings
def watch(settings: Settings) -> None:
    """Keep the index up to date until Ctrl-C."""
    from pipeline.answerability.background import BackgroundCalibration
    from pipeline.index.watching import watch as watch_sources
    from pipeline.processes.endpoint import RunFiles
    from pipeline.site import Site

    def say(text: str) -> None:
        click.echo(text, err=True)

    files = RunFiles(settings.run_directory, "watcher")
    learn = BackgroundCalibration(lambda: Site(load_settings(settings.file)).calibrate(), say)

    def synced() -> None:
        # This tells the process that started this one that the index is up to date.
        if not files.find():
            files.publish(0)
        learn()

    watch_sources(settings, lambda now, memory: Site(now).index(memory), say, synced=synced)
