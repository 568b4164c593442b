"""`sitetwin train --on openai`: what the terminal shows of a run that OpenAI trains."""

import sys
from typing import TYPE_CHECKING

import click

from pipeline.commands.kit import print_json, until_interrupted
from pipeline.errors import SitetwinError
from pipeline.settings import Settings, Visibility

if TYPE_CHECKING:
    from pipeline.training.config import Values
    from pipeline.training.registry import Run


def train(
    settings: Settings,
    interrupted: "Run | None",
    *,
    values: "Values",
    name: str | None,
    data_set: int | None,
    visibility: Visibility | None,
    may_send_private: bool,
    is_confirmed: bool,
    as_json: bool,
) -> None:
    """Trains at OpenAI, or goes on with the run `interrupted`; see `pipeline.training.managed`.

    Args:
        is_confirmed: begin without asking.
        as_json: print the run's record and nothing else.
    """
    from pipeline.training import managed

    def confirm(cost: str) -> bool:
        say(cost)
        if is_confirmed:
            return True
        if not sys.stdin.isatty():
            raise SitetwinError("this costs money, and nobody is here to be asked: say --yes")
        return click.confirm("upload the rows and begin?", err=True)

    def say(text: str) -> None:
        click.echo(text, err=True)

    with until_interrupted("leaving the job to go on; a second Ctrl-C ends at once") as stop:
        if interrupted:
            run = managed.resume(settings, say, interrupted, stop.is_set, stop.wait)
        else:
            run = managed.start(
                settings,
                say,
                confirm,
                values=values,
                name=name,
                data_set=data_set,
                visibility=visibility,
                may_send_private=may_send_private,
                stop=stop.is_set,
                wait=stop.wait,
            )
    if as_json:
        print_json(run)
        return
    click.echo(line(run, is_promoted=False))
    if run.state == "stopped":
        click.echo(
            f"its job goes on: `sitetwin train --resume --name {run.name}` follows it, "
            f"`sitetwin train --cancel {run.name}` ends it"
        )
    elif run.state == "done":
        click.echo(
            f"next: `sitetwin ask --mode lora --adapter {run.name} QUESTION`, then `sitetwin promote {run.name}`"
        )


def cancel(settings: Settings, name: str, *, as_json: bool) -> None:
    """Ends the job of the run `name`."""
    from pipeline.training.managed import cancel as end

    run = end(settings, name)
    if as_json:
        print_json(run)
        return
    assert run.remote
    click.echo(f"the job {run.remote.job} of {name} is {run.remote.status}")


def line(run: "Run", *, is_promoted: bool) -> str:
    """What `sitetwin runs` says first of a run that OpenAI trains."""
    remote = run.remote
    assert remote
    mark = ", promoted" if is_promoted else ""
    billed = f", {remote.trained_tokens:,} tokens billed" if remote.trained_tokens is not None else ""
    model = f" -> {remote.fine_tuned_model}" if remote.fine_tuned_model else ""
    return (
        f"{run.name}: {run.state}{mark}; {remote.model}{model} at {remote.url}, job {remote.status or 'not begun'}{billed}; "
        f"data set {run.data_set}, {run.visibility}, {run.made_at:%Y-%m-%d %H:%M}"
    )
