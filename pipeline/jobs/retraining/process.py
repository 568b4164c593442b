"""The job's own process: `python -m pipeline.jobs.retraining.process FILE`, started by `launch`."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.jobs.retraining.job import Tracker, lock_file, read_job
from pipeline.settings import load_settings
from pipeline.surroundings import keep_private


def stay_awake(system: str = sys.platform, program: str = "caffeinate") -> "subprocess.Popen[bytes] | None":
    """Keeps a Mac awake for as long as this process lives; a closed lid still puts it to sleep. None on other systems.

    Args:
        system: `sys.platform`.
        program: the program that keeps a Mac awake.
    """
    if system != "darwin":
        return None
    return subprocess.Popen([program, "-i", "-w", str(os.getpid())], stdin=subprocess.DEVNULL)


def main() -> None:
    """Takes over the job that is recorded for the settings file in `sys.argv[1]`, and does it."""
    stop = threading.Event()

    def cancelled(number: int, _: object) -> None:
        stop.set()
        # A second signal ends it at once.
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, cancelled)
    settings = load_settings(Path(sys.argv[1]))
    keep_private(settings.state)
    job = read_job(settings)
    lock = FileLock(lock_file(settings))
    try:
        # A process that only checks whether the lock is held releases it at once.
        lock.acquire(timeout=1)
    except Timeout:
        sys.exit("another retraining is under way: `sitetwin retrain status` shows it")
    if job is None:
        sys.exit("nothing was asked for: run `sitetwin retrain`")
    stay_awake()
    job.take_over()
    tracker = Tracker(settings, job)
    tracker.write()
    # The process that started this one waits until the pipe on stdout is closed.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from pipeline.weights import blas

    blas.preload(settings.engine.threads)
    from pipeline.jobs.retraining.steps import retrain

    retrain(settings, tracker, stop.is_set)


if __name__ == "__main__":
    main()
