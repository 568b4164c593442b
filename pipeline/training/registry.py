"""Runs on disk: `.sitetwin/runs/NAME/` with `run.json`, `metrics.jsonl`, `chart.png` and `checkpoints/`.

A run's folder is made once, and no other run ever writes into it.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import psutil
from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from pipeline import files
from pipeline.adapters import AdapterCard, adapters_directory, is_adapter_name
from pipeline.errors import SitetwinError
from pipeline.measured import Measured, Number
from pipeline.processes.endpoint import is_running
from pipeline.settings import Mode, Settings, Visibility
from pipeline.training.config import Preset, TrainingConfig
from pipeline.training.curves import Curves, Forgetting, RateTrial
from pipeline.training.verdict import CurveVerdict

RECORD, METRICS, CHART, CHECKPOINTS = "run.json", "metrics.jsonl", "chart.png", "checkpoints"
LOCK = ".training.lock"
"""The lock in the folder of all runs: only one run trains at a time."""
FOLLOW_LOCK = ".following.lock"
"""The lock in the folder of all runs for those that a service trains: only one is followed at a time."""
RunState = Literal["running", "stopped", "killed", "failed", "cancelled", "done"]
OPEN: tuple[RunState, ...] = ("stopped", "killed")
"""The states of a run that can be resumed."""


class RunScore(Measured):
    """The result of one evaluation of a run's adapter."""

    adapter: str
    """The run's adapter, or the one of its last weights."""
    asked: str
    """Which questions were asked: `held out`, `seen` (trained on), `golden`."""
    mode: Mode
    measure: str = "score"
    """The measure's key; `score`: that of older versions, the words and specifics of a good answer."""
    questions: int
    """How many questions were asked."""
    mean: Number
    """The measure's figure, from 0 to 1."""
    by_kind: dict[str, Number] = Field(default_factory=dict)


class RemoteJob(BaseModel):
    """A job of OpenAI's fine-tuning, and how far it is. Each step is recorded before the next one begins."""

    url: str
    """The server's address."""
    model: str
    """The model that is fine-tuned."""
    token: str
    """Stands in the names of the files and in the job, so that they are found again after a kill."""
    tokens: int
    """The training tokens as they were estimated, over all epochs."""
    training_file: str = ""
    validation_file: str = ""
    """The server's ids; empty: not uploaded."""
    job: str = ""
    """The server's id; empty: not begun."""
    status: str = ""
    """The server's word for the job's state."""
    last_event: str = ""
    """The id of the newest event that was shown."""
    trained_tokens: int | None = None
    """The tokens that are billed; None: the job has not ended."""
    fine_tuned_model: str = ""
    """The server's name for the new model; empty: there is none yet."""


class Run(BaseModel):
    """What a run was made of, and what came of it."""

    name: str
    preset: Preset
    config: TrainingConfig
    """The configuration with everything decided, including the seed."""
    remote: RemoteJob | None = None
    """The job at a service; None: it is trained here."""
    begun_from: str | None = None
    """The adapter that it goes on from; None: a new one."""
    data_set: int
    data_visibility: Visibility
    rows: dict[Literal["train", "valid"], int]
    visibility: Visibility
    """The visibility of the adapter."""
    base: str
    """The base model, as `[models] chat` named it."""
    base_hash: str
    made_at: datetime
    warnings: list[str] = []
    state: RunState = "running"
    pid: int = 0
    process_started: float = 0
    """When the process started, in seconds since the epoch. It tells apart processes that had the same id."""
    iteration: int = 0
    """The iteration of the last evaluation or checkpoint."""
    rates: list[RateTrial] = []
    """The learning rates that were tried before it; empty: none were."""
    curves: Curves = Curves()
    forgetting: Forgetting | None = None
    verdict: CurveVerdict | None = None
    scores: list[RunScore] = []
    error: str = ""
    ended_at: datetime | None = None

    @property
    def per_epoch(self) -> int:
        """The iterations in an epoch."""
        return self.rows["train"] // self.config.batch_size

    @property
    def unit(self) -> str:
        """The unit of its losses."""
        return "nats a token" if self.config.method == "sft" else "nats"

    @property
    def last_adapter(self) -> str | None:
        """The name of the adapter made of the last weights; None: they are not kept."""
        return f"{self.name}-last" if self.config.keep_last else None

    @property
    def card(self) -> AdapterCard:
        """The card of the adapter that it makes."""
        return AdapterCard(
            base=self.base, base_hash=self.base_hash, visibility=self.visibility, dataset=self.data_set, run=self.name
        )

    def is_alive(self, lock: Path) -> bool:
        """Whether its process is still training; that process holds the file `lock`."""
        return is_running(self.pid, self.process_started, lock)

    def begin(self) -> None:
        """Notes that this process trains it now."""
        self.state, self.error, self.ended_at = "running", "", None
        self.pid = os.getpid()
        self.process_started = psutil.Process().create_time()

    def end(self, state: RunState, error: str = "") -> None:
        """Notes that it has ended in `state`, and the error that ended it, if any."""
        self.state, self.error, self.ended_at = state, error, datetime.now(UTC)


def runs_directory(settings: Settings) -> Path:
    """The folder of all runs."""
    return settings.state / "runs"


def run_folder(settings: Settings, name: str) -> Path:
    """The folder of the run `name`."""
    return runs_directory(settings) / name


@contextmanager
def alone(settings: Settings, lock: str, busy: str) -> Iterator[None]:
    """Holds `LOCK` or `FOLLOW_LOCK`.

    Args:
        settings: the site's settings.
        lock: the lock's name.
        busy: what an error says if another process holds it.

    Raises:
        SitetwinError: another process holds it.
    """
    directory = runs_directory(settings)
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(directory / lock, timeout=1):
            yield
    except Timeout:
        raise SitetwinError(busy) from None


def create(settings: Settings, run: Run) -> None:
    """Makes a folder for a new run and writes its record.

    Raises:
        SitetwinError: the name is taken, or can't be the name of a folder.
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


def free_name(settings: Settings, kind: str) -> str:
    """The name of a new run: its kind with the lowest number that neither a run nor an adapter has, such as `best-1`.

    Args:
        settings: the site's settings.
        kind: the preset, or the method if that is another than answers (`dpo`).
    """
    number = 1
    while any(
        (folder / f"{kind}-{number}").exists() for folder in (runs_directory(settings), adapters_directory(settings))
    ):
        number += 1
    return f"{kind}-{number}"


def write(settings: Settings, run: Run) -> None:
    """Writes the run's record."""
    files.write_text(run_folder(settings, run.name) / RECORD, run.model_dump_json(indent=2) + "\n")


def keep_scores(settings: Settings, name: str, scores: Sequence[RunScore]) -> Run:
    """Adds `scores` to the record of the run `name`. They replace older ones of the same adapter, questions and mode.

    Raises:
        SitetwinError: there is no such run.
    """
    run = find(settings, name)
    new = {(score.adapter, score.asked, score.mode): score for score in (*run.scores, *scores)}
    run.scores = list(new.values())
    write(settings, run)
    return run


def find(settings: Settings, name: str) -> Run:
    """The run called `name`.

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
    """The runs whose record can't be read, by name, each with what is wrong and what to do."""
    return {name: why for name, why in sorted(_read_all(settings).items()) if isinstance(why, str)}


def resumable(settings: Settings, name: str | None = None) -> Run:
    """The run called `name`, or the newest one that was interrupted. A failed run can't be resumed, as it would fail again.

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
    if run.state == "running" and not run.is_alive(folder.parent / (FOLLOW_LOCK if run.remote else LOCK)):
        run.state = "killed"
    return run
