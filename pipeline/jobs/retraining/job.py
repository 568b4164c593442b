"""The record of a retraining, `.sitetwin/retrain.json`. The job's process writes it, and everyone else reads it."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, Field, ValidationError, computed_field

from pipeline import files
from pipeline.errors import SitetwinError
from pipeline.evaluation.comparing import Comparison
from pipeline.measured import Measured
from pipeline.processes.endpoint import is_running
from pipeline.settings import Settings
from pipeline.training.config import Preset

FILE = "retrain.json"
RetrainingState = Literal["running", "done", "cancelled", "failed", "died"]
Outcome = Literal["promoted", "kept", "unchanged"]
Step = Literal["data set", "training", "comparison"]
STEPS: tuple[Step, ...] = ("data set", "training", "comparison")

WRITE_SECONDS = 1.0
"""The least time between two writes of the file within a step."""


class RetrainingRequest(BaseModel):
    """What the owner or agent who started the job wants."""

    preset: Preset = "best"
    values: dict[str, Any] = {}
    """mlx-lm's keys, over the preset."""
    force: bool = False
    """Whether to train even if nothing has changed."""


class RetrainingJob(Measured):
    """The record of a retraining."""

    number: int
    """Counted from 1 in this site."""
    state: RetrainingState = "running"
    outcome: Outcome | None = None
    """The result of a job that is done: the new adapter was promoted, it was only kept, or there was nothing to do."""
    text: str = ""
    """What came of it, or why it ended, with the next step to take."""
    request: RetrainingRequest
    step: Step = "data set"
    unit: str = ""
    """What `done` and `total` count: tasks, pairs, iterations or answers."""
    done: int = 0
    total: int = 0
    """0: it is not known yet."""
    loss: float | None = None
    """The loss of the last training iteration, in nats a token."""
    seconds_left: float | None = None
    """How long this step will take at most; training may end early."""
    data_set: int | None = None
    """The version of the data set."""
    asked: int | None = None
    """How many requests the teacher got. What it answered earlier is kept and not asked again."""
    run: str = ""
    """The run that trains the adapter. `train --resume` and `promote` take this name."""
    resumed: bool = False
    """Whether the run was begun by an earlier job that was cancelled or died."""
    comparisons: list[Comparison] = Field(default_factory=list)
    """The comparisons with the adapter that was promoted before, or with the base; one for each mode and measure."""
    evaluation: int | None = None
    """The number of the evaluation that they come from; `sitetwin eval report` takes it."""
    judged: str = ""
    """A hash of the adapters and questions of the last comparison, by this job or an earlier one."""
    started_at: datetime
    ended_at: datetime | None = None
    log: str
    pid: int
    process_started: float
    """When the process started, in seconds since the epoch. It tells apart processes that had the same id."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def summary(self) -> str:
        """The state in one line, for a person or an agent."""
        name = f"retraining {self.number}"
        if self.state != "running":
            return f"{name}: {self.state}; {self.text}"
        counted = f", {self.done} of {self.total} {self.unit}" if self.total else ""
        loss = f", loss {self.loss:.3f}" if self.loss is not None and self.step == "training" else ""
        left = f", about {_minutes(self.seconds_left)} left" if self.seconds_left is not None else ""
        run = f" of {self.run}" if self.run else ""
        return f"{name}: step {STEPS.index(self.step) + 1} of {len(STEPS)}, {self.step}{run}{counted}{loss}{left}"

    def is_alive(self, lock: Path) -> bool:
        """Whether its process is still working; that process holds the file `lock`."""
        return is_running(self.pid, self.process_started, lock)

    def take_over(self) -> None:
        """Notes that this process does the work from now on."""
        self.state, self.text = "running", ""
        self.pid, self.process_started = os.getpid(), psutil.Process().create_time()


def job_file(settings: Settings) -> Path:
    """The file of the record."""
    return settings.state / FILE


def lock_file(settings: Settings) -> Path:
    """The lock that the job's process holds as long as it lives."""
    return job_file(settings).with_suffix(".lock")


def log_file(settings: Settings) -> Path:
    """The log of the job's process."""
    return settings.log_directory / "retrain.log"


def read_job(settings: Settings) -> RetrainingJob | None:
    """The job under way, else the last one; None: there never was one. A running job whose process is gone has `died`.

    Raises:
        SitetwinError: the file can't be read.
    """
    file = job_file(settings)
    if not file.is_file():
        return None
    try:
        job = RetrainingJob.model_validate_json(file.read_bytes())
    except ValidationError:
        raise SitetwinError(f"{file} can't be read: remove it, then run `sitetwin retrain`") from None
    if job.state == "running" and not job.is_alive(lock_file(settings)):
        job.state = "died"
        job.text = f"its process ended in the step {job.step}: `sitetwin retrain` goes on from there; see {job.log}"
    return job


def write_job(settings: Settings, job: RetrainingJob) -> None:
    """Writes the record."""
    files.write_text(job_file(settings), job.model_dump_json(indent=2) + "\n")


class Tracker:
    """Keeps the record up to date, in the process that does the work."""

    def __init__(self, settings: Settings, job: RetrainingJob) -> None:
        self.settings, self.job = settings, job
        self._written = 0.0
        self._began = (0, 0.0)
        """What was done when this part of the step began, and the time. Work of an earlier process must not count as
        pace."""

    def begin(self, step: Step, unit: str = "", total: int = 0, done: int = 0) -> None:
        """Notes that a step, or a new part of it, begins.

        Args:
            step: the step.
            unit: what is counted.
            total: how much there is to do; 0: it is not known.
            done: how much was done before.
        """
        self.job.step, self.job.unit, self.job.total, self.job.done = step, unit, total, done
        self.job.loss = self.job.seconds_left = None
        self._began = (done, time.monotonic())
        self.write()

    def advance(self, done: int, loss: float | None = None) -> None:
        """Notes that `done` units are done, and the loss of a training iteration in nats a token."""
        first, began = self._began
        self.job.done, self.job.loss = done, loss
        if done > first:
            self.job.seconds_left = (time.monotonic() - began) / (done - first) * (self.job.total - done)
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.write()

    def end(self, state: RetrainingState, text: str, outcome: Outcome | None = None) -> None:
        """Notes that the job has ended, with a text for people."""
        self.job.state, self.job.text, self.job.outcome = state, text, outcome
        self.job.seconds_left = None
        self.job.ended_at = datetime.now(UTC)
        self.write()

    def write(self) -> None:
        """Writes the record at once."""
        write_job(self.settings, self.job)
        self._written = time.monotonic()


def _minutes(seconds: float) -> str:
    if seconds < 60:
        return "a minute"
    if seconds < 3600:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.1f} hours"
