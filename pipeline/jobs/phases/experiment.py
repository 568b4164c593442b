"""Too little, right and too much: one data set and seed trained three times, and each result asked the same questions.

An experiment is `.sitetwin/reports/phases-N.json`, with its chart and report beside it. Its runs are `phases-N-PRESET` in
the registry. It can be interrupted at any moment and resumed. Import this after `blas.preload()`.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, get_args

from pydantic import Field

from pipeline.adapters import BASE, base_hash
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SettingsError
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.systems import find_system
from pipeline.jobs.evaluating import record
from pipeline.jobs.evaluating.asking import CancelledError
from pipeline.jobs.evaluating.held_out import held_out, short_answers, trained_on
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import evaluate
from pipeline.jobs.phases.conclusion import MEASURE, QuestionSet, conclusion
from pipeline.jobs.recording import record_scores
from pipeline.jobs.series import Series, SeriesRecord, runs_named
from pipeline.settings import Settings, Visibility
from pipeline.training import run
from pipeline.training.chart import draw
from pipeline.training.config import PRESETS, Preset, Values, configuration
from pipeline.training.curves import Curves
from pipeline.training.registry import Run
from pipeline.weights.demo import DEMO
from pipeline.weights.memory import give_back_model

ORDER: tuple[Preset, ...] = get_args(Preset)


class PhasesScreen(run.TrainingScreen, Protocol):
    """Is told what happens in an experiment."""

    def asked(self, asked: str, done: int, total: int) -> None:
        """Of all systems' answers to the questions `asked` (held out, or seen), `done` of `total` are there."""

    def seconds_for(self, iterations: int, every: int) -> float:
        """The seconds that `iterations` take, with an evaluation after every `every` of them."""


class Experiment(SeriesRecord):
    """The record of an experiment."""

    questions: dict[QuestionSet, list[GoldenQuestion]]
    """The answerable ones alone: without notes there is nothing to decline by."""
    evaluations: dict[QuestionSet, int] = Field(default_factory=dict)
    """The number of the evaluation of each set: the base, each run's adapter, and the last weights of the overfit run."""

    def run_name(self, preset: Preset) -> str:
        """The name of the run of `preset`."""
        return f"phases-{self.number}-{preset}"


PHASES = Series("phases", Experiment, was="were", again="`sitetwin train --phases` starts new ones")


def begin(
    settings: Settings,
    *,
    values: Values | None = None,
    data_set: int | None = None,
    visibility: Visibility | None = None,
    asked: int = 40,
) -> Experiment:
    """Records a new experiment. Nothing is trained yet.

    Args:
        settings: the site's settings.
        values: mlx-lm's keys, over each preset.
        data_set: the data set's version; None: the newest.
        visibility: the adapters'; None: as the settings say.
        asked: the most questions of each set.

    Raises:
        SitetwinError: there is no such data set or no base, or `values` sets a key in which the phases differ.
    """
    values = values or {}
    _check(values)
    version = read_card(version_folder(settings, data_set)).version
    experiment = Experiment(
        number=PHASES.free_number(settings),
        made_at=datetime.now(UTC),
        data_set=version,
        visibility=visibility,
        values=values,
        base_hash=base_hash(run.base_folder(settings)),
        questions={
            "held out": _answerable(held_out(settings, version, None, asked)),
            "seen": _answerable(trained_on(settings, version, asked)),
        },
    )
    PHASES.write(settings, experiment)
    return experiment


def go_on(
    settings: Settings,
    screen: PhasesScreen,
    experiment: Experiment,
    *,
    is_memory_checked: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Experiment:
    """Does everything that is left of `experiment`. If `stop()` was true, the experiment has not ended.

    Args:
        settings: the site's settings.
        screen: is told what happens.
        experiment: the experiment, which is changed.
        is_memory_checked: refuse runs that need more memory than is free.
        stop: tells whether to stop.

    Raises:
        SitetwinError: a run failed, or no model answers.
    """
    for preset in ORDER:
        is_new = preset not in phase_runs(settings, experiment)
        trained = PHASES.train(
            settings,
            screen,
            experiment,
            experiment.run_name(preset),
            preset=preset,
            values=experiment.values,
            is_memory_checked=is_memory_checked,
            stop=stop,
        )
        if trained.state != "done":
            return experiment
        _draw(settings, experiment)
        if is_new:
            _say_rest(settings, screen, experiment, trained)
    # The engine's process, which answers the questions, loads its own copy of the base.
    give_back_model()
    try:
        for asked in experiment.questions:
            if experiment.questions[asked] and asked not in experiment.evaluations:
                _ask(settings, screen, experiment, asked, stop)
    except CancelledError:
        return experiment
    experiment.ended_at = datetime.now(UTC)
    PHASES.write(settings, experiment)
    return experiment


def phase_runs(settings: Settings, experiment: Experiment) -> dict[Preset, Run]:
    """The experiment's runs so far, by preset."""
    return runs_named(settings, {preset: experiment.run_name(preset) for preset in ORDER})


def evaluations(settings: Settings, experiment: Experiment) -> dict[QuestionSet, Evaluation]:
    """The evaluations of the experiment's runs so far.

    Raises:
        SitetwinError: one of them is gone, or can't be read.
    """
    return {asked: record.read(settings, number) for asked, number in experiment.evaluations.items()}


def sentences(settings: Settings, experiment: Experiment) -> list[str]:
    """What the experiment showed, in sentences."""
    return conclusion(phase_runs(settings, experiment), evaluations(settings, experiment))


def chart_file(settings: Settings, experiment: Experiment) -> Path:
    """The file of the experiment's chart."""
    return PHASES.file(settings, experiment.number).with_suffix(".png")


def _say_rest(settings: Settings, screen: PhasesScreen, experiment: Experiment, trained: Run) -> None:
    """Says how long the phases after `trained` will take."""
    rest = ORDER[ORDER.index(trained.preset) + 1 :]
    values, is_demo = experiment.values, settings.models.chat == DEMO
    configs = [configuration(preset, values, is_demo=is_demo).for_rows(trained.rows["train"]) for preset in rest]
    seconds = sum(screen.seconds_for(config.iters or 0, config.steps_per_eval or 1) for config in configs)
    if rest:
        screen.say(f"{trained.name} has ended; {' and '.join(rest)} take about {seconds / 60:.0f} minutes more")


def _answerable(questions: list[GoldenQuestion]) -> list[GoldenQuestion]:
    return [one for one in questions if one.answerable]


def _ask(
    settings: Settings, screen: PhasesScreen, experiment: Experiment, asked: QuestionSet, stop: Callable[[], bool]
) -> None:
    """Evaluates the base and all adapters of the runs, without notes, on one set of questions."""
    runs = phase_runs(settings, experiment).values()
    adapters = {run.name: [name for name in (run.name, run.last_adapter) if name] for run in runs}
    systems = {run: [f"lora:{name}" for name in names] for run, names in adapters.items()}
    # The base gets the same words before the question as the adapters were trained with.
    names = [f"lora:{BASE}", *(name for of_run in systems.values() for name in of_run)]
    made = evaluate(
        short_answers(settings),
        [find_system(settings, name) for name in names],
        experiment.questions[asked],
        file=f"{asked} questions of data set {experiment.data_set}",
        progress=lambda done, total, _: screen.asked(asked, done, total),
        cancelled=stop,
        waits=True,
    )
    screen.say(f"report of the {asked} questions: {write_report(settings, made)}")
    experiment.evaluations[asked] = made.number
    PHASES.write(settings, experiment)
    for run_name, of_run in systems.items():
        record_scores(settings, run_name, made, of_run, asked=asked, measure=MEASURE)


def _draw(settings: Settings, experiment: Experiment) -> None:
    runs = phase_runs(settings, experiment)
    curves: dict[str, Curves] = {preset: trained.curves for preset, trained in runs.items()}
    per_epoch = next(iter(runs.values())).per_epoch
    draw(curves, chart_file(settings, experiment), f"Three phases on data set {experiment.data_set}", per_epoch)


def _check(values: Values) -> None:
    """Refuses keys in which the phases differ, because they can't be set for all phases."""
    apart = {key for preset in PRESETS.values() for key in preset if key != "lora_parameters"} | {"iters"}
    lora = {key for preset in PRESETS.values() for key in preset.get("lora_parameters", {})}
    wrong = [key for key in values if key in apart]
    wrong += [f"lora_parameters.{key}" for key in values.get("lora_parameters", {}) if key in lora]
    if wrong:
        raise SettingsError(f"{wrong[0]} is what the phases differ in: leave it out, or train a run of its own with it")
