"""Where a shared process is, who uses it, and whether it is still the same one."""

import fcntl
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline import files

HOST = "127.0.0.1"


class Endpoint(BaseModel):
    """The file `run/<name>.json`, written by the owner once it answers."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """The process's start in seconds since the epoch: process ids are used again."""
    port: int
    details: dict[str, str] = {}
    token: str = ""
    """What the owner wants to see of a caller; this file is readable for its account only."""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"


class RunFiles:
    """The files by which the users and the owner of one resource find each other."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.endpoint_path = directory / f"{name}.json"
        self.start_lock = directory / f"{name}.start.lock"
        """Held by whoever starts the owner."""
        self.owner_lock = directory / f"{name}.owner.lock"
        """Held by the owner as long as it lives, so that there is never a second one."""
        self.used_path = directory / f"{name}.used"

    def publish(
        self, port: int, details: Mapping[str, str] | None = None, *, pid: int | None = None, token: str = ""
    ) -> Endpoint:
        """The owner, once it answers, says where it is; or whoever started process `pid` says so for it."""
        pid = pid or os.getpid()
        created = psutil.Process(pid).create_time()
        endpoint = Endpoint(pid=pid, created=created, port=port, details=dict(details or {}), token=token)
        files.write_text(self.endpoint_path, endpoint.model_dump_json(), mode=0o600)
        return endpoint

    def find(self) -> Endpoint | None:
        """The living owner, if there is one."""
        try:
            endpoint = Endpoint.model_validate(json.loads(self.endpoint_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, ValidationError):
            # A power cut can leave the file empty; the owner that wrote it is gone with the power.
            return None
        return endpoint if is_running(endpoint.pid, endpoint.created, self.owner_lock) else None

    def touch(self) -> None:
        """Somebody uses the resource now: the owner counts its idle time anew."""
        self.used_path.touch()

    def last_use(self) -> int | None:
        """A number that each use changes, in nanoseconds of a clock that may jump; None when there was none."""
        try:
            return self.used_path.stat().st_mtime_ns
        except FileNotFoundError:
            return None


def is_running(pid: int, created: float, lock: Path | None = None) -> bool:
    """Whether process `pid` is still the one that was started at `created`, in seconds since the epoch.

    Args:
        lock: that this process holds, and no other one of its kind. It decides where the times differ: what the system
            says of a start moves with its clock, which is set anew after a sleep.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - created) < 1 or (lock is not None and is_held(lock))
    except psutil.NoSuchProcess:
        return False


def is_held(lock: Path) -> bool:
    """Whether some process holds the FileLock at `lock`. Whoever asks at the same time is no holder."""
    try:
        file = lock.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def answers(url: str) -> bool:
    """Whether a server on this machine answers `url` with success; a proxy of the environment is not asked."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def end_family(process: psutil.Process) -> None:
    """End a process, and then what it started itself and left."""
    family = process.children(recursive=True)
    process.terminate()
    try:
        process.wait(timeout=10)
    except psutil.TimeoutExpired:
        process.kill()
    for orphan in family:
        if orphan.is_running():
            orphan.kill()
