import sys

import psutil
import pytest

from pipeline.weights import blas

blas.preload(1)

from pipeline.weights.memory import give_back  # noqa: E402

BLOCK = 100_000
"""Bytes; small enough for glibc to cut it from a larger piece, which ends with a block that lives on."""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems give memory back by themselves")
def test_what_was_freed_between_what_lives_on_goes_back() -> None:
    blocks: list[bytes | None] = [b"x" * BLOCK for _ in range(1000)]
    held = psutil.Process().memory_info().rss
    for number in range(1000):
        if number % 10 != 9:
            blocks[number] = None
    give_back()
    assert held - psutil.Process().memory_info().rss > 0.7 * 1000 * BLOCK
