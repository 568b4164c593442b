"""A run from beginning to end: checked, trained, judged, and its adapter put where the engine finds it.

Import this after `blas.preload()`.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import mlx.core as mx
from filelock import FileLock, Timeout
from mlx_lm.utils import load_config, load_model, load_tokenizer

from pipeline import files, jsonl
from pipeline.adapters import CONFIG, WEIGHTS, Card, adapters_directory, base_hash, write_card
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SitetwinError
from pipeline.settings import Settings, Visibility
from pipeline.training import registry
from pipeline.training.chart import draw
from pipeline.training.checkpoint import Progress, weights_of
from pipeline.training.checks import check_base, check_rows, check_visibility, fit_memory
from pipeline.training.config import Preset, TrainingConfig, Values, configuration
from pipeline.training.curves import Forgetting, TrainPoint, ValidPoint
from pipeline.training.data import TokenRow, read_rows
from pipeline.training.forgetting import general_loss, general_rows
from pipeline.training.loop import StoppedError, Trainer
from pipeline.training.memory import free_memory
from pipeline.training.registry import CHART, CHECKPOINTS, METRICS, Run
from pipeline.training.report import write_report
from pipeline.training.setup import make_optimizer
from pipeline.training.verdict import judge
from pipeline.weights.demo import DEMO
from pipeline.weights.locating import weights_folder


@dataclass(frozen=True, slots=True)
class Rows:
    train: list[TokenRow]
    valid: list[TokenRow]
    general: list[TokenRow]
    """Text that has nothing to do with the notes."""


class Screen(Protocol):
    """Who is told what happens."""

    def say(self, text: str) -> None: ...

    def start(self, run: Run) -> None: ...

    def step(self, iteration: int, loss: float) -> None: ...

    def point(self, point: TrainPoint | ValidPoint) -> None: ...


class Recorder:
    """Keeps what the loop reports: lines in metrics.jsonl, curves in run.json, the chart."""

    def __init__(self, settings: Settings, run: Run, screen: Screen) -> None:
        self.settings, self.run, self.screen = settings, run, screen
        self.folder = registry.run_folder(settings, run.name)

    def go_on_from(self, progress: Progress) -> None:
        """Forgets what was reported after the checkpoint: it comes again."""
        points: list[TrainPoint | ValidPoint] = [*progress.curves.train, *progress.curves.valid]
        points.sort(key=lambda point: (point.iteration, isinstance(point, ValidPoint)))
        jsonl.write(self.folder / METRICS, map(_row, points))
        self._keep(progress)

    def step(self, iteration: int, loss: float) -> None:
        self.screen.step(iteration, loss)

    def trained(self, point: TrainPoint) -> None:
        self._append(point)

    def evaluated(self, point: ValidPoint, progress: Progress) -> None:
        self._append(point)
        self._keep(progress)
        draw({self.run.name: progress.curves}, self.folder / CHART, self.run.name, self.run.per_epoch)

    def _append(self, point: TrainPoint | ValidPoint) -> None:
        jsonl.append(self.folder / METRICS, [_row(point)])
        self.screen.point(point)

    def _keep(self, progress: Progress) -> None:
        self.run.curves, self.run.iteration = progress.curves, progress.iteration
        registry.write(self.settings, self.run)


def start(
    settings: Settings,
    screen: Screen,
    *,
    preset: Preset = "best",
    values: Values | None = None,
    name: str | None = None,
    data_set: int | None = None,
    visibility: Visibility | None = None,
    is_memory_checked: bool = True,
    stop: Callable[[], bool] = lambda: False,
) -> Run:
    """A new run; it returns when it has ended or `stop()` said so.

    Raises:
        SitetwinError: a check failed (then nothing was written), another run is under way, or the loss broke.
    """
    config = configuration(preset, values or {}, is_demo=settings.models.chat == DEMO)
    folder = version_folder(settings, data_set)
    card = read_card(folder)
    visibility = visibility or settings.dataset.visibility
    check_visibility(visibility, card.visibility, card.version)
    with _alone(settings):
        base = base_folder(settings)
        rows = _rows(folder, base, config)
        train, valid = rows.train, rows.valid
        warnings = check_base(base, config) + check_rows(train, valid, config)
        if config.fine_tune_type == "full":
            warnings.append(
                "a full fine-tune is no adapter that the engine swaps in: `sitetwin export` makes a model of it"
            )
        config = config.for_rows(len(train))
        make_optimizer(config)
        if is_memory_checked:
            words, config = fit_memory(base, [*train, *valid], config, free_memory())
            screen.say(words)
        for warning in warnings:
            screen.say(warning)
        run = Run(
            name=name or registry.free_name(settings, preset),
            preset=preset,
            config=config,
            data_set=card.version,
            data_visibility=card.visibility,
            rows={"train": len(train), "valid": len(valid)},
            visibility=visibility,
            base=settings.models.chat,
            base_hash=base_hash(base),
            made_at=datetime.now(UTC),
            warnings=warnings,
        )
        run.begin()
        registry.create(settings, run)
        return _train(settings, run, base, rows, screen, stop)


def resume(
    settings: Settings, screen: Screen, name: str | None = None, stop: Callable[[], bool] = lambda: False
) -> Run:
    """Goes on from the last checkpoint of the run `name`, or of the newest that did not end.

    Raises:
        SitetwinError: there is none, its data set or its base is no longer what it was, or another run is under way.
    """
    with _alone(settings):
        run = registry.resumable(settings, name)
        base = base_folder(settings)
        if base_hash(base) != run.base_hash:
            raise SitetwinError(
                f"the run {run.name!r} was begun on {run.base!r}, other weights than those of {settings.models.chat!r}: "
                "set [models] chat to that model, or start a new run"
            )
        rows = _rows(version_folder(settings, run.data_set), base, run.config)
        run.begin()
        return _train(settings, run, base, rows, screen, stop)


def base_folder(settings: Settings) -> Path:
    """Where the weights are that `[models] chat` names.

    Raises:
        SitetwinError: the name is a server's, or the weights can't be had.
    """
    if settings.engine.url:
        raise SitetwinError(
            f"[models] chat is the name of a model at {settings.engine.url}, and its weights can't be trained here: "
            "set [models] chat to an MLX model, and take engine.url out if it is set"
        )
    return weights_folder(settings.models.chat)


def _train(settings: Settings, run: Run, base: Path, rows: Rows, screen: Screen, stop: Callable[[], bool]) -> Run:
    recorder = Recorder(settings, run, screen)
    try:
        model, _ = load_model(base)
        trainer = Trainer(model, rows.train, rows.valid, run.config, recorder.folder / CHECKPOINTS)
        if not trainer.progress.iteration:
            run.forgetting = Forgetting(before=general_loss(trainer, rows.general, stop))
        recorder.go_on_from(trainer.progress)
        screen.start(run)
        is_whole = trainer.run(recorder, stop)
        run.curves, run.iteration = trainer.progress.curves, trainer.progress.iteration
        if is_whole:
            _finish(settings, run, trainer, rows.general)
    except StoppedError:
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
    """The adapter, what it has forgotten, and the verdict."""
    # Measured before it is published: weights that have become NaN are nobody's adapter.
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
    draw({run.name: run.curves}, chart, f"{run.name}: {run.verdict.name}", run.per_epoch)


def _record(settings: Settings, run: Run) -> None:
    registry.write(settings, run)
    write_report(settings, run)


def publish(settings: Settings, run: Run, weights: dict[str, mx.array], name: str | None = None) -> Path:
    """The adapter's folder as mlx-lm writes it, with its card, moved to its place whole.

    Args:
        name: of the adapter; None: the run's.
    """
    final = adapters_directory(settings) / (name or run.name)
    is_full = run.config.fine_tune_type == "full"
    config: dict[str, Any] = {
        **run.config.model_dump(), "model": run.base, **({"lora_parameters": None} if is_full else {})
    }  # fmt: skip
    card = Card(base=run.base, base_hash=run.base_hash, visibility=run.visibility, dataset=run.data_set, run=run.name)
    # What may be there is this run's own: a kill came between this step and the record of it.
    with files.new_folder(final, replace=True) as folder:
        mx.save_safetensors(str(folder / WEIGHTS), weights)
        (folder / CONFIG).write_text(json.dumps(config, indent=4, sort_keys=True) + "\n", encoding="utf-8")
        write_card(folder, card)
    return final


def _rows(folder: Path, base: Path, config: TrainingConfig) -> Rows:
    tokenizer = load_tokenizer(base, eos_token_ids=load_config(base).get("eos_token_id"))
    return Rows(
        train=read_rows(folder, "train", tokenizer, config),
        valid=read_rows(folder, "valid", tokenizer, config),
        general=general_rows(tokenizer),
    )


def _row(point: TrainPoint | ValidPoint) -> dict[str, Any]:
    return {"kind": "train" if isinstance(point, TrainPoint) else "valid", **point.model_dump()}


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """One run at a time: two would slow each other down more than twice."""
    directory = registry.runs_directory(settings)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(directory / registry.LOCK, timeout=1):
            yield
    except Timeout:
        raise SitetwinError("a run is under way: `sitetwin runs` shows it; wait for it or end it with Ctrl-C") from None
