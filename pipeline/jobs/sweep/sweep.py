"""Several runs of one configuration over ranks and seeds, and what they tell apart.

A sweep is `.sitetwin/reports/sweep-N.json` with its chart and report beside it. Its runs are `sweep-N-rank8-seed0` in the
registry. It can be interrupted at any moment and resumed. Import this after `blas.preload()`.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline import files
from pipeline.adapters import base_hash
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SettingsError
from pipeline.jobs.series import Series, SeriesRecord, runs_named
from pipeline.jobs.sweep.telling_apart import Group, groups, sentences
from pipeline.settings import Settings, Visibility
from pipeline.training import run
from pipeline.training.chart import draw
from pipeline.training.config import Preset, TrainingConfig, Values, configuration, merge
from pipeline.training.registry import Run
from pipeline.training.report import picture, render
from pipeline.weights.demo import DEMO

TEMPLATE = Path(__file__).parent / "templates" / "sweep.html"


class Sweep(SeriesRecord):
    """The record of a sweep."""

    preset: Preset
    begin: str | None
    """The adapter that each run goes on from; None: a new one."""
    ranks: list[int]
    seeds: list[int]

    def run_name(self, rank: int, seed: int) -> str:
        """The name of the run with this rank and seed."""
        return f"sweep-{self.number}-rank{rank}-seed{seed}"

    def runs(self, settings: Settings) -> dict[tuple[int, int], Run]:
        """The runs so far, by rank and seed."""
        return runs_named(
            settings, {(rank, seed): self.run_name(rank, seed) for rank in self.ranks for seed in self.seeds}
        )

    def groups(self, settings: Settings) -> list[Group]:
        """What each rank reached, lowest rank first."""
        return groups(self.runs(settings))


SWEEPS = Series("sweep", Sweep, was="was", again="`sitetwin train --ranks 4,8,16` starts a new one")


def begin(
    settings: Settings,
    *,
    ranks: Sequence[int],
    seeds: int,
    preset: Preset = "best",
    values: Values | None = None,
    data_set: int | None = None,
    visibility: Visibility | None = None,
    begin: str | None = None,
) -> Sweep:
    """Records a new sweep. Nothing is trained yet.

    Args:
        settings: the site's settings.
        ranks: the ranks of the adapters; (): the configuration's alone.
        seeds: how many seeds each rank is trained with, counted from the configuration's.
        preset, values, data_set, visibility, begin: as of `run.start`.

    Raises:
        SitetwinError: there is no such data set or no base, or the configuration has no rank.
    """
    values = values or {}
    config = _config(settings, preset, values)
    if config.fine_tune_type == "full" and ranks:
        raise SettingsError("a full fine-tune has no rank: leave --ranks out, or take fine_tune_type=lora")
    sweep = Sweep(
        number=SWEEPS.free_number(settings),
        made_at=datetime.now(UTC),
        data_set=read_card(version_folder(settings, data_set)).version,
        visibility=visibility,
        preset=preset,
        values=values,
        begin=begin,
        ranks=sorted(set(ranks)) or [config.lora_parameters.rank],
        seeds=[config.seed + number for number in range(seeds)],
        base_hash=base_hash(run.base_folder(settings)),
    )
    SWEEPS.write(settings, sweep)
    return sweep


def go_on(
    settings: Settings,
    screen: run.TrainingScreen,
    sweep: Sweep,
    *,
    is_memory_checked: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Sweep:
    """Trains everything that is left of `sweep`, and writes its report. If `stop()` was true, it has not ended.

    Raises:
        SitetwinError: a run failed.
    """
    ended = [key for key, one in sweep.runs(settings).items() if one.state == "done"]
    # All ranks of one seed come first, so that a sweep that is cut off compares them.
    every = [(rank, seed) for seed in sweep.seeds for rank in sweep.ranks]
    for rank, seed in every:
        if (rank, seed) in ended:
            continue
        trained = SWEEPS.train(
            settings,
            screen,
            sweep,
            sweep.run_name(rank, seed),
            preset=sweep.preset,
            values=values_of(settings, sweep, rank, seed),
            begin=sweep.begin,
            is_memory_checked=is_memory_checked,
            stop=stop,
        )
        write_report(settings, sweep)
        if trained.state != "done":
            return sweep
    sweep.ended_at = datetime.now(UTC)
    SWEEPS.write(settings, sweep)
    write_report(settings, sweep)
    return sweep


def report_file(settings: Settings, sweep: Sweep) -> Path:
    """The file of the sweep's report."""
    return SWEEPS.file(settings, sweep.number).with_suffix(".html")


def write_report(settings: Settings, sweep: Sweep) -> None:
    """Writes `sweep-N.html` and its chart beside the sweep's record, with everything so far."""
    runs, report = sweep.runs(settings), report_file(settings, sweep)
    chart = report.with_suffix(".png")
    if curves := {f"rank {rank}, seed {seed}": one.curves for (rank, seed), one in runs.items()}:
        draw(curves, chart, f"Sweep {sweep.number} on data set {sweep.data_set}", unit=next(iter(runs.values())).unit)
    found = groups(runs)
    html = render(
        TEMPLATE,
        title=f"Sweep {sweep.number}",
        sweep=sweep,
        runs=runs,
        groups=found,
        sentences=sentences(found),
        chart=picture(chart),
    )
    files.write_text(report, html)


def values_of(settings: Settings, sweep: Sweep, rank: int, seed: int) -> Values:
    """The values of one run. Alpha, the scale times the rank, is the same for all ranks."""
    lora = _config(settings, sweep.preset, {**sweep.values, "use_rslora": False}).lora_parameters
    own: Values = {"seed": seed}
    if rank != lora.rank:
        own["lora_parameters"] = {"rank": rank, "scale": lora.scale * lora.rank / rank}
    return merge(sweep.values, own)


def _config(settings: Settings, preset: Preset, values: Values) -> TrainingConfig:
    return configuration(preset, values, is_demo=settings.models.chat == DEMO)
