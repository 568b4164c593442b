"""Finds a shared process, or starts it."""

import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from filelock import FileLock, Timeout
from rich.console import Console

from pipeline.errors import ServiceError
from pipeline.processes.endpoint import Endpoint, RunFiles, end_family, get
from pipeline.processes.logs import last_line, open_log
from pipeline.surroundings import environment

SAY_SECONDS = 2.0
"""A start that takes longer is announced on stderr."""
_started: list[subprocess.Popen[bytes]] = []
"""The owners that this process started. It keeps their handles so that those that have ended are reaped."""


@dataclass(frozen=True)
class Service:
    """A process that owns a resource of one state directory."""

    name: str
    command: tuple[str, ...]
    state: Path
    start_seconds: float
    """The longest time that a start may take, in seconds."""
    details: Mapping[str, str] = field(default_factory=dict)
    """What the owner must have published. An owner with other details has older settings and is replaced."""
    waiting: str = ""
    """What takes the time during a start. It is shown on stderr if the start takes long."""
    health: str = ""
    """The path at which the owner tells its health; empty if it has none."""

    @property
    def files(self) -> RunFiles:
        """The files through which the owner is found."""
        return RunFiles(self.state / "run", self.name)

    @property
    def log(self) -> Path:
        """The file with the owner's output."""
        return self.state / "logs" / f"{self.name}.log"

    def find(self) -> Endpoint | None:
        """The endpoint of the living owner; None if there is no owner."""
        return self.files.find()

    def ensure(self, abandon: threading.Event | None = None, *, is_said: bool = True) -> Endpoint:
        """The running owner. It is started if there is none. The call counts as a use.

        Args:
            abandon: setting it ends a start that is under way.
            is_said: whether a long start is announced on stderr.

        Raises:
            ServiceError: it can't be started; the message names the log and its last line.
        """
        files = self.files
        files.touch()
        if endpoint := self._current(files):
            return endpoint
        try:
            with self._saying(is_said), FileLock(files.start_lock, timeout=self.start_seconds):
                if endpoint := self._current(files):
                    return endpoint
                if outdated := files.find():
                    self.stop(outdated)
                return self._start(files, abandon or threading.Event())
        except Timeout:
            raise ServiceError(
                f"another process has been starting {self.name} for {self.start_seconds:g} s: see {self.log}"
            ) from None

    @contextmanager
    def _saying(self, is_said: bool) -> Iterator[None]:
        """Announces a start that takes long, also one that another process has begun."""
        text = f"{self.waiting or f'starting {self.name}'} …"
        timer = threading.Timer(SAY_SECONDS, lambda: Console(stderr=True).print(text, highlight=False, soft_wrap=True))
        timer.daemon = True
        if is_said:
            timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _current(self, files: RunFiles) -> Endpoint | None:
        endpoint = files.find()
        return endpoint if endpoint and endpoint.details == self.details and not self.trouble(endpoint) else None

    def trouble(self, endpoint: Endpoint) -> str:
        """Why a living owner must be restarted, in its own words; "" if it is well, or too busy to answer."""
        if not self.health:
            return ""
        try:
            answer = get(f"{endpoint.url}{self.health}")
        except httpx.TransportError:
            return ""
        return str(answer.json().get("reason", "")) if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE else ""

    def _start(self, files: RunFiles, abandon: threading.Event) -> Endpoint:
        with open_log(self.log) as log:
            offset = log.tell()
            # The owner gets its own session: Ctrl-C in the terminal that started it must not end it for other users.
            process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment(),
                start_new_session=True,
            )
        _started[:] = [*(owner for owner in _started if owner.poll() is None), process]
        try:
            return self._wait_for_answer(files, process, offset, abandon)
        except BaseException:
            # Also after Ctrl-C: an owner that nobody waits for would hold the lock against the next one.
            if process.poll() is None:
                end_family(psutil.Process(process.pid))
                process.wait()
            raise

    def _wait_for_answer(
        self, files: RunFiles, process: "subprocess.Popen[bytes]", offset: int, abandon: threading.Event
    ) -> Endpoint:
        deadline = time.monotonic() + self.start_seconds
        while time.monotonic() < deadline and not abandon.is_set():
            if (endpoint := files.find()) and endpoint.pid == process.pid:
                return endpoint
            try:
                process.wait(timeout=0.05)
            except subprocess.TimeoutExpired:
                continue
            raise ServiceError(f"{self.name} ended at its start: {last_line(self.log, offset)} (log: {self.log})")
        if abandon.is_set():
            raise ServiceError(f"the start of {self.name} was abandoned: run the command again")
        raise ServiceError(f"{self.name} did not answer within {self.start_seconds:g} s: see {self.log}")

    def stop(self, endpoint: Endpoint) -> None:
        """Ends the process at `endpoint`, if it still runs."""
        if self.find() == endpoint:
            end_family(psutil.Process(endpoint.pid))
