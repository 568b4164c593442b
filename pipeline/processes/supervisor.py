"""Starts processes, watches them, restarts those that die, and stops exactly those that it started."""

import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

import psutil

from pipeline import surroundings
from pipeline.errors import ServiceError, SitetwinError
from pipeline.processes.endpoint import Endpoint, RunFiles, end_family
from pipeline.processes.logs import last_line, open_log
from pipeline.processes.service import Service

ProcessState = Literal["waiting", "starting", "ready", "restarting", "failed", "stopped"]

DIED = "died"
RESTARTS = 3
"""A process that dies more often than this within `RESTART_WINDOW_SECONDS` is not restarted, and reported as failed."""
RESTART_WINDOW_SECONDS = 120
CHILD_SUFFIX = ".child"
"""Distinguishes the supervisor's run files of a child from those that the child may publish itself."""
FIRST_PAUSE_SECONDS = 1.0
"""The pause before the first restart. Each further pause is twice as long."""
AFTER_SECONDS = 10.0
"""The longest wait for members that merely begin first."""


@dataclass
class ProcessRow:
    """One line of the screen."""

    name: str
    state: ProcessState = "waiting"
    text: str = ""
    url: str = ""
    waiting: str = ""
    """What takes the time during its start."""
    log: Path | None = None
    since: float = field(default_factory=time.monotonic)
    deaths: list[float] = field(default_factory=list)

    def become(self, state: ProcessState, text: str = "") -> None:
        """Changes the state. `text` says more about it."""
        self.state, self.text, self.since = state, text, time.monotonic()


class Member(Protocol):
    """A process under supervision."""

    row: ProcessRow

    def start(self) -> str:
        """Starts the process and waits until it answers.

        Returns:
            What else to show about it.

        Raises:
            ServiceError: it can't be started.
        """

    def trouble(self) -> str:
        """Why the process must be restarted; "" while it is well."""

    def stop(self) -> None:
        """Ends the process, if it was started here."""


class Shared:
    """A shared owner. If it runs already, it is used. It is kept from idling, and stopped only if it was started here."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.row = ProcessRow(service.name, log=service.log, waiting=service.waiting)
        self._endpoint: Endpoint | None = None
        self._is_ours = False
        self._abandon = threading.Event()

    def start(self) -> str:
        found = self.service.find()
        self._endpoint = self.service.ensure(self._abandon, is_said=False)
        self._is_ours = self._is_ours or found != self._endpoint
        self.row.url = self._endpoint.url
        return ""

    def trouble(self) -> str:
        self.service.files.touch()
        if self._endpoint is None or self.service.find() != self._endpoint:
            return DIED
        # If there is trouble, the start that follows replaces the owner.
        return self.service.trouble(self._endpoint)

    def stop(self) -> None:
        self._abandon.set()
        if self._is_ours and self._endpoint:
            self.service.stop(self._endpoint)


class Child:
    """A process of this supervisor alone.

    Args:
        log: the file for the output of the process.
        environment: variables for the process, over those of this one.
        check: raises a ServiceError if the process can't start now, for example because its port is taken.
        answers: returns whether the process answers now.
        says: returns what else to show about the process once it answers.
        start_seconds: the longest time that a start may take.
        url: the address of the process, to show.
        waiting: what takes the time during a start, to show.
        run_directory: where to record the process, so that the next supervisor finds it if this one is killed.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        log: Path,
        *,
        environment: Mapping[str, str] | None = None,
        check: Callable[[], None] = lambda: None,
        answers: Callable[[], bool] = lambda: True,
        says: Callable[[], str] = lambda: "",
        start_seconds: float = 60,
        url: str = "",
        waiting: str = "",
        run_directory: Path | None = None,
    ) -> None:
        self.row = ProcessRow(name, url=url, waiting=waiting, log=log)
        self._files = RunFiles(run_directory, f"{name}{CHILD_SUFFIX}") if run_directory else None
        self._command, self._environment = command, environment
        self._check, self._answers, self._says, self._start_seconds = check, answers, says, start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = False

    def end_orphan(self) -> None:
        """Ends the process of this child that a killed supervisor has left running."""
        if self._files and (orphan := self._files.find()):
            end_family(psutil.Process(orphan.pid))

    def start(self) -> str:
        log_path = self.row.log
        assert log_path is not None
        self._check()
        with open_log(log_path) as log:
            offset = log.tell()
            if self._stopping:
                raise ServiceError("stopped before it was started")
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=surroundings.environment(self._environment),
                start_new_session=True,
            )
        try:
            self._wait_for_answer(self._process, log_path, offset)
            return self._says()
        except BaseException:
            # A child whose start failed must not hold its port against the next start.
            self._end()
            raise

    def _wait_for_answer(self, process: "subprocess.Popen[bytes]", log: Path, offset: int) -> None:
        deadline = time.monotonic() + self._start_seconds
        if self._files:
            self._files.publish(0, {"url": self.row.url} if self.row.url else {}, pid=process.pid)
        while not self._answers():
            try:
                code = process.wait(timeout=0.1)
            except subprocess.TimeoutExpired:
                if time.monotonic() < deadline:
                    continue
                raise ServiceError(f"no answer within {self._start_seconds:g} s: see {log}") from None
            raise ServiceError(f"ended with status {code}: {last_line(log, offset)} (log: {log})")

    def trouble(self) -> str:
        return "" if self._process is not None and self._process.poll() is None else DIED

    def stop(self) -> None:
        self._stopping = True
        self._end()

    def _end(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        end_family(psutil.Process(self._process.pid))
        self._process.wait()


class Supervisor:
    """Runs members at the same time; each waits until the members that it needs are ready.

    Args:
        needs: by a member's name, the names of the members that it needs.
        after: by a member's name, the names of members that begin before it. It waits until each is ready or has failed, but
            only AFTER_SECONDS: it does not need them, and they are to have the machine for themselves.
        say: called with a member's row after each change of its state.
    """

    def __init__(
        self,
        members: list[Member],
        needs: Mapping[str, list[str]],
        say: Callable[[ProcessRow], None],
        after: Mapping[str, list[str]] | None = None,
    ) -> None:
        self.members = members
        self._after = after or {}
        self._needs, self._say = needs, say
        self._saying = threading.Lock()
        self._ready = {member.row.name: threading.Event() for member in members}
        self._begun = {member.row.name: threading.Event() for member in members}
        """Set when a member is ready, or has failed."""
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Starts all members in background threads and returns at once."""
        for member in self.members:
            thread = threading.Thread(target=self._run, args=(member,), name=member.row.name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stops the processes that were started here, in reverse order. A second call does no harm."""
        self._stopping.set()
        for member in reversed(self.members):
            member.stop()
        for thread in self._threads:
            thread.join(timeout=15)
        for member in reversed(self.members):
            # A member that was still starting at the first call has its process by now.
            member.stop()
            self._become(member, "stopped")

    def _become(self, member: Member, state: ProcessState, text: str = "") -> None:
        with self._saying:
            member.row.become(state, text)
            self._say(member.row)

    def _run(self, member: Member) -> None:
        for needed in self._needs.get(member.row.name, []):
            while not self._ready[needed].wait(0.05):
                if self._stopping.is_set():
                    return
        deadline = time.monotonic() + AFTER_SECONDS
        for earlier in self._after.get(member.row.name, []):
            while not self._begun[earlier].wait(0.05) and time.monotonic() < deadline:
                if self._stopping.is_set():
                    return
        self._become(member, "starting", member.row.waiting)
        while not self._stopping.is_set():
            try:
                said = member.start()
            except SitetwinError as error:
                if not self._may_restart(member, str(error)):
                    return
                continue
            self._become(member, "ready", said)
            self._ready[member.row.name].set()
            self._begun[member.row.name].set()
            while not (trouble := member.trouble()):
                if self._stopping.wait(1.0):
                    return
            if self._stopping.is_set() or not self._may_restart(member, trouble):
                return

    def _may_restart(self, member: Member, reason: str) -> bool:
        now = time.monotonic()
        row = member.row
        row.deaths = [death for death in row.deaths if now - death < RESTART_WINDOW_SECONDS] + [now]
        if self._stopping.is_set():
            return False
        if len(row.deaths) > RESTARTS:
            self._begun[row.name].set()
            self._become(member, "failed", f"{reason}; given up after {RESTARTS} restarts")
            return False
        self._become(member, "restarting", reason)
        self._stopping.wait(FIRST_PAUSE_SECONDS * 2 ** (len(row.deaths) - 1))
        return True
