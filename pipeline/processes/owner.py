"""What every owner process does beside its work: hold the lock, say where it is, go when idle."""

import os
import secrets
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.processes.endpoint import RunFiles
from pipeline.surroundings import keep_private


class Idleness:
    """Counts the pauses in which nobody used a resource; a clock would count the sleep of the machine too."""

    def __init__(self, limit: float) -> None:
        """
        Args:
            limit: seconds.
        """
        self.pause = min(5.0, limit / 4)
        """Seconds to wait before each look."""
        self._limit, self._idle = limit, 0.0
        self._last: int | None = None

    def is_over(self, last_use: int | None) -> bool:
        """Whether there was no use for so long, as seen after one more pause."""
        self._idle = 0.0 if last_use != self._last else self._idle + self.pause
        self._last = last_use
        return self._idle >= self._limit


class Owner:
    """Held by the main function of an owner process for as long as it lives."""

    def __init__(self, run_directory: Path, name: str, idle_minutes: float) -> None:
        keep_private(run_directory.parent)
        self.files = RunFiles(run_directory, name)
        self._idle_seconds = idle_minutes * 60
        self._lock = FileLock(self.files.owner_lock)
        try:
            # An owner that is just ending may need a moment to let go.
            self._lock.acquire(timeout=10)
        except Timeout:
            sys.exit(f"another {name} process owns {run_directory}: end that one first")
        # Of an owner that is gone: who finds the file and the lock held finds this process.
        self.files.endpoint_path.unlink(missing_ok=True)
        self.files.touch()
        self.token = secrets.token_urlsafe(32)
        """Whoever can read the endpoint's file has it, and nobody else."""

    def publish_when(self, answers: Callable[[], bool], port: int, **details: str) -> None:
        """In the background: wait until `answers()`, publish the endpoint, then watch for idleness and end."""
        threading.Thread(target=self._watch, args=(answers, port, details), daemon=True).start()

    def _watch(self, answers: Callable[[], bool], port: int, details: dict[str, str]) -> None:
        pause = threading.Event()
        while not answers():
            pause.wait(0.05)
        self.files.publish(port, details, token=self.token)
        idle = Idleness(self._idle_seconds)
        while not idle.is_over(self.files.last_use()):
            pause.wait(idle.pause)
        print(f"idle for {self._idle_seconds / 60:g} minutes: ending", file=sys.stderr, flush=True)
        # The main thread is inside a server's loop that offers no way to end it from another thread.
        os._exit(0)
