"""Starts and ends the job. It outlives whoever started it: shell, terminal or MCP server."""

import subprocess
import sys
from datetime import UTC, datetime

import psutil
from filelock import FileLock

from pipeline.errors import ServiceError, SitetwinError
from pipeline.jobs.retraining.job import Job, Request, job_file, log_file, read_job, write_job
from pipeline.processes.logs import last_line, open_log
from pipeline.settings import Settings
from pipeline.surroundings import environment, python_module

_ORPHAN = "import subprocess, sys; subprocess.Popen(sys.argv[1:])"
"""Starts the job and ends, so that the job is nobody's child: a client that ends an MCP server and all that this has
started must not end the training."""


def start(settings: Settings, request: Request) -> tuple[Job, bool]:
    """The job under way and whether it is a new one: there is only one at a time.

    Raises:
        SettingsError: the request names a key that is not known.
        ServiceError: the process can't be started.
    """
    configured(settings, request)
    settings.state.mkdir(parents=True, exist_ok=True)
    with FileLock(job_file(settings).with_suffix(".start.lock")):
        before = read_job(settings)
        if before and before.state == "running":
            return before, False
        return _spawn(settings, _new(settings, request, before)), True


def cancel(settings: Settings) -> Job:
    """Tells the job to stop: it ends after the step of training that it is in, and keeps a checkpoint.

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
        # It has come to its end by itself since.
        return read_job(settings) or job
    return job


def configured(settings: Settings, request: Request) -> None:
    """Raises:
    SettingsError: the request names a key that is not known, or a value that can't be.
    SitetwinError: it asks for what is no adapter.
    """
    from pipeline.training.config import configuration

    if configuration(request.preset, request.values).fine_tune_type == "full":
        raise SitetwinError(
            "a full fine-tune is no adapter that can be promoted: leave fine_tune_type out, or run `sitetwin train`"
        )


def _new(settings: Settings, request: Request, before: Job | None) -> Job:
    """Under the name of this process, until the job's own takes it over."""
    me = psutil.Process()
    return Job(
        number=before.number + 1 if before else 1,
        request=request,
        judged=before.judged if before else "",
        started_at=datetime.now(UTC),
        log=str(log_file(settings)),
        pid=me.pid,
        process_started=me.create_time(),
    )


def _spawn(settings: Settings, job: Job) -> Job:
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
        # The job's process closes its end once it has taken over, or by dying.
        process.communicate()
    taken = read_job(settings)
    if taken is None or taken.pid == job.pid:
        job.state, job.text = "failed", f"it did not start: {last_line(log_file(settings), offset)} (log: {job.log})"
        write_job(settings, job)
        raise ServiceError(job.summary)
    return taken
