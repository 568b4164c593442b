"""What processes say, kept in files that don't grow for ever."""

from pathlib import Path
from typing import BinaryIO

LARGEST_BYTES = 10_000_000


def open_log(log: Path) -> BinaryIO:
    """The log to append to; one that has grown too large is kept once more as `<name>.log.1`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LARGEST_BYTES:
        log.replace(log.with_name(f"{log.name}.1"))
    return log.open("ab")


def last_line(log: Path, offset: int) -> str:
    """The last thing that a log says after `offset` bytes."""
    with log.open("rb") as file:
        file.seek(offset)
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
