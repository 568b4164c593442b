"""Runs on disk: `.sitetwin/runs/NAME/` with `run.json`, `metrics.jsonl`, `chart.png` and `checkpoints/`.

A run's folder is made once and never written over by another run.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from pydantic import BaseModel, Field, ValidationError

from pipeline import files
from pipeline.adapters import adapters_directory, is_adapter_name
from pipeline.errors import SitetwinError
from pipeline.measured import Measured, Number
from pipeline.processes.endpoint import is_running
from pipeline.settings import Mode, Settings, Visibility
from pipeline.training.config import Preset, TrainingConfig
from pipeline.training.curves import Curves, Forgetting
from pipeline.training.verdict import Verdict

RECORD, METRICS, CHART, CHECKPOINTS = "run.json", "metrics.jsonl", "chart.png", "checkpoints"
LOCK = ".training.lock"
"""In the folder of all runs: one trains at a time."""
State = Literal["running", "stopped", "killed", "failed", "done"]
OPEN: tuple[State, ...] = ("stopped", "killed")
"""Those that can be gone on with."""


class RunScore(Measured):
    """What an evaluation gave, by whichever room asked the questions."""

    adapter: str
    """The run's, or the one of its last weights."""
    asked: str
    """Which questions: `held out`, `seen` (trained on), `golden`."""
    mode: Mode
    questions: int
    mean: Number
    """0 to 1."""
    by_kind: dict[str, Number] = Field(default_factory=dict)


class Run(BaseModel):
    """What a run was made of, and what came of it."""

    name: str
    preset: Preset
    config: TrainingConfig
    """With everything decided; the seed is in it."""
    data_set: int
    data_visibility: Visibility
    rows: dict[Literal["train", "valid"], int]
    visibility: Visibility
    """Of the adapter."""
    base: str
    base_hash: str
    made_at: datetime
    warnings: list[str] = []
    state: State = "running"
    pid: int = 0
    process_started: float = 0
    """In seconds since the epoch: process ids are used again."""
    iteration: int = 0
    """Of the last evaluation or checkpoint."""
    curves: Curves = Curves()
    forgetting: Forgetting | None = None
    verdict: Verdict | None = None
    scores: list[RunScore] = []
    error: str = ""
    ended_at: datetime | None = None

    @property
    def per_epoch(self) -> int:
        """Iterations in an epoch."""
        return self.rows["train"] // self.config.batch_size

    @property
    def last_adapter(self) -> str | None:
        """What the adapter of the last weights is called; None: they are not kept."""
        return f"{self.name}-last" if self.config.keep_last else None

    def is_alive(self, lock: Path) -> bool:
        """Whether its process still trains it; it holds `lock`."""
        return is_running(self.pid, self.process_started, lock)

    def begin(self) -> None:
        """This process trains it now."""
        self.state, self.error, self.ended_at = "running", "", None
        self.pid = os.getpid()
        self.process_started = psutil.Process().create_time()

    def end(self, state: State, error: str = "") -> None:
        self.state, self.error, self.ended_at = state, error, datetime.now(UTC)


def runs_directory(settings: Settings) -> Path:
    return settings.state / "runs"


def run_folder(settings: Settings, name: str) -> Path:
    return runs_directory(settings) / name


def create(settings: Settings, run: Run) -> None:
    """A folder of its own for a new run.

    Raises:
        SitetwinError: the name is taken, or can't be a folder's.
    """
    if not is_adapter_name(run.name):
        raise SitetwinError(f"{run.name!r} is no name for a run: take letters, digits, dots and hyphens")
    if broken := unreadable_runs(settings).get(run.name):
        raise SitetwinError(broken)
    folder = run_folder(settings, run.name)
    names = filter(None, (run.name, run.last_adapter))
    if folder.exists() or any((adapters_directory(settings) / name).exists() for name in names):
        raise SitetwinError(f"there is a run or an adapter {run.name!r} already: give another --name")
    folder.mkdir(parents=True)
    write(settings, run)


def free_name(settings: Settings, preset: Preset) -> str:
    """`best-1`, or the next number that neither a run nor an adapter has."""
    number = 1
    while any(
        (folder / f"{preset}-{number}").exists() for folder in (runs_directory(settings), adapters_directory(settings))
    ):
        number += 1
    return f"{preset}-{number}"


def write(settings: Settings, run: Run) -> None:
    files.write_text(run_folder(settings, run.name) / RECORD, run.model_dump_json(indent=2) + "\n")


def keep_scores(settings: Settings, name: str, scores: Sequence[RunScore]) -> Run:
    """Puts `scores` into the record of the run `name`, in place of older ones of the same adapter, questions and mode.

    Raises:
        SitetwinError: there is no such run.
    """
    run = find(settings, name)
    new = {(score.adapter, score.asked, score.mode): score for score in (*run.scores, *scores)}
    run.scores = list(new.values())
    write(settings, run)
    return run


def find(settings: Settings, name: str) -> Run:
    """The run of that name.

    Raises:
        SitetwinError: there is none, or its record can't be read.
    """
    run = next((run for run in runs(settings) if run.name == name), None)
    if run is None:
        if broken := unreadable_runs(settings).get(name):
            raise SitetwinError(broken)
        raise SitetwinError(f"there is no run {name!r}: `sitetwin runs` lists them")
    return run


def runs(settings: Settings) -> list[Run]:
    """All runs whose record can be read, oldest first. A run is `killed` if it says `running` and its process is gone."""
    return sorted((run for run in _read_all(settings).values() if isinstance(run, Run)), key=lambda run: run.made_at)


def unreadable_runs(settings: Settings) -> dict[str, str]:
    """By name, each run whose record can't be read: what is wrong and what to do."""
    return {name: why for name, why in sorted(_read_all(settings).items()) if isinstance(why, str)}


def resumable(settings: Settings, name: str | None = None) -> Run:
    """The run of that name, or the newest one that was interrupted; one that failed would fail again.

    Raises:
        SitetwinError: there is none, or it has ended or is running.
    """
    if name is None:
        open_runs = [run for run in runs(settings) if run.state in OPEN]
        if not open_runs:
            raise SitetwinError("no run was interrupted, so there is none to go on with: run `sitetwin train`")
        return open_runs[-1]
    run = find(settings, name)
    if run.state not in OPEN:
        raise SitetwinError(f"the run {name!r} is {run.state}: `sitetwin train` starts a new one")
    return run


def _read_all(settings: Settings) -> dict[str, Run | str]:
    """By the name of its folder, each run, or the reason why its record can't be read."""
    return {path.parent.name: _read(path.parent) for path in runs_directory(settings).glob(f"*/{RECORD}")}


def _read(folder: Path) -> Run | str:
    try:
        run = Run.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is no record of a run"
        return f"{folder / RECORD} can't be read ({what}): put back a copy of it, or remove {folder}"
    if run.state == "running" and not run.is_alive(folder.parent / LOCK):
        run.state = "killed"
    return run
