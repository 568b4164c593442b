import subprocess
import sys

import pytest

from pipeline.weights import blas

pytestmark = pytest.mark.skipif(not blas.is_needed(), reason="for a Linux CPU")

CODE = """
import sys
from pipeline.weights import blas
blas.preload(int(sys.argv[1]))
import numpy as np
from pipeline.weights.int8 import multiplies_exactly
from pipeline.training.cpu.products import Frozen

before = multiplies_exactly()
multiplies_exactly.cache_clear()
frozen = Frozen([np.eye(300, dtype=np.float32)], is_packed=True)
x = np.random.default_rng(0).standard_normal((200, 300), np.float32)
with blas.one_thread():
    assert np.array_equal(frozen.forward(x)[0], x)
assert multiplies_exactly() == before
print(blas.threads())
"""


@pytest.mark.parametrize("threads", ["1", "2"])
def test_other_sessions_open_before_and_behind_those_that_share_their_threads(threads):
    """In a process of its own: threads are shared once and for all."""
    run = subprocess.run([sys.executable, "-c", CODE, threads], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == threads
