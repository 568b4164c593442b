"""The user's cache folder. It holds fetched and converted models, which all sites of this user share."""

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
"""Raise it when the layout of a converted folder changes, so that old folders are not used."""


def cache_folder() -> Path:
    """The folder SITETWIN_CACHE, or else the platform's cache folder for sitetwin. It may not exist yet."""
    named = os.environ.get(VARIABLE)
    return Path(named).expanduser().resolve() if named else platformdirs.user_cache_path("sitetwin")


def folder_of(name: str) -> Path:
    """The path of the cache's folder `name`, which may not exist yet."""
    return cache_folder() / LAYOUT / name


def cached(name: str, build: Callable[[Path], None]) -> Path:
    """The cache's folder `name`. If it is missing, `build` fills an empty folder first.

    A kill at any moment leaves nothing under `name`. If several processes ask, one builds and the others wait.

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
    """Admits one process at a time. A process that waits says what for."""
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
