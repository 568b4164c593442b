"""What every owner process does beside its work: it holds the lock, publishes its address and ends when idle."""

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
    """Counts the pauses in which nobody used a resource. A clock would also count the time that the machine slept."""

    def __init__(self, limit: float) -> None:
        """
        Args:
            limit: the idle time in seconds.
        """
        self.pause = min(5.0, limit / 4)
        """How many seconds to wait before each call of `is_over`."""
        self._limit, self._idle = limit, 0.0
        self._last: int | None = None

    def is_over(self, last_use: int | None) -> bool:
        """Counts one more pause. Returns whether the resource was unused for the limit.

        Args:
            last_use: as `RunFiles.last_use` returns it.
        """
        self._idle = 0.0 if last_use != self._last else self._idle + self.pause
        self._last = last_use
        return self._idle >= self._limit


class Owner:
    """The main function of an owner process holds it for as long as it lives.

    It ends the process if another owner does not let go of the lock within 10 seconds.
    """

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
        # The file of an earlier owner: together with the held lock it would be taken for this process's own.
        self.files.endpoint_path.unlink(missing_ok=True)
        self.files.touch()
        self.token = secrets.token_urlsafe(32)
        """The secret that callers must send. Only those who can read the endpoint's file know it."""

    def publish_when(self, answers: Callable[[], bool], port: int, **details: str) -> None:
        """In a background thread: waits until `answers()`, publishes the endpoint, and ends the process when idle."""
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
        # The main thread runs a server's loop, which another thread can't end.
        os._exit(0)
