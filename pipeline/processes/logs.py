"""Logs of processes, in files that do not grow for ever."""

import re
from pathlib import Path
from typing import BinaryIO

LARGEST_BYTES = 10_000_000


def open_log(log: Path) -> BinaryIO:
    """Opens a log for appending. A log that has grown too large is moved to `<name>.log.1` first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")


def last_line(log: Path, offset: int) -> str:
    """The last line of a log after its first `offset` bytes, or a sentence that there is none.

    A progress bar ends its lines with "\\r". `str.splitlines` would also cut at U+2028, which a note's name may hold.
    """
    with log.open("rb") as file:
        file.seek(offset)
        text = file.read().decode("utf-8", "replace")
    lines = [line.strip() for line in re.split(r"[\r\n]", text) if line.strip()]
    return lines[-1] if lines else "it said nothing"
