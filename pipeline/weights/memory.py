"""Measures and limits the memory of models, and returns freed memory. Import this after `blas.preload()`."""

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
    """Return freed memory to the system: MLX's cache, and on Linux also the memory that glibc keeps."""
    mx.clear_cache()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)


def give_back_model() -> None:
    """Return the memory of a model that is no longer used. Its parts refer to each other, so they need a collection.

    After a training of the demo model this lowered a process from 1.05 GB to 0.16 GB.
    """
    gc.collect()
    give_back()


def bytes_of(module: nn.Module) -> int:
    """Size in bytes of the module's weights, computed or not."""
    weights: Any = tree_flatten(module.parameters())
    return sum(array.nbytes for _, array in weights)


def graphics_limit() -> int | None:
    """Most bytes that Metal advises to hold; None if MLX computes on a CPU."""
    return mx.device_info().get("max_recommended_working_set_size")  # type: ignore[return-value]


def wire(size: int, limit: int | None, set_limit: Callable[[int], int] = mx.set_wired_limit) -> int | None:
    """Keep `size` bytes of this process in memory, but at most `limit`. They are never swapped out.

    Args:
        limit: bytes, see `graphics_limit`; None: nothing is done.
        set_limit: takes the new limit in bytes and returns the old one.

    Returns:
        The former limit in bytes; None if nothing was done.
    """
    return None if limit is None else set_limit(min(size, limit))


def claim(size: int) -> None:
    """Make mlx-lm's generation keep `size` bytes in memory. By default it keeps as much as Metal advises.

    Engine and training may run at the same time, and other programs need memory too.
    """
    set_wiring(lambda: wire(size, graphics_limit()))
