"""`sitetwin train`, `runs`, `promote` and `rollback`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import as_json, print_json, until_interrupted, with_settings
from pipeline.settings import Settings, Visibility
from pipeline.training.config import Preset

if TYPE_CHECKING:
    from pipeline.training.registry import Run
    from pipeline.training.run import Exam


@click.command()
@click.option("--preset", type=click.Choice(["underfit", "best", "overfit"]), default="best", show_default=True)
@click.option(
    "--preference",
    type=click.Choice(["dpo", "orpo"]),
    help="Learn which answers are better, from the preferences of the data set.",
)
@click.option("--find-lr", "is_rate_sought", is_flag=True, help="Find the learning rate by short runs before.")
@click.option("--from", "begin", metavar="ADAPTER", help="Go on from this adapter of yours; else a new one.")
@click.option(
    "--config", "file", type=click.Path(path_type=Path), help="A YAML file with mlx-lm's keys, over the preset."
)
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One key, over preset and file.")
@click.option("--name", help="The run's name; without it the preset with a number. With --resume: which run.")
@click.option("--data-set", type=int, help="The data set's version; else the newest.")
@click.option("--visibility", type=click.Choice(["public", "private"]), help="The adapter's; else dataset.visibility.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint of an interrupted run.")
@click.option("--force", is_flag=True, help="Start even if the memory seems too small.")
@click.option(
    "--threads", type=click.IntRange(1), help="CPU threads; else engine.threads. Take all cores if nobody chats."
)
@click.option(
    "--phases",
    is_flag=True,
    help="Train all three presets on the same data and compare them. With --resume: the last phases.",
)
@click.option(
    "--ranks",
    metavar="4,8,16",
    help="Train one run for each rank, with one report. With --resume: the last sweep.",
)
@click.option("--seeds", type=click.IntRange(1, 50), help="Train each run with so many seeds, with one report.")
@click.option("--on", "service", type=click.Choice(["openai"]), help="Let OpenAI train, as [openai] says.")
@click.option("--yes", is_flag=True, help="With --on: begin without asking whether the cost is right.")
@click.option("--send-private", is_flag=True, help="With --on: rows of private notes may leave this machine.")
@click.option("--cancel", "cancelled", metavar="RUN", help="End the job of a run that OpenAI trains.")
@click.option(
    "--questions",
    type=click.IntRange(0),
    default=40,
    show_default=True,
    help="With --phases: the most questions of each set.",
)
@as_json
@with_settings
def train(
    settings: Settings,
    preset: Preset,
    preference: str | None,
    begin: str | None,
    is_rate_sought: bool,
    file: Path | None,
    assignments: tuple[str, ...],
    name: str | None,
    data_set: int | None,
    visibility: Visibility | None,
    resume: bool,
    force: bool,
    threads: int | None,
    phases: bool,
    ranks: str | None,
    seeds: int | None,
    service: str | None,
    yes: bool,
    send_private: bool,
    cancelled: str | None,
    questions: int,
    as_json: bool,
) -> None:
    """Train an adapter on a data set, and keep the best checkpoint.

    With --preference it learns from the data set's preferences, best on top of an adapter (--from) that knows the voice.
    """
    from pipeline.weights import blas

    if resume and service:
        raise click.UsageError("--resume knows where a run is trained: leave --on out")
    if resume and (file or assignments or data_set or visibility or preference or begin or is_rate_sought):
        raise click.UsageError("--resume goes on with the run's own configuration: give it nothing but --name")
    is_sweep = ranks is not None or seeds is not None
    if is_sweep and (phases or service or is_rate_sought or name):
        raise click.UsageError("--ranks and --seeds name their runs: leave --phases, --on, --find-lr and --name out")
    if phases and (preference or begin or is_rate_sought):
        raise click.UsageError(
            "--phases compares new adapters that learn answers: leave --preference, --from and --find-lr out"
        )
    if phases and (name or preset != "best"):
        raise click.UsageError("--phases trains all presets and names their runs: leave --preset and --name out")
    from pipeline.commands import managed
    from pipeline.training.config import configuration, merge, parse_assignments, read_file
    from pipeline.training.registry import CHART, resumable, run_folder

    if cancelled:
        managed.cancel(settings, cancelled, as_json=as_json)
        return
    interrupted = resumable(settings, name) if resume and not (phases or is_sweep) else None
    if service or (interrupted and interrupted.remote):
        if phases or preference or begin or is_rate_sought or file or preset != "best":
            raise click.UsageError(
                "--on openai trains answers alone: of the options for training it takes --set epochs=N"
            )
        managed.train(
            settings,
            interrupted,
            values=parse_assignments(assignments),
            name=name,
            data_set=data_set,
            visibility=visibility,
            may_send_private=send_private,
            is_confirmed=yes,
            as_json=as_json,
        )
        return
    blas.preload(threads or settings.engine.threads)
    from pipeline.training.report import REPORT
    from pipeline.training.run import resume as go_on
    from pipeline.training.run import start
    from pipeline.training.screen import TerminalScreen

    with TerminalScreen() as screen, until_interrupted() as stop:
        values, messages = read_file(file) if file else ({}, [])
        configuration(preset, values, source=str(file))
        for message in messages:
            screen.say(message)
        values = merge(values, parse_assignments(assignments))
        if preference:
            values["method"] = preference
        if phases:
            from pipeline.commands.phases import train_phases

            train_phases(
                settings,
                screen,
                values=values,
                data_set=data_set,
                visibility=visibility,
                asked=questions,
                resume=resume,
                is_memory_checked=not force,
                stop=stop.is_set,
                as_json=as_json,
            )
            return
        if is_sweep:
            from pipeline.commands.sweep import train_sweep

            train_sweep(
                settings,
                screen,
                ranks=_ranks(ranks or ""),
                seeds=seeds or 1,
                preset=preset,
                values=values,
                data_set=data_set,
                visibility=visibility,
                begin=begin,
                resume=resume,
                is_memory_checked=not force,
                stop=stop.is_set,
                as_json=as_json,
            )
            return
        if interrupted:
            exam = _exam(settings, interrupted.config.golden_questions, interrupted.visibility)
            run = go_on(settings, screen, name, stop.is_set, exam)
        else:
            config = configuration(preset, values)
            exam = _exam(settings, config.golden_questions, visibility or settings.dataset.visibility)
            run = start(
                settings,
                screen,
                preset=preset,
                values=values,
                name=name,
                data_set=data_set,
                visibility=visibility,
                begin=begin,
                is_rate_sought=is_rate_sought,
                is_memory_checked=not force,
                exam=exam,
                stop=stop.is_set,
            )
    if as_json:
        print_json(run)
        return
    if run.state == "stopped":
        click.echo(f"{run.name} stopped after iteration {run.iteration}: `sitetwin train --resume` goes on")
        return
    if run.verdict:
        click.echo(f"{run.name}: {run.verdict.name}: {run.verdict.text}")
        click.echo(f"to change: {run.verdict.change}")
    if run.forgetting:
        click.echo(f"forgetting: {run.forgetting}")
    click.echo(f"chart: {run_folder(settings, run.name) / CHART}")
    click.echo(f"report: {run_folder(settings, run.name) / REPORT}")
    click.echo(f"next: `sitetwin promote {run.name}` lets it answer")


def _exam(settings: Settings, count: int, visibility: Visibility) -> "Exam | None":
    """The golden questions that a run asks at each evaluation; None: it asks none."""
    from pipeline.jobs.exam import golden_exam

    return golden_exam(settings, count, visibility) if count else None


def _ranks(text: str) -> list[int]:
    """The ranks in a list such as `4,8,16`."""
    try:
        ranks = [int(word) for word in text.split(",")] if text else []
    except ValueError:
        ranks = [0]
    if any(rank < 1 for rank in ranks):
        raise click.UsageError(f"--ranks {text}: write whole numbers with commas between, such as 4,8,16")
    return ranks


@click.command()
@as_json
@with_settings
def runs(settings: Settings, as_json: bool) -> None:
    """List all training runs, oldest first, with what came of them."""
    from pipeline.adapters import promoted
    from pipeline.commands import managed
    from pipeline.training.registry import runs as all_runs
    from pipeline.training.registry import unreadable_runs

    found, unreadable = all_runs(settings), unreadable_runs(settings)
    adapter = promoted(settings)
    if as_json:
        listed = [run.model_dump(mode="json") for run in found]
        print_json({"runs": listed, "promoted": adapter.name if adapter else None, "unreadable": unreadable})
        return
    for run in found:
        is_promoted = bool(adapter and adapter.name == run.name)
        click.echo((managed.line if run.remote else _line)(run, is_promoted=is_promoted))
        if run.error:
            click.echo(f"  {run.error}")
        if run.forgetting and run.forgetting.rise is not None:
            click.echo(f"  {run.forgetting}")
        for score in run.scores:
            who = "" if score.adapter == run.name else f"{score.adapter}: "
            click.echo(
                f"  {who}{score.measure} {score.mean:.2f} on {score.questions} questions, {score.asked}, mode {score.mode}"
            )
    for name, why in unreadable.items():
        click.echo(f"{name}: unreadable; {why}")
    if not found and not unreadable:
        click.echo("no runs yet: `sitetwin train` starts one")


def _line(run: "Run", *, is_promoted: bool) -> str:
    """What `sitetwin runs` says first of a run that is trained here."""
    best = run.curves.best
    figures = f"best validation loss {best.loss:.3f} at {best.iteration}" if best else "no evaluation"
    mark = ", promoted" if is_promoted else ""
    verdict = f", {run.verdict.name}" if run.verdict else ""
    method = "" if run.config.method == "sft" else f", by {run.config.method}"
    return (
        f"{run.name}: {run.state}{verdict}{mark}{method}; iteration {run.iteration} of {run.config.iters}, {figures}; "
        f"data set {run.data_set}, {run.visibility}, {run.made_at:%Y-%m-%d %H:%M}"
    )


@click.command()
@click.argument("run")
@as_json
@with_settings
def promote(settings: Settings, run: str, as_json: bool) -> None:
    """Let the adapter of RUN answer from now on."""
    from pipeline.engine.promoting import promote as put_to_use

    adapter = put_to_use(settings, run)
    if as_json:
        print_json({"promoted": adapter.name})
        return
    if adapter.remote:
        click.echo(f"in the modes lora and hybrid, questions and passages now go to {adapter.remote.url}")
    click.echo(f"{adapter.name} answers from now on; `sitetwin rollback` takes it back")


@click.command()
@as_json
@with_settings
def rollback(settings: Settings, as_json: bool) -> None:
    """Return to the adapter that was promoted before, or to none."""
    from pipeline.adapters import rollback as take_back

    adapter = take_back(settings)
    if as_json:
        print_json({"promoted": adapter.name if adapter else None})
        return
    click.echo(f"{adapter.name} answers again" if adapter else "no adapter is promoted any more: the base answers")
