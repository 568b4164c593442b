"""The user's cache folder: what is fetched or converted once and shared by all sites of this user."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock
import platformdirs
from rich.console import Console

from pipeline import files
from pipeline.errors import ModelError

VARIABLE = "SITETWIN_CACHE"
LAYOUT = "1"
"""Raised when a converted folder would look different, so that an old one is not taken for it."""


def cache_folder() -> Path:
    """SITETWIN_CACHE, else the platform's cache folder for sitetwin. It may not exist yet."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().resolve() if named else platformdirs.user_cache_path("sitetwin")


def folder_of(name: str) -> Path:
    """Where the cache's folder `name` is or will be."""
    return cache_folder() / LAYOUT / name


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The cache's folder `name`, filled by `build(empty folder)` if it is not there yet.

    A kill at any moment leaves nothing under `name`, and of several processes one builds while the others wait.

    Raises:
        ModelError: the cache can't be written or the disk is full.
    """
    target = folder_of(name)
    home = target.parent
    if target.is_dir():
        return target
    try:
        home.mkdir(parents=True, exist_ok=True)
        with _alone(home / f".{name}.lock", name):
            if not target.is_dir():
                with files.new_folder(target) as folder:
                    build(folder)
    except OSError as error:
        raise _explain(error, home) from error
    return target


@contextmanager
def _alone(file: Path, name: str) -> Iterator[None]:
    """One process at a time; the others say what they wait for."""
    lock = filelock.FileLock(file)
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        Console(stderr=True).print(f"another process is preparing {name}, waiting for it", highlight=False)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _explain(error: OSError, home: Path) -> ModelError:
    if error.errno == errno.ENOSPC:
        return ModelError(f"the disk of {home} is full: free a gigabyte, or set {VARIABLE} to a folder on another disk")
    return ModelError(f"the cache {home} can't be written ({error}): set {VARIABLE} to a folder that can")
