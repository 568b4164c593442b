"""A file or a folder is written whole or not at all, and once it is there a power cut does not take it away.

What is written stands beside its place as a draft (`.NAME.….draft`) until it is moved there. A kill leaves the old one
or the new one, and at worst a draft, which the next writer of the same name removes.
"""

import errno
import fcntl
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

_DRAFT = ".draft"
_NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.ENOTTY)
"""What file systems answer that can't do what was asked: network folders, folders of some FUSE systems."""


def write_text(path: Path, text: str, *, mode: int | None = None) -> None:
    """As `write_bytes`, in UTF-8, with line ends as they are in `text`."""
    write_bytes(path, text.encode(), mode=mode)


def write_bytes(path: Path, content: bytes, *, mode: int | None = None) -> None:
    """`path` holds `content`, or what it held before. Folders that lack are made.

    Args:
        mode: permissions, as 0o600; None: those of the file that is replaced, else the process's usual ones.
    """
    with new_file(path, mode=mode) as draft:
        draft.write_bytes(content)


@contextmanager
def new_file(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """An empty file beside `path`, moved there when the block ends well and removed when it does not.

    A link at `path` stays, its target is replaced.

    Args:
        mode: as for `write_bytes`; nobody else can open the draft either.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_native_id()}{_DRAFT}")
    if mode is None and path.exists():
        mode = path.stat().st_mode & 0o777
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666 if mode is None else mode)
        try:
            if mode is not None:
                os.fchmod(handle, mode)  # what the process's umask takes away
        finally:
            os.close(handle)
        yield draft
        _settle(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _settle(path.parent)


@contextmanager
def new_folder(final: Path, *, mode: int = 0o777, replace: bool = False) -> Iterator[Path]:
    """An empty folder beside `final`, moved there when the block ends well and removed when it does not.

    The caller sees to it that no other process writes the same folder: a draft that is there is a leftover.

    Args:
        mode: permissions, as 0o700; the process's umask applies.
        replace: a folder at `final` makes room first. A kill between the two moves leaves neither, so this is for what
            its writer makes again.

    Raises:
        OSError: there is a folder with files at `final`, or it can't be written.
    """
    draft, old = (final.with_name(f".{final.name}{kind}{_DRAFT}") for kind in ("", ".old"))
    final.parent.mkdir(parents=True, exist_ok=True)
    for leftover in (draft, old):
        if leftover.exists():
            shutil.rmtree(leftover)
    draft.mkdir(mode)
    try:
        yield draft
        for path in draft.rglob("*"):
            if not path.is_symlink():
                _settle(path)
        _settle(draft)
        if replace and final.exists():
            final.rename(old)
        draft.rename(final)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    _settle(final.parent)
    shutil.rmtree(old, ignore_errors=True)


def _remove_leftovers(path: Path) -> None:
    """Drafts of `path` whose process is gone; one with a number that is in use again goes another time."""
    name = re.compile(rf"\.{re.escape(path.name)}\.(\d+)-\d+{re.escape(_DRAFT)}")
    for draft in path.parent.iterdir():
        found = name.fullmatch(draft.name)
        if found and not psutil.pid_exists(int(found[1])):
            draft.unlink(missing_ok=True)


def _settle(path: Path) -> None:
    """Waits until a file or folder is on the disk: a rename may otherwise overtake what it names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if sys.platform == "darwin":
            # There fsync ends when the drive has the bytes in its own memory (man 2 fsync).
            try:
                fcntl.fcntl(handle, fcntl.F_FULLFSYNC)
                return
            except OSError as error:
                if error.errno not in _NO_SYNC:
                    raise
        try:
            os.fsync(handle)
        except OSError as error:
            if error.errno not in _NO_SYNC:
                raise
    finally:
        os.close(handle)
