"""`sitetwin retrain`, `retrain status` and `retrain cancel`."""

import sys

import click

from pipeline.commands.kit import as_json, print_json, with_settings
from pipeline.errors import SitetwinError
from pipeline.jobs.retraining.following import follow
from pipeline.jobs.retraining.job import RetrainingJob, RetrainingRequest, read_job
from pipeline.settings import Settings
from pipeline.training.config import Preset


@click.group(invoke_without_command=True)
@click.option("--preset", type=click.Choice(["underfit", "best", "overfit"]), default="best", show_default=True)
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One of mlx-lm's keys, over the preset.")
@click.option("--force", is_flag=True, help="Train even if nothing has changed.")
@click.option("--wait", is_flag=True, help="Show the progress and end with the job; Ctrl-C leaves it running.")
@as_json
@click.pass_context
def retrain(
    ctx: click.Context, preset: Preset, assignments: tuple[str, ...], force: bool, wait: bool, as_json: bool
) -> None:
    """Teach the adapter what has changed, in the background; promote it if it answers no worse."""
    if ctx.invoked_subcommand and (assignments or force or wait or as_json):
        raise click.UsageError(f"write the options of {ctx.invoked_subcommand} after {ctx.invoked_subcommand}")
    if ctx.invoked_subcommand is None:
        ctx.invoke(begin, preset=preset, assignments=assignments, force=force, wait=wait, as_json=as_json)


@with_settings
def begin(
    settings: Settings, preset: Preset, assignments: tuple[str, ...], force: bool, wait: bool, as_json: bool
) -> None:
    """Starts the job and, with `wait`, follows it to its end.

    Raises:
        SitetwinError: a job is under way already, or the request is wrong.
    """
    from pipeline.jobs.retraining.launch import start
    from pipeline.training.config import parse_assignments

    job, new = start(settings, RetrainingRequest(preset=preset, values=parse_assignments(assignments), force=force))
    if not new:
        raise SitetwinError(f"{job.summary}; there is one at a time: `sitetwin retrain cancel` ends it")
    if wait:
        job = _watched(settings)
    _show(job, as_json=as_json)
    if wait and job.state != "done":
        sys.exit(1)
    if job.state == "running" and not as_json:
        click.echo("next: `sitetwin retrain status` says how far it is, `sitetwin retrain cancel` ends it")


@retrain.command()
@click.option("--wait", is_flag=True, help="Show the progress and end with the job; Ctrl-C leaves it running.")
@as_json
@with_settings
def status(settings: Settings, wait: bool, as_json: bool) -> None:
    """Show how far the retraining is, or how the last one ended."""
    job = read_job(settings)
    if job is None:
        raise SitetwinError("there was no retraining yet: `sitetwin retrain` starts one")
    if wait and job.state == "running":
        job = _watched(settings)
    _show(job, as_json=as_json)


@retrain.command()
@as_json
@with_settings
def cancel(settings: Settings, as_json: bool) -> None:
    """End the retraining after its current step; the next one continues from there."""
    from pipeline.jobs.retraining.launch import cancel as end

    job = end(settings)
    if job.state == "running":
        click.echo("it will end after its current training step", err=True)
        job = _watched(settings)
    _show(job, as_json=as_json)


def _watched(settings: Settings) -> RetrainingJob:
    """Shows a bar until the job has ended, and returns the job."""
    from pipeline.progress import progress_bar

    with progress_bar("retraining:") as report:
        for job in follow(settings):
            if job.state == "running":
                report(job.done, job.total, job.unit or job.step)
    return job


def _show(job: RetrainingJob, *, as_json: bool) -> None:
    if as_json:
        print_json(job)
    else:
        click.echo(job.summary)
