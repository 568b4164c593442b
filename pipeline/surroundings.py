"""What a process of ours must not take over from where it is started: import path and file modes."""

import os
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

PRIVATE = 0o077
"""The umask under which new folders are 0700 and new files 0600."""


def own_version() -> str:
    """The installed version of sitetwin, which two packages bring.

    Raises:
        PackageNotFoundError: neither is installed.
    """
    from importlib.metadata import PackageNotFoundError, version  # here, so that each command starts quickly

    try:
        return version("lfx-sitetwin")
    except PackageNotFoundError:
        return version("sitetwin")


def python_module(name: str, *arguments: str) -> list[str]:
    """The command line that runs module `name`; start it with `environment()`.

    The current folder is a site, and may hold a `pipeline.py`, a `web/` or a `calendar.py` of its own: -P keeps it off
    the import path.
    """
    return [sys.executable, "-P", "-m", name, *arguments]


def environment(also: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's variables and those of `also`, such that no Python below imports from the current folder."""
    variables = {**os.environ, **(also or {}), "PYTHONSAFEPATH": "1"}
    entries = variables.pop("PYTHONPATH", "").split(os.pathsep)
    # An empty or a relative entry means a place in whatever folder is the current one.
    if absolute := [entry for entry in entries if Path(entry).is_absolute()]:
        variables["PYTHONPATH"] = os.pathsep.join(absolute)
    return variables


def keep_private(state: Path) -> list[Path]:
    """Make the state directory and all in it the owner's alone, and all that this process writes from now on.

    Returns: what could not be changed, for example on a disk without file modes or where another account wrote.
    """
    os.umask(PRIVATE)
    return [path for path in (state, *_below(state)) if not _close(path)]


def is_private(path: Path) -> bool:
    """Whether no other account can do anything with `path`."""
    return not stat.S_IMODE(path.stat().st_mode) & PRIVATE


def _below(folder: Path) -> Iterator[Path]:
    """All folders and files; a link's target is not ours to change."""
    for parent, folders, files in os.walk(folder):
        yield from (path for name in (*folders, *files) if not (path := Path(parent, name)).is_symlink())


def _close(path: Path) -> bool:
    try:
        if not is_private(path):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~PRIVATE)
        return is_private(path)
    except FileNotFoundError:
        # Another process of ours has just finished with it.
        return True
    except PermissionError:
        return False
