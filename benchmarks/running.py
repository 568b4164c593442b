"""Runs a whole site as a user starts it, for benchmarks and slow tests."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.processes.endpoint import free_port
from pipeline.settings import FILE_NAME, Settings, load_settings

PROJECT = Path(__file__).resolve().parents[1]
READY = "ready after"


@dataclass(frozen=True)
class Site:
    """A running site."""

    settings: Settings
    url: str
    """The gateway's address."""
    environment: dict[str, str]
    """Environment for commands of this site's user."""
    ready_seconds: float
    process: subprocess.Popen[str]


@contextmanager
def newcomers_folder() -> Iterator[Path]:
    """Yields a folder with the sitetwin.toml and docs/ of a fresh clone, without state."""
    with tempfile.TemporaryDirectory(prefix="sitetwin-") as folder:
        root = Path(folder)
        shutil.copy(PROJECT / FILE_NAME, root)
        shutil.copytree(PROJECT / "docs", root / "docs")
        yield root


@contextmanager
def running_site(root: Path, variables: Mapping[str, str] | None = None, seconds: float = 240) -> Iterator[Site]:
    """Runs `sitetwin up` in `root` on free ports, and ends it with SIGTERM.

    Args:
        variables: more environment variables.

    Raises:
        TimeoutError: not all parts were ready within `seconds`.
    """
    with _addressed(root, variables or {}) as url:
        yield from _run(root, url, seconds)


@contextmanager
def starting_site(root: Path, variables: Mapping[str, str] | None = None) -> Iterator[tuple[str, threading.Event]]:
    """As `running_site`, but yields at once: the gateway's address, and what is set when all parts are ready."""
    with _addressed(root, variables or {}) as url, _started(root) as (_, _, ready):
        yield url, ready


@contextmanager
def _addressed(root: Path, variables: Mapping[str, str]) -> Iterator[str]:
    """Gives the site in `root` free ports; yields the gateway's address."""
    port = free_port()
    own = {
        "SITETWIN_GATEWAY__PORT": str(port),
        "SITETWIN_LANGFLOW__PORT": str(free_port()),
        "SITETWIN_CONFIG": str(root / FILE_NAME),
        **variables,
    }
    with _variables(own):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _variables(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables in this process, so that it has the site's settings."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _run(root: Path, url: str, seconds: float) -> Iterator[Site]:
    with _started(root) as (process, said, ready):
        if not ready.wait(seconds):
            raise TimeoutError(f"not ready after {seconds:g} s:\n{''.join(said)}")
        took = float(next(line for line in said if line.startswith(READY)).removeprefix(READY).split()[0])
        yield Site(load_settings(root / FILE_NAME), url, dict(os.environ), took, process)


@contextmanager
def _started(root: Path) -> Iterator[tuple[subprocess.Popen[str], list[str], threading.Event]]:
    """Runs `sitetwin up` in `root`; yields the process, the lines that it says, and what is set when all is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "up"], cwd=root, env=dict(os.environ), stderr=subprocess.PIPE, text=True
    )
    said: list[str] = []
    ready = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith(READY):
                ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield process, said, ready
    finally:
        process.terminate()
        process.wait(timeout=60)
        reader.join(timeout=10)
        if process.stderr is not None:
            process.stderr.close()
