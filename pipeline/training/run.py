"""A run from beginning to end: it is checked, trained and judged, and its adapter is put where the engine finds it.

Import this after `blas.preload()`.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
from mlx_lm.utils import load_config, load_model, load_tokenizer

from pipeline import files, jsonl
from pipeline.adapters import (
    CONFIG,
    WEIGHTS,
    Adapter,
    adapters_directory,
    base_hash,
    find_adapter,
    write_card,
)
from pipeline.chat.records import ChatModel
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SitetwinError
from pipeline.settings import Settings, Visibility
from pipeline.training import registry
from pipeline.training.beginning import check_beginning, with_shape
from pipeline.training.chart import draw
from pipeline.training.checkpoint import TrainingProgress, weights_of
from pipeline.training.checks import (
    check_base,
    check_exam,
    check_preferences,
    check_rows,
    check_visibility,
    fit_memory,
)
from pipeline.training.config import Preset, TrainingConfig, Values, configuration
from pipeline.training.cost import cost_in_words
from pipeline.training.curves import Forgetting, RateTrial, TrainPoint, ValidPoint
from pipeline.training.data import TokenRow, TrainingRow, read_preferences, read_rows
from pipeline.training.finding import find_rate
from pipeline.training.forgetting import general_loss, general_rows
from pipeline.training.loop import Trainer, TrainingStoppedError
from pipeline.training.memory import free_memory
from pipeline.training.reference import compare_with_beginning
from pipeline.training.registry import CHART, CHECKPOINTS, METRICS, Run
from pipeline.training.report import write_report
from pipeline.training.setup import make_optimizer
from pipeline.training.speaking import TrainedModel
from pipeline.training.verdict import judge
from pipeline.weights.demo import DEMO
from pipeline.weights.locating import weights_folder

Exam = Callable[[ChatModel, Callable[[], bool]], float]
"""Asks a model the golden questions: see `loop.Examine`. Rooms above make one, for they know how answers are judged."""
RATE_BATCHES = 8
"""The validation batches by which learning rates are compared."""
BUSY = "a run is under way: `sitetwin runs` shows it; wait for it or end it with Ctrl-C"
"""Two runs at a time would each take more than twice as long."""


@dataclass(frozen=True, slots=True)
class SplitRows:
    """The rows that a run reads, or the preferences."""

    train: Sequence[TrainingRow]
    valid: Sequence[TrainingRow]
    general: list[TokenRow]
    """Rows of text that has nothing to do with the notes, to measure forgetting."""


class TrainingScreen(Protocol):
    """Is told what happens in a run."""

    def say(self, text: str) -> None:
        """Shows one line of text."""

    def start(self, run: Run) -> None:
        """The training of `run` begins or goes on."""

    def step(self, iteration: int, loss: float) -> None:
        """One iteration is done; `loss` is its mean loss in nats a token."""

    def point(self, point: TrainPoint | ValidPoint) -> None:
        """A report or an evaluation was made."""


class Recorder:
    """Keeps what the loop reports: lines in metrics.jsonl, curves in run.json, and the chart."""

    def __init__(self, settings: Settings, run: Run, screen: TrainingScreen) -> None:
        self.settings, self.run, self.screen = settings, run, screen
        self.folder = registry.run_folder(settings, run.name)

    def go_on_from(self, progress: TrainingProgress) -> None:
        """Drops reports that are newer than the checkpoint, because they will come again."""
        points: list[TrainPoint | ValidPoint] = [*progress.curves.train, *progress.curves.valid]
        points.sort(key=lambda point: (point.iteration, isinstance(point, ValidPoint)))
        jsonl.write(self.folder / METRICS, map(_row, points))
        self._keep(progress)

    def step(self, iteration: int, loss: float) -> None:
        """Passes an iteration's loss to the screen."""
        self.screen.step(iteration, loss)

    def trained(self, point: TrainPoint) -> None:
        """Keeps a report of the training loss."""
        self._append(point)

    def evaluated(self, point: ValidPoint, progress: TrainingProgress) -> None:
        """Keeps an evaluation, and draws the chart anew."""
        self._append(point)
        self._keep(progress)
        draw({self.run.name: progress.curves}, self.folder / CHART, self.run.name, self.run.per_epoch, self.run.unit)

    def _append(self, point: TrainPoint | ValidPoint) -> None:
        jsonl.append(self.folder / METRICS, [_row(point)])
        self.screen.point(point)

    def _keep(self, progress: TrainingProgress) -> None:
        self.run.curves, self.run.iteration = progress.curves, progress.iteration
        registry.write(self.settings, self.run)


def start(
    settings: Settings,
    screen: TrainingScreen,
    *,
    preset: Preset = "best",
    values: Values | None = None,
    name: str | None = None,
    data_set: int | None = None,
    visibility: Visibility | None = None,
    begin: str | None = None,
    is_rate_sought: bool = False,
    is_memory_checked: bool = True,
    exam: Exam | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Run:
    """Makes a new run. It returns when the run has ended or `stop()` was true.

    Args:
        settings: the site's settings.
        screen: is told what happens.
        preset: the preset.
        values: mlx-lm's keys, over the preset.
        name: the run's name; None: the preset with a number.
        data_set: the data set's version; None: the newest.
        visibility: the adapter's; None: `[dataset] visibility`.
        begin: the adapter to go on from; None: a new one.
        is_rate_sought: find the learning rate by short runs before.
        is_memory_checked: refuse a run that needs more memory than is free.
        exam: asks the golden questions, if the configuration wants some.
        stop: tells whether to stop.

    Raises:
        SitetwinError: a check failed (then nothing was written), another run is under way, or the loss is no number.
    """
    begun = find_adapter(settings, begin) if begin else None
    values = with_shape(begun, values or {}) if begun else values or {}
    config = configuration(preset, values, is_demo=settings.models.chat == DEMO)
    folder = version_folder(settings, data_set)
    card = read_card(folder)
    visibility = visibility or settings.dataset.visibility
    check_visibility(visibility, card.visibility, card.version)
    with registry.alone(settings, registry.LOCK, BUSY):
        base = base_folder(settings)
        hashed = base_hash(base)
        if begun:
            check_beginning(begun, hashed, visibility)
        rows = _rows(folder, base, config)
        train, valid = rows.train, rows.valid
        if config.method != "sft":
            check_preferences(train, card.version)
        warnings = check_base(base, config) + check_rows(train, valid, config)
        if config.fine_tune_type == "full":
            warnings.append(
                "a full fine-tune is no adapter that the engine swaps in: `sitetwin export` makes a model of it"
            )
        check_exam(config, exam is not None, bool(valid))
        config = config.for_rows(len(train))
        make_optimizer(config)
        if is_memory_checked:
            words, config = fit_memory(base, [*train, *valid], config, free_memory())
            screen.say(words)
        for warning in warnings:
            screen.say(warning)
        trials: list[RateTrial] = []
        if is_rate_sought:
            config, trials = _with_rate(base, rows, config, begun, screen, stop)
        run = Run(
            name=name or registry.free_name(settings, preset if config.method == "sft" else config.method),
            preset=preset,
            config=config,
            data_set=card.version,
            data_visibility=card.visibility,
            rows={"train": len(train), "valid": len(valid)},
            visibility=visibility,
            base=settings.models.chat,
            base_hash=hashed,
            begun_from=begin,
            made_at=datetime.now(UTC),
            warnings=warnings,
            rates=trials,
        )
        run.begin()
        registry.create(settings, run)
        return _train(settings, run, base, rows, screen, exam, stop)


def resume(
    settings: Settings,
    screen: TrainingScreen,
    name: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    exam: Exam | None = None,
) -> Run:
    """Goes on from the last checkpoint of the run `name`, or of the newest interrupted run.

    Args:
        settings: the site's settings.
        screen: is told what happens.
        name: the run's name.
        stop: tells whether to stop.
        exam: as of `start`.

    Raises:
        SitetwinError: there is none, its data set or its base has changed, or another run is under way.
    """
    with registry.alone(settings, registry.LOCK, BUSY):
        run = registry.resumable(settings, name)
        base = base_folder(settings)
        if base_hash(base) != run.base_hash:
            raise SitetwinError(
                f"the run {run.name!r} was begun on {run.base!r}, other weights than those of {settings.models.chat!r}: "
                "set [models] chat to that model, or start a new run"
            )
        rows = _rows(version_folder(settings, run.data_set), base, run.config)
        check_exam(run.config, exam is not None, bool(rows.valid))
        run.begin()
        return _train(settings, run, base, rows, screen, exam, stop)


def base_folder(settings: Settings) -> Path:
    """The folder of the weights that `[models] chat` names.

    Raises:
        SitetwinError: the name belongs to a server, or the weights can't be had.
    """
    if settings.engine.url:
        raise SitetwinError(
            f"[models] chat is the name of a model at {settings.engine.url}, and its weights can't be trained here: "
            "set [models] chat to an MLX model, and take engine.url out if it is set"
        )
    return weights_folder(settings.models.chat)


def _with_rate(
    base: Path,
    rows: SplitRows,
    config: TrainingConfig,
    begun: Adapter | None,
    screen: TrainingScreen,
    stop: Callable[[], bool],
) -> tuple[TrainingConfig, list[RateTrial]]:
    """The configuration with the best learning rate of some short runs, and what they gave."""
    if config.lr_schedule:
        raise SitetwinError("lr_schedule has rates of its own: leave it out, and take schedule=cosine if you like")
    model, _ = load_model(base)
    few = {"val_batches": RATE_BATCHES if config.val_batches == -1 else min(config.val_batches, RATE_BATCHES)}
    beginning = begun.folder / WEIGHTS if begun else None
    trainer = Trainer(model, rows.train, rows.valid, config.model_copy(update=few), None, beginning)
    try:
        if config.method == "dpo":
            compare_with_beginning(trainer, rows.train, rows.valid, None, stop)
        rate, trials = find_rate(trainer, config.learning_rate, screen.say, stop)
    except TrainingStoppedError:
        raise SitetwinError("stopped while a learning rate was sought, and nothing was written: run it again") from None
    screen.say(f"the learning rate is {rate:.3g}")
    return config.model_copy(update={"learning_rate": rate}), trials


def _train(
    settings: Settings,
    run: Run,
    base: Path,
    rows: SplitRows,
    screen: TrainingScreen,
    exam: Exam | None,
    stop: Callable[[], bool],
) -> Run:
    recorder = Recorder(settings, run, screen)
    try:
        model, _ = load_model(base)
        begin = find_adapter(settings, run.begun_from).folder / WEIGHTS if run.begun_from else None
        examine = partial(exam, TrainedModel(model, base)) if exam and run.config.golden_questions else None
        trainer = Trainer(model, rows.train, rows.valid, run.config, recorder.folder / CHECKPOINTS, begin, examine)
        if run.config.method == "dpo":
            compare_with_beginning(trainer, rows.train, rows.valid, recorder.folder, stop)
        if not trainer.progress.iteration:
            run.forgetting = Forgetting(before=general_loss(trainer, rows.general, stop))
            if words := cost_in_words(run, trainer, rows.train, rows.valid, registry.runs(settings), stop):
                screen.say(words)
        recorder.go_on_from(trainer.progress)
        screen.start(run)
        is_whole = trainer.run(recorder, stop)
        run.curves, run.iteration = trainer.progress.curves, trainer.progress.iteration
        if is_whole:
            _finish(settings, run, trainer, rows.general)
    except TrainingStoppedError:
        is_whole = False
    except SitetwinError as error:
        run.end("failed", str(error))
        _record(settings, run)
        raise
    run.end("done" if is_whole else "stopped")
    _record(settings, run)
    if is_whole:
        shutil.rmtree(recorder.folder / CHECKPOINTS, ignore_errors=True)
    return run


def _finish(settings: Settings, run: Run, trainer: Trainer, general: list[TokenRow]) -> None:
    """Publishes the adapter, measures what it has forgotten, and judges the run."""
    # The loss is measured before the adapter is published, so that weights that are NaN never become an adapter.
    best = trainer.weights()
    if run.last_adapter:
        if run.forgetting:
            run.forgetting.last = general_loss(trainer, general)
        publish(settings, run, weights_of(trainer.model), run.last_adapter)
    if run.forgetting:
        trainer.model.load_weights(list(best.items()), strict=False)
        run.forgetting.after = general_loss(trainer, general)
    publish(settings, run, best)
    run.verdict = judge(run.curves, run.forgetting)
    chart = registry.run_folder(settings, run.name) / CHART
    draw({run.name: run.curves}, chart, f"{run.name}: {run.verdict.name}", run.per_epoch, run.unit)


def _record(settings: Settings, run: Run) -> None:
    registry.write(settings, run)
    write_report(settings, run)


def publish(settings: Settings, run: Run, weights: dict[str, mx.array], name: str | None = None) -> Path:
    """Writes the adapter's folder in mlx-lm's layout, with its card, and returns its path. It appears whole or not at all.

    Args:
        settings: the site's settings.
        run: the run that made it.
        weights: the trained weights by name.
        name: the adapter's name; None: the run's.
    """
    final = adapters_directory(settings) / (name or run.name)
    is_full = run.config.fine_tune_type == "full"
    config: dict[str, Any] = {
        **run.config.model_dump(), "model": run.base, **({"lora_parameters": None} if is_full else {})
    }  # fmt: skip
    # A folder that is already there is this run's own: the process was killed before the run's record was written.
    with files.new_folder(final, replace=True) as folder:
        mx.save_safetensors(str(folder / WEIGHTS), weights)
        (folder / CONFIG).write_text(json.dumps(config, indent=4, sort_keys=True) + "\n", encoding="utf-8")
        write_card(folder, run.card)
    return final


def _rows(folder: Path, base: Path, config: TrainingConfig) -> SplitRows:
    tokenizer = load_tokenizer(base, eos_token_ids=load_config(base).get("eos_token_id"))
    general = general_rows(tokenizer)
    if config.method != "sft":
        return SplitRows(
            read_preferences(folder, "train", tokenizer), read_preferences(folder, "valid", tokenizer), general
        )
    return SplitRows(
        read_rows(folder, "train", tokenizer, config), read_rows(folder, "valid", tokenizer, config), general
    )


def _row(point: TrainPoint | ValidPoint) -> dict[str, Any]:
    return {"kind": "train" if isinstance(point, TrainPoint) else "valid", **point.model_dump()}
