import sys

import psutil
import pytest

from pipeline.weights import blas

blas.preload(1)

import mlx.core as mx  # noqa: E402
from mlx import nn  # noqa: E402
from mlx_lm.generate import BatchGenerator  # noqa: E402

from pipeline.weights import memory  # noqa: E402
from pipeline.weights.memory import bytes_of, claim, give_back, wire  # noqa: E402

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


def test_a_process_keeps_what_it_needs_and_no_more_than_metal_advises() -> None:
    before: list[int] = [0]

    def set_limit(size: int) -> int:
        before.append(size)
        return before[-2]

    assert wire(7, 10, set_limit) == 0
    assert wire(20, 10, set_limit) == 7
    assert before == [0, 7, 10]
    assert wire(20, None, set_limit) is None
    assert before == [0, 7, 10]


def test_mlx_lms_generation_asks_for_what_was_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It notices when mlx-lm no longer asks there."""
    asked: list[tuple[int, int | None]] = []
    monkeypatch.setattr(sys.modules["mlx_lm.generate"], "maybe_set_recommended_wired_limit", None)
    monkeypatch.setattr(memory, "wire", lambda size, limit: asked.append((size, limit)))
    claim(5)
    BatchGenerator(nn.Linear(2, 2)).close()
    assert asked == [(5, memory.graphics_limit())]


def test_weights_are_counted_without_being_computed() -> None:
    assert bytes_of(nn.Linear(8, 4)) == 4 * (8 * 4 + 4)
    layer = nn.Linear(8, 4)
    layer.set_dtype(mx.bfloat16)
    assert bytes_of(layer) == 2 * (8 * 4 + 4)
