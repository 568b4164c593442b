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
    """Keeps a Mac from falling asleep for as long as this process lives; a lid that is closed wins. None elsewhere."""
    if system != "darwin":
        return None
    return subprocess.Popen([program, "-i", "-w", str(os.getpid())], stdin=subprocess.DEVNULL)


def main() -> None:
    stop = threading.Event()

    def cancelled(number: int, _: object) -> None:
        stop.set()
        # The second time it ends at once.
        signal.signal(number, signal.SIG_DFL)

    signal.signal(signal.SIGTERM, cancelled)
    settings = load_settings(Path(sys.argv[1]))
    keep_private(settings.state)
    job = read_job(settings)
    lock = FileLock(lock_file(settings))
    try:
        # Whoever only asks whether it is held lets go at once.
        lock.acquire(timeout=1)
    except Timeout:
        sys.exit("another retraining is under way: `sitetwin retrain status` shows it")
    if job is None:
        sys.exit("nothing was asked for: run `sitetwin retrain`")
    stay_awake()
    job.take_over()
    tracker = Tracker(settings, job)
    tracker.write()
    # Whoever started this waits for the end of the output.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from pipeline.weights import blas

    blas.preload(settings.engine.threads)
    from pipeline.jobs.retraining.steps import retrain

    retrain(settings, tracker, stop.is_set)


if __name__ == "__main__":
    main()
