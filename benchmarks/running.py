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
    port = free_port()
    own = {
        "SITETWIN_GATEWAY__PORT": str(port),
        "SITETWIN_LANGFLOW__PORT": str(free_port()),
        "SITETWIN_CONFIG": str(root / FILE_NAME),
        **(variables or {}),
    }
    with _variables(own):
        yield from _run(root, f"http://127.0.0.1:{port}", seconds)


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
    environment = dict(os.environ)
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "up"], cwd=root, env=environment, stderr=subprocess.PIPE, text=True
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
        if not ready.wait(seconds):
            raise TimeoutError(f"not ready after {seconds:g} s:\n{''.join(said)}")
        took = float(next(line for line in said if line.startswith(READY)).removeprefix(READY).split()[0])
        settings = load_settings(root / FILE_NAME)
        yield Site(settings, url, environment, took, process)
    finally:
        process.terminate()
        process.wait(timeout=60)
        reader.join(timeout=10)
        if process.stderr is not None:
            process.stderr.close()
