import os
import subprocess
import sys

import pytest

from pipeline.weights import blas

pytestmark = pytest.mark.skipif(not blas.is_needed(), reason="only MLX on Linux x86-64 needs another BLAS")


def python(code: str, **variables: str) -> str:
    """Stdout of a Python of its own: which BLAS MLX gets is decided once in a process."""
    environment = {name: value for name, value in os.environ.items() if name != blas.THREADS_VARIABLE} | variables
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return run.stdout.strip()


def test_the_preload_makes_products_several_times_faster() -> None:
    measure = "from pipeline.weights import blas\n{}\nprint(blas.gflops())"
    slow, fast = (float(python(measure.format(line))) for line in ("", "blas.preload(1)"))
    assert fast > 5 * slow


def test_describe_names_the_library_and_its_threads() -> None:
    code = "from pipeline.weights import blas\nprint(blas.describe())\nblas.preload(1)\nblas.preload()\nprint(blas.describe())"
    before, after = python(code).splitlines()
    assert before == "reference BLAS of the mlx wheel"
    assert after.startswith("OpenBLAS 0.")
    assert after.endswith("(cmeel-openblas), 1 thread")


def test_the_variable_wins_over_the_argument_and_children_inherit_nothing() -> None:
    code = "import os\nfrom pipeline.weights import blas\nblas.preload({})\nprint(blas.describe(), os.environ.get('OPENBLAS_NUM_THREADS'))"
    assert python(code.format(2), OPENBLAS_NUM_THREADS="1").endswith("1 thread 1")
    assert python(code.format(1)).endswith("1 thread None")


def test_a_later_call_changes_the_threads() -> None:
    assert python(
        "from pipeline.weights import blas\nblas.preload()\nblas.preload(1)\nprint(blas.describe())"
    ).endswith("1 thread")


def test_one_thread_for_a_while() -> None:
    code = """
from pipeline.weights import blas
blas.preload(2)
print(blas.threads())
with blas.one_thread():
    print(blas.threads())
print(blas.threads())
"""
    assert python(code).split() == ["2", "1", "2"]


def test_too_late_is_an_error() -> None:
    code = "import mlx.core\nfrom pipeline.weights import blas\ntry:\n    blas.preload()\nexcept blas.ModelError as error:\n    print(error)"
    assert "mlx.core was imported before" in python(code)


def test_linear_algebra_still_works() -> None:
    code = """
from pipeline.weights import blas
blas.preload(1)
import mlx.core as mx, numpy as np
a = np.random.default_rng(0).normal(size=(20, 12)).astype(np.float32)
values = mx.linalg.svd(mx.array(a), stream=mx.cpu)[1]
print(np.abs(np.array(values) - np.linalg.svd(a)[1]).max() < 1e-4)
"""
    assert python(code) == "True"


def test_products_are_exact_whoever_imports_mlx_first() -> None:
    code = (
        "from pipeline.weights import blas\nblas.preload()\nimport mlx.core, os\nprint(os.environ['MLX_ENABLE_TF32'])"
    )
    assert python(code) == "0"
    assert python(code, MLX_ENABLE_TF32="1") == "1"
