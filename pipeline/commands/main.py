"""The command line: thin over the rooms. Other rooms hang their commands in by the entry points `sitetwin.commands`."""

import functools
import importlib.metadata
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import BaseModel

from pipeline.errors import SitetwinError
from pipeline.settings import Mode, Retrieval, Settings, Visibility, load_settings

if TYPE_CHECKING:
    from datetime import date

    from pipeline.chat import Answer
    from pipeline.index.filters import Filters


class Commands(click.Group):
    """Own commands, then those of the other rooms; errors meant for people become one line and status 1."""

    plugins = "sitetwin.commands"
    """The group of entry points that names the other rooms' commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        others = importlib.metadata.entry_points(group=self.plugins)
        return [*super().list_commands(ctx), *sorted(plugin.name for plugin in others)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if command := super().get_command(ctx, cmd_name):
            return command
        for plugin in importlib.metadata.entry_points(group=self.plugins, name=cmd_name):
            return plugin.load()
        return None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SitetwinError as error:
            click.echo(f"sitetwin: {error}", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sitetwin")
@click.option(
    "--config", type=click.Path(path_type=Path), help="The sitetwin.toml to use; else the nearest one above here."
)
@click.pass_context
def main(ctx: click.Context, config: Path | None) -> None:
    """An assistant for your site that answers from your Markdown, with its sources."""
    ctx.obj = functools.cache(lambda: load_settings(config))


def with_settings(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand the settings to a command as its first argument, read only when the command runs."""

    @click.pass_context
    def wrapped(ctx: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        return ctx.invoke(function, ctx.find_root().obj(), *args, **kwargs)

    return functools.update_wrapper(wrapped, function)


as_json = click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout, nothing else.")


def print_json(document: BaseModel | dict[str, Any]) -> None:
    text = document.model_dump_json(indent=2) if isinstance(document, BaseModel) else json.dumps(document, indent=2)
    click.echo(text)


@main.command()
@click.option("--content", type=click.Path(path_type=Path), help="The folder of Markdown; else looked for.")
@click.option("--force", is_flag=True, help="Write over an existing sitetwin.toml.")
def init(content: Path | None, force: bool) -> None:
    """Write a sitetwin.toml here, with the choices explained."""
    from pipeline.starter import write_settings

    file = write_settings(Path.cwd(), content, force=force)
    click.echo(f"wrote {file}\nnext: `sitetwin doctor`, then `sitetwin up`")


@main.command()
@as_json
@with_settings
def doctor(settings: Settings, as_json: bool) -> None:
    """What is there, what is missing, and the command that mends it."""
    from pipeline.doctor import examine

    findings = examine(settings)
    if as_json:
        print_json({"findings": [finding.model_dump() for finding in findings]})
    else:
        for finding in findings:
            mark = {"ok": "✓", "missing": "✗", "note": "·"}[finding.state]
            click.echo(f"{mark} {finding.name}: {finding.text}" + (f"\n    → {finding.mend}" if finding.mend else ""))
    if any(finding.state == "missing" for finding in findings):
        sys.exit(1)


@main.command()
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


@main.command()
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


class Day(click.ParamType):
    name = "YYYY-MM-DD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from pipeline.index.filters import parse_day

        try:
            return parse_day(value)
        except SitetwinError as error:
            self.fail(str(error), param, ctx)


def with_scope(function: Callable[..., Any]) -> Callable[..., Any]:
    """Hand a command what its options say about the documents it is for: `visibility` and `filters`."""

    @click.option("--folder", default="", help="Only documents below this folder, e.g. docs or blog/2019.")
    @click.option("--tag", "tags", multiple=True, help="Only documents with this tag; given twice, with both.")
    @click.option("--after", type=Day(), help="Only documents of this day and later ones.")
    @click.option("--before", type=Day(), help="Only documents of this day and earlier ones.")
    @click.option("--public", is_flag=True, help="The same as --visibility public: only what visitors may see.")
    @click.option("--visibility", type=click.Choice(["public", "private"]), help="Without it: both.")
    @functools.wraps(function)
    def wrapped(
        *args: Any,
        folder: str,
        tags: tuple[str, ...],
        after: "date | None",
        before: "date | None",
        public: bool,
        visibility: Visibility | None,
        **kwargs: Any,
    ) -> Any:
        from pipeline.index.filters import Filters

        if public and visibility == "private":
            raise click.UsageError("--public and --visibility private exclude each other: give one of them")
        filters = Filters(folder, tags, after, before)
        return function(*args, visibility="public" if public else visibility, filters=filters, **kwargs)

    return wrapped


@main.command()
@click.argument("query")
@click.option("-k", "count", type=click.IntRange(1, 100), help="How many passages.")
@click.option("--retrieval", type=click.Choice(["hybrid", "dense", "keyword"]))
@with_scope
@click.option("--explain", is_flag=True, help="Each stage's rank and score of each passage, and why others were cut.")
@as_json
@with_settings
def search(
    settings: Settings,
    query: str,
    count: int | None,
    retrieval: Retrieval | None,
    visibility: Visibility | None,
    filters: "Filters",
    explain: bool,
    as_json: bool,
) -> None:
    """Find passages of your notes."""
    from pipeline.index import open_index

    with open_index(settings) as opened:
        result = opened.search(query, count, retrieval, visibility, filters, explain)
    if as_json:
        print_json(result)
        return
    for number, passage in enumerate(result.passages, 1):
        where = f"{passage.title} › {passage.heading}" if passage.heading else passage.title
        click.secho(f"{number}. {where}", bold=True, nl=False)
        click.echo(
            f"  {passage.score:.3f}  {passage.document}" + ("  (private)" if passage.visibility == "private" else "")
        )
        click.echo(click.wrap_text(" ".join(passage.text.split())[:300], initial_indent="   ", subsequent_indent="   "))
    if not result.passages:
        click.echo(result.note or "nothing found")
    if result.explanation:
        from pipeline.index.explaining import table

        click.echo("\n" + "\n".join(table(result.explanation)))


@main.command()
@click.argument("question")
@click.option("--mode", type=click.Choice(["base", "rag", "lora", "hybrid"]), default="rag", show_default=True)
@click.option("--adapter", help="For the modes lora and hybrid; base: none; else the promoted one.")
@click.option("--retrieval", type=click.Choice(["hybrid", "dense", "keyword"]))
@click.option("--public", is_flag=True, help="Only from what visitors may see.")
@as_json
@with_settings
def ask(
    settings: Settings,
    question: str,
    mode: Mode,
    adapter: str | None,
    retrieval: Retrieval | None,
    public: bool,
    as_json: bool,
) -> None:
    """Ask a question; the answer names its sources."""
    from pipeline.chat import ask as ask_notes

    visibility: Visibility | None = "public" if public else None
    for piece in ask_notes(settings, question, mode=mode, retrieval=retrieval, visibility=visibility, adapter=adapter):
        if isinstance(piece, str):
            if not as_json:
                click.echo(piece, nl=False)
        elif as_json:
            print_json(piece)
        else:
            _print_sources(piece)


def _print_sources(answer: "Answer") -> None:
    click.echo()
    for citation in answer.citations:
        where = f"{citation.title} › {citation.heading}" if citation.heading else citation.title
        click.secho(f"[{citation.n}] {where}  {citation.url or citation.document}", dim=True)


@main.command()
@as_json
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """What is indexed, what is not and why, which adapter answers and which processes run."""
    from pipeline.status import read_status

    report = read_status(settings)
    if as_json:
        print_json(report)
        return
    counts = report.documents
    click.echo(
        f"{counts.indexed} documents indexed, {counts.pending} pending, {counts.skipped} skipped, {counts.failed} failed"
    )
    for file in report.files:
        if file.state != "indexed":
            click.echo(f"  {file.state}: {file.path}: {file.reason}")
    for name, process in report.processes.items():
        click.echo(f"{name}: {process.state}" + (f" at {process.url} (process {process.pid})" if process.url else ""))
    click.echo(f"adapter: {report.adapter}" if report.adapter else "adapter: none is promoted")
    if report.retraining:
        click.echo(report.retraining.summary)


@main.group()
def bench() -> None:
    """Measure with the settings in force."""


@bench.command("chunking")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-k", "count", type=click.IntRange(1, 100), default=5, show_default=True, help="Passages a question.")
@as_json
@with_settings
def bench_chunking(settings: Settings, folder: Path, count: int, as_json: bool) -> None:
    """Recall, precision and overlap of each chunker on questions with answer spans (questions.csv) in FOLDER."""
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
    """Recall, MRR and nDCG of each retrieval mode on a BEIR data set in FOLDER."""
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
