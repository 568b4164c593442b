"""`sitetwin bench`: measure with the settings in force."""

from pathlib import Path

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.settings import Settings


@click.group()
def bench() -> None:
    """Measure with the settings in force."""


@bench.command("chunking")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-k", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="Passages a question.")
@as_json
@with_settings
def bench_chunking(settings: Settings, folder: Path, count: int, as_json: bool) -> None:
    """Measure recall, precision and overlap of each chunker on questions with answer spans (questions.csv) in FOLDER."""
    from pipeline.evaluation.chunking import bench_chunking as measure
    from pipeline.progress import progress_bar

    with progress_bar("indexing") as progress:
        report = measure(folder, settings, count, progress)
    if as_json:
        print_json(report)
        return
    click.echo(f"{report.questions} questions, {report.passages} passages each, {report.retrieval} retrieval")
    for name, measured in report.chunkers.items():
        values = measured.model_dump(include={"recall", "precision", "iou", "precision_omega"})
        scores = "  ".join(f"{measure.replace('_', ' ')} {value:.3f}" for measure, value in values.items())
        size = f"{measured.chunks} chunks of {measured.mean_chars:.0f} characters, {measured.chunks_per_second:.1f} a second"
        click.echo(f"{name:<9} {scores}  {size}")


@bench.command("retrieval")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@as_json
@with_settings
def bench_retrieval(settings: Settings, folder: Path, as_json: bool) -> None:
    """Measure recall, MRR and nDCG of each retrieval mode on a BEIR data set in FOLDER."""
    from pipeline.evaluation.retrieval import bench_retrieval as measure
    from pipeline.progress import progress_bar

    with progress_bar("indexing") as progress:
        report = measure(folder, settings, progress)
    if as_json:
        print_json(report.as_json())
        return
    click.echo(f"{report.chunks} chunks, {report.chunks_per_second:.1f} a second")
    for mode, measured in report.modes.items():
        scores = "  ".join(f"{name} {value:.3f}" for name, value in measured.measures.items())
        times = "  ".join(f"{name} {value:.1f} ms" for name, value in measured.query_ms.items())
        click.echo(f"{mode:<20} {scores}  {times}")
