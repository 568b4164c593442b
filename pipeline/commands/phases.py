"""What `sitetwin train --phases` does and prints."""

from collections.abc import Callable

import click

from pipeline.commands.kit import print_json
from pipeline.jobs.evaluating.report.terminal import columns
from pipeline.jobs.phases.experiment import (
    PHASES,
    PhasesScreen,
    begin,
    chart_file,
    evaluations,
    go_on,
    phase_runs,
    sentences,
)
from pipeline.jobs.phases.report import write_phases_report
from pipeline.settings import Settings, Visibility
from pipeline.training.config import Values


def train_phases(
    settings: Settings,
    screen: PhasesScreen,
    *,
    values: Values,
    data_set: int | None,
    visibility: Visibility | None,
    asked: int,
    resume: bool,
    is_memory_checked: bool,
    stop: Callable[[], bool],
    as_json: bool,
) -> None:
    """Trains the phases, asks their adapters, and prints what they showed.

    Args:
        settings: the site's settings.
        screen: is told what happens.
        values: mlx-lm's keys, over each preset.
        data_set: the data set's version; None: the newest.
        visibility: the adapters'; None: as the settings say.
        asked: the most questions of each set.
        resume: continue the newest experiment.
        is_memory_checked: refuse runs that need more memory than is free.
        stop: tells whether to stop.
        as_json: print one JSON document.

    Raises:
        SitetwinError: as `begin`, `PHASES.unfinished` and `go_on`.
    """
    if resume:
        experiment = PHASES.unfinished(settings)
    else:
        experiment = begin(settings, values=values, data_set=data_set, visibility=visibility, asked=asked)
    go_on(settings, screen, experiment, is_memory_checked=is_memory_checked, stop=stop)
    report = write_phases_report(settings, experiment)
    runs, asked_of = phase_runs(settings, experiment), evaluations(settings, experiment)
    if as_json:
        print_json(
            {
                "number": experiment.number,
                "state": "done" if experiment.ended_at else "stopped",
                "data_set": experiment.data_set,
                "runs": {preset: run.model_dump(mode="json") for preset, run in runs.items()},
                "evaluations": {kind: made.as_json() for kind, made in asked_of.items()},
                "conclusion": sentences(settings, experiment),
                "chart": str(chart_file(settings, experiment)),
                "report": str(report),
            }
        )
        return
    for preset, run in runs.items():
        verdict = f"{run.verdict.name}: {run.verdict.text}" if run.verdict else run.state
        click.echo(f"{preset}: {verdict}")
        if run.forgetting:
            click.echo(f"  {run.forgetting}")
    for kind, made in asked_of.items():
        click.echo(f"\n{len(made.questions)} {kind} questions, evaluation {made.number}:")
        click.echo("\n".join(columns(made)))
    for sentence in sentences(settings, experiment):
        click.echo(sentence)
    click.echo(f"chart: {chart_file(settings, experiment)}")
    click.echo(f"report: {report}")
    if not experiment.ended_at:
        click.echo("stopped: `sitetwin train --phases --resume` goes on")
