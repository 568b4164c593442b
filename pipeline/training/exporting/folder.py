"""Where an export is put: a folder that is there whole or not at all, and never written over."""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline import files
from pipeline.errors import SitetwinError
from pipeline.settings import Settings

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAYS_FULL = re.compile(r"\[write\]|\d+ requested and \d+ written")
"""The words for a full disk of MLX, in a RuntimeError, and of NumPy, in an OSError without a number."""


def exports_directory(settings: Settings) -> Path:
    """The folder `exports` of the state, which may not exist yet."""
    return settings.state / "exports"


@contextmanager
def export_folder(final: Path) -> Iterator[Path]:
    """As `files.new_folder`, for one process at a time.

    Raises:
        SitetwinError: `final` is there, or is being written, or its place can't be written.
    """
    if final.exists():
        raise SitetwinError(f"{final} is there already: remove it, or name another folder with --out")
    lock = FileLock(final.with_name(f".{final.name}.lock"))
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise SitetwinError(f"{final} is being written by another process: wait for it") from None
    except OSError as error:
        raise SitetwinError(f"{final.parent} can't be written ({error}): name another folder with --out") from None
    try:
        with files.new_folder(final) as draft:
            yield draft
    except (OSError, RuntimeError) as error:
        # Whatever else goes wrong within the block is no matter of the folder.
        if not _SAYS_FULL.match(str(error)) and getattr(error, "errno", None) not in _FULL:
            raise
        raise SitetwinError(f"{final} can't be written ({error}): name a folder on another disk with --out") from None
    finally:
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)
