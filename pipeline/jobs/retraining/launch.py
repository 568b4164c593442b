"""Starts and ends the job. The job outlives whatever started it: shell, terminal or MCP server."""

import subprocess
import sys
from datetime import UTC, datetime

import psutil
from filelock import FileLock

from pipeline.errors import ServiceError, SitetwinError
from pipeline.jobs.retraining.job import RetrainingJob, RetrainingRequest, job_file, log_file, read_job, write_job
from pipeline.processes.logs import last_line, open_log
from pipeline.settings import Settings
from pipeline.surroundings import environment, python_module

_ORPHAN = "import subprocess, sys; subprocess.Popen(sys.argv[1:])"
"""A program that starts the job and ends, so that the job is nobody's child. An MCP client may end its server with all
child processes, and must not end the training."""


def start(settings: Settings, request: RetrainingRequest) -> tuple[RetrainingJob, bool]:
    """Starts a job unless one is under way; there is only one at a time.

    Returns:
        The job under way, and whether it is new.

    Raises:
        SettingsError: the request names an unknown key, or an impossible value.
        SitetwinError: the request asks for a full fine-tune, which is no adapter.
        ServiceError: the process can't be started.
    """
    configured(settings, request)
    settings.state.mkdir(parents=True, exist_ok=True)
    with FileLock(job_file(settings).with_suffix(".start.lock")):
        before = read_job(settings)
        if before and before.state == "running":
            return before, False
        return _spawn(settings, _new(settings, request, before)), True


def cancel(settings: Settings) -> RetrainingJob:
    """Tells the job to stop. It ends after its current training step and keeps a checkpoint.

    Raises:
        SitetwinError: none is under way.
    """
    job = read_job(settings)
    if job is None or job.state != "running":
        ended = f" ({job.summary})" if job else ""
        raise SitetwinError(f"no retraining is under way{ended}: `sitetwin retrain` starts one")
    try:
        psutil.Process(job.pid).terminate()
    except psutil.NoSuchProcess:
        # It has ended by itself in the meantime.
        return read_job(settings) or job
    return job


def configured(settings: Settings, request: RetrainingRequest) -> None:
    """Checks the request's configuration.

    Raises:
        SettingsError: the request names an unknown key, or an impossible value.
        SitetwinError: it asks for a full fine-tune, which is no adapter.
    """
    from pipeline.training.config import configuration

    if configuration(request.preset, request.values).fine_tune_type == "full":
        raise SitetwinError(
            "a full fine-tune is no adapter that can be promoted: leave fine_tune_type out, or run `sitetwin train`"
        )


def _new(settings: Settings, request: RetrainingRequest, before: RetrainingJob | None) -> RetrainingJob:
    """The record of a new job. It names this process until the job's own process takes over."""
    me = psutil.Process()
    return RetrainingJob(
        number=before.number + 1 if before else 1,
        request=request,
        judged=before.judged if before else "",
        started_at=datetime.now(UTC),
        log=str(log_file(settings)),
        pid=me.pid,
        process_started=me.create_time(),
    )


def _spawn(settings: Settings, job: RetrainingJob) -> RetrainingJob:
    write_job(settings, job)
    with open_log(log_file(settings)) as log:
        offset = log.tell()
        process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-c", _ORPHAN),
                *python_module("pipeline.jobs.retraining.process", str(settings.file)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env=environment(),
            start_new_session=True,
        )
        # The pipe closes when the job's process has taken over, or when it dies.
        process.communicate()
    taken = read_job(settings)
    if taken is None or taken.pid == job.pid:
        job.state, job.text = "failed", f"it did not start: {last_line(log_file(settings), offset)} (log: {job.log})"
        write_job(settings, job)
        raise ServiceError(job.summary)
    return taken
