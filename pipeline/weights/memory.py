"""What models take of a machine's memory, and that freed memory goes back. Import this after `blas.preload()`."""

import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten

from pipeline.weights.upstream import set_wiring


def give_back() -> None:
    """What MLX keeps of freed arrays for those to come, and on Linux what glibc keeps between arrays that live on."""
    mx.clear_cache()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def give_back_model() -> None:
    """The memory of a model that nobody uses any more, too: its parts name each other.

    After a training of the demo model a process held 1.05 GB before, and 0.16 GB after.
    """
    gc.collect()
    give_back()


def bytes_of(module: nn.Module) -> int:
    """Of its weights, computed or not."""
    weights: Any = tree_flatten(module.parameters())
    return sum(array.nbytes for _, array in weights)


def graphics_limit() -> int | None:
    """Bytes that Metal advises to hold at most; None where MLX computes on a CPU."""
    return mx.device_info().get("max_recommended_working_set_size")  # type: ignore[return-value]


def wire(size: int, limit: int | None, set_limit: Callable[[int], int] = mx.set_wired_limit) -> int | None:
    """Keeps `size` bytes of this process in memory, never swapped out, or `limit` if that is less.

    Args:
        limit: of `graphics_limit`; with None nothing is done.

    Returns:
        the bytes that were kept before; None if nothing was done.
    """
    return None if limit is None else set_limit(min(size, limit))


def claim(size: int) -> None:
    """Has mlx-lm's generation keep `size` bytes in memory, where it would keep all that Metal advises.

    Engine and training run side by side, and the rest of a Mac needs memory too.
    """
    set_wiring(lambda: wire(size, graphics_limit()))
