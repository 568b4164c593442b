"""Whether the disk has room for an export, before the first gigabyte is written."""

from collections.abc import Mapping
from pathlib import Path
from shutil import disk_usage
from typing import Any

from pipeline.errors import SitetwinError

FLOAT_BITS = 16
SCALE_BITS = 0.5
"""What the scales of a quantised weight's group add to each of its numbers."""


def check_disk(folder: Path, needed: int, free: int | None = None) -> None:
    """
    Args:
        folder: to be written.
        needed: bytes.
        free: of its disk; None: asked of it.

    Raises:
        SitetwinError: there is too little.
    """
    free = disk_usage(next(one for one in folder.resolve().parents if one.is_dir())).free if free is None else free
    if free < needed:
        raise SitetwinError(
            f"the export needs about {needed / 1e9:.1f} GB, {free / 1e9:.1f} GB are free on the disk of {folder}: free "
            "some, or name a folder on another disk with --out"
        )


def bytes_of_export(base: Path, config: Mapping[str, Any], *, bits: int | None, is_expanded: bool, copies: int) -> int:
    """About how many an export of the model in `base` takes.

    Args:
        config: of the model.
        bits: that it is quantised to; None: it is not.
        is_expanded: a quantised base becomes floats.
        copies: that are written; Ollama keeps one of its own.
    """
    weights = sum(file.stat().st_size for file in base.glob("model*.safetensors"))
    has = config.get("quantization", {}).get("bits")
    number = has + SCALE_BITS if has else FLOAT_BITS
    number_after = bits + SCALE_BITS if bits else FLOAT_BITS if is_expanded else number
    return int(weights * number_after / number) * copies
