import sys

import pytest

from benchmarks.train import Worker, mlx_lm_step, our_step
from pipeline.weights import blas

ROWS = [(list(range(3, 40)), 10), (list(range(50, 80)), 5)]
ECHO = """
import json, sys
for line in sys.stdin:
    print(json.dumps([0.5, [float(len(json.loads(line)))]]), flush=True)
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    blas.preload(1)
    from tests.tiny_llama import make_bases

    folder = tmp_path_factory.mktemp("models")
    make_bases(folder)
    return folder / "base"


def test_both_sides_train_the_same(base):
    """Dropout drops other inputs, so the losses are about the same only."""
    ours, theirs = our_step(base), mlx_lm_step(base)
    first = ours(ROWS)
    assert first == pytest.approx(theirs(ROWS), rel=0.02)
    assert [step(ROWS) for step in [ours] * 5][-1] < first


def test_a_worker_says_how_fast_its_side_is():
    worker = Worker("echo", [sys.executable, "-c", ECHO], threads=1)
    try:
        assert worker.train([ROWS, ROWS]) == (2 * (37 + 30) / 0.5, [2.0])
    finally:
        worker.end()
