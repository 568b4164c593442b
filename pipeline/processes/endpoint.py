"""Finds a shared process: its address, its last use, and whether it is still the same process."""

import fcntl
import json
import os
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

import httpx
import psutil
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline import files

HOST = "127.0.0.1"
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For requests to this machine, which go over plain HTTP. Without it httpx reads all certificates at each, in 20 ms of a core."""


class Endpoint(BaseModel):
    """The content of `run/<name>.json`, which the owner writes as soon as it answers."""

    model_config = ConfigDict(frozen=True)

    pid: int
    created: float
    """When the process started, in seconds since the epoch, because process ids are reused."""
    port: int
    details: dict[str, str] = {}
    token: str = ""
    """The secret that a caller must send. Only the owner's account can read this file."""

    @property
    def url(self) -> str:
        """The address of the owner, without a path."""
        return f"http://{HOST}:{self.port}"


class RunFiles:
    """The files through which the users of a resource find its owner."""

    def __init__(self, directory: Path, name: str) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.endpoint_path = directory / f"{name}.json"
        self.start_lock = directory / f"{name}.start.lock"
        """The process that starts the owner holds it."""
        self.owner_lock = directory / f"{name}.owner.lock"
        """The owner holds it as long as it lives, so there is never a second owner."""
        self.used_path = directory / f"{name}.used"

    def publish(
        self, port: int, details: Mapping[str, str] | None = None, *, pid: int | None = None, token: str = ""
    ) -> Endpoint:
        """Writes where the owner is. The owner calls this once it answers, or whoever started process `pid` for it."""
        pid = pid or os.getpid()
        created = psutil.Process(pid).create_time()
        endpoint = Endpoint(pid=pid, created=created, port=port, details=dict(details or {}), token=token)
        files.write_text(self.endpoint_path, endpoint.model_dump_json(), mode=0o600)
        return endpoint

    def find(self) -> Endpoint | None:
        """The endpoint of the living owner; None if there is no owner."""
        try:
            endpoint = Endpoint.model_validate(json.loads(self.endpoint_path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (json.JSONDecodeError, ValidationError):
            # A power cut can leave the file empty. It also ended the owner that wrote the file.
            return None
        return endpoint if is_running(endpoint.pid, endpoint.created, self.owner_lock) else None

    def touch(self) -> None:
        """Records that the resource is used now, so the owner's idle time begins anew."""
        self.used_path.touch()

    def last_use(self) -> int | None:
        """The time of the last use in nanoseconds; None if there was none. Compare it for equality only: clocks jump."""
        try:
            return self.used_path.stat().st_mtime_ns
        except FileNotFoundError:
            return None


def is_running(pid: int, created: float, lock: Path | None = None) -> bool:
    """Whether process `pid` is still the one that was started at `created`, in seconds since the epoch.

    Args:
        lock: a lock that this process holds as long as it lives. It decides if the times differ. They may differ
            because the system computes the start from its clock, which is set anew after a sleep.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - created) < 1 or (lock is not None and is_held(lock))
    except psutil.NoSuchProcess:
        return False


def is_held(lock: Path) -> bool:
    """Whether some process holds the FileLock at `lock`. Two that ask at the same time do not disturb each other."""
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


def get(url: str, seconds: float = 2) -> httpx.Response:
    """What a server on this machine answers. Proxies of the environment are not used.

    Raises:
        httpx.TransportError: it does not answer within `seconds`.
    """
    return httpx.get(url, timeout=seconds, trust_env=False, verify=NO_CERTIFICATES)


def answers(url: str) -> bool:
    """Whether a server on this machine answers `url` with success."""
    try:
        return get(url).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    """A port of the loopback interface that was free a moment ago. Another process may take it before the caller."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def end_family(process: psutil.Process) -> None:
    """Ends a process within 10 seconds, then the processes that it had started and left running."""
    family = process.children(recursive=True)
    process.terminate()
    try:
        process.wait(timeout=10)
    except psutil.TimeoutExpired:
        process.kill()
    for orphan in family:
        if orphan.is_running():
            orphan.kill()
