"""How the disk spells a path."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path


def _ask_mac(handle: int) -> bytes:
    return fcntl.fcntl(handle, fcntl.F_GETPATH, bytes(1024))  # type: ignore[attr-defined, unused-ignore]


_ASK = _ask_mac if hasattr(fcntl, "F_GETPATH") else None


def on_disk(path: Path, ask: Callable[[int], bytes] | None = _ASK) -> Path:
    """`path` as the system itself spells it. A Mac opens `~/notes` for `~/Notes`, but reports changes under the second name.

    Args:
        ask: asks the system for the path of an open file, ended by a zero byte; None: a path has only one spelling here.
    """
    if ask is None:
        return path
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:  # it is missing or unreadable, and its reader reports that
        return path
    try:
        return Path(os.fsdecode(ask(handle).split(b"\0")[0]))
    finally:
        os.close(handle)
