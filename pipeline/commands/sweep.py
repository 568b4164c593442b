"""What `sitetwin train --ranks` and `--seeds` do and print."""

from collections.abc import Callable, Sequence

import click

from pipeline.commands.kit import print_json
from pipeline.jobs.sweep import sweep as sweeping
from pipeline.jobs.sweep.telling_apart import sentences
from pipeline.settings import Settings, Visibility
from pipeline.training.config import Preset, Values
from pipeline.training.run import TrainingScreen


def train_sweep(
    settings: Settings,
    screen: TrainingScreen,
    *,
    ranks: Sequence[int],
    seeds: int,
    preset: Preset,
    values: Values,
    data_set: int | None,
    visibility: Visibility | None,
    begin: str | None,
    resume: bool,
    is_memory_checked: bool,
    stop: Callable[[], bool],
    as_json: bool,
) -> None:
    """Trains the sweep and prints what it showed.

    Args:
        ranks, seeds: as of `sweep.begin`.
        resume: continue the newest sweep.
        as_json: print one JSON document.

    Raises:
        SitetwinError: as `begin`, `SWEEPS.unfinished` and `go_on`.
    """
    if resume:
        sweep = sweeping.SWEEPS.unfinished(settings)
    else:
        sweep = sweeping.begin(
            settings,
            ranks=ranks,
            seeds=seeds,
            preset=preset,
            values=values,
            data_set=data_set,
            visibility=visibility,
            begin=begin,
        )
    sweeping.go_on(settings, screen, sweep, is_memory_checked=is_memory_checked, stop=stop)
    found, report = sweep.groups(settings), sweeping.report_file(settings, sweep)
    if as_json:
        by_rank = {
            str(group.rank): {
                "losses": group.losses,
                "mean": group.mean,
                "interval": group.interval,
                "rise": group.rise,
            }
            for group in found
        }
        state = "done" if sweep.ended_at else "stopped"
        print_json({"number": sweep.number, "state": state, "ranks": by_rank, "report": str(report)})
        return
    for sentence in sentences(found):
        click.echo(sentence)
    click.echo(f"report: {report}")
    if not sweep.ended_at:
        click.echo("stopped: `sitetwin train --ranks … --resume` goes on")
