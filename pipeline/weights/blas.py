"""A fast matrix product for MLX on Linux.

The Linux wheel of MLX contains the reference BLAS, which uses no vector unit. If OpenBLAS is loaded first, the dynamic
linker resolves `cblas_sgemm` in OpenBLAS, and the same fp32 product is about a hundred times faster.
Only fp32 products use BLAS, so a Linux CPU holds weights in fp32. On a Mac, MLX uses Metal and Accelerate.
"""

import ctypes
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError

PACKAGE = "cmeel-openblas"
FORTRAN = "libgfortran.so.5"
THREADS_VARIABLE = "OPENBLAS_NUM_THREADS"
EXACT = ("MLX_ENABLE_TF32", "0")
"""From the M5 on, MLX rounds fp32 factors to 11 bits unless this variable is set before the first product."""
_loaded: list[ctypes.CDLL] = []


def preload(threads: int = 0) -> None:
    """Load OpenBLAS before MLX is linked, and make MLX compute exactly.

    Call it before the first `import mlx.core`. A second call is harmless.

    Args:
        threads: threads of one matrix product; 0: half the cores. OPENBLAS_NUM_THREADS wins over it.

    Raises:
        ModelError: the wheel that carries OpenBLAS is missing, or mlx.core is imported already.
    """
    os.environ.setdefault(*EXACT)
    if not is_needed():
        return
    if not _loaded:
        if "mlx.core" in sys.modules and _in_process() is None:
            raise ModelError("mlx.core was imported before OpenBLAS: call pipeline.weights.blas.preload() first")
        library = _file_of(PACKAGE, "libopenblas.so")
        if library is None:
            raise ModelError(
                f"OpenBLAS is missing, and MLX is a hundred times slower without it: pip install {PACKAGE}"
            )
        # OpenBLAS's threads spin while they wait. With one thread per core, any other work (an index, an editor) makes
        # decoding 4 to 20 times slower. A single thread is a sixth slower on an idle machine.
        with _variable(THREADS_VARIABLE, str(threads or default_threads())):
            _loaded.append(_open(library))
    elif threads and THREADS_VARIABLE not in os.environ:
        _loaded[0].openblas_set_num_threads(threads)


def is_needed() -> bool:
    """Whether this machine's MLX is faster with OpenBLAS in front (Linux on x86-64)."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def default_threads() -> int:
    """Threads of one matrix product if none are asked for: half the cores."""
    return max(1, (os.cpu_count() or 1) // 2)


def describe() -> str:
    """Which BLAS the matrix products of this process use, e.g. `OpenBLAS 0.3.31 (cmeel-openblas), 2 threads`."""
    if sys.platform == "darwin":
        return "Metal and Accelerate"
    library = _in_process()
    if library is None:
        return "reference BLAS of the mlx wheel"
    library.openblas_get_config.restype = ctypes.c_char_p
    version = " ".join(library.openblas_get_config().decode().split()[:2])
    origin = PACKAGE if _loaded else "loaded by the environment"
    count = threads()
    return f"{version} ({origin}), {count} thread{'' if count == 1 else 's'}"


def threads() -> int:
    """Number of threads that the OpenBLAS in this process uses for one matrix product."""
    count: int = ctypes.CDLL(None).openblas_get_num_threads()
    return count


@contextmanager
def one_thread() -> Iterator[None]:
    """Inside this block OpenBLAS uses one thread. Its waiting threads spin, and would slow another library's threads."""
    before, set_threads = threads(), ctypes.CDLL(None).openblas_set_num_threads
    set_threads(1)
    try:
        yield
    finally:
        set_threads(before)


@cache
def sgemm() -> Any:
    """`cblas_sgemm`, the fp32 product of the OpenBLAS in this process. Its arguments are numbers and addresses."""
    function = ctypes.CDLL(None).cblas_sgemm
    number, real, place = ctypes.c_int, ctypes.c_float, ctypes.c_void_p
    function.argtypes = (*[number] * 6, real, place, number, place, number, real, place, number)
    function.restype = None
    return function


def gflops(seconds: float = 0.5) -> float:
    """Speed of the fp32 product (512, 576) x (576, 1536), one projection of the demo model, in 1e9 operations/s.

    Args:
        seconds: how long to measure; the best round counts.
    """
    import mlx.core as mx

    rows, inner, columns = 512, 576, 1536
    left, right = mx.random.normal((rows, inner)), mx.random.normal((inner, columns))
    mx.eval(left, right, left @ right)
    best = float("inf")
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end:
        mx.eval(left @ right)
        best = min(best, time.perf_counter() - start)
    return 2 * rows * inner * columns / best / 1e9


def _file_of(package: str, prefix: str) -> Path | None:
    """The first file of an installed package whose name begins with `prefix`."""
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.name.startswith(prefix))
    return next((path for path in found if path.is_file()), None)


def _open(library: Path) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        # A machine without a Fortran compiler lacks libgfortran.so.5. MLX's wheel contains it under another name.
        bundled = _file_of("mlx-cpu", "libgfortran-")
        if FORTRAN not in str(error) or bundled is None:
            raise ModelError(f"OpenBLAS can't be loaded ({error}): install that library") from None
    _open_as(bundled, FORTRAN)
    return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def _open_as(library: Path, name: str) -> None:
    """Load a copy of `library` that the dynamic linker knows as `name`.

    The linker knows a loaded library by the name inside it (SONAME), so the copy has `name` there. `name` must not be
    longer than the old one. The copy on disk is deleted at once; the loaded one stays.
    """
    old = library.name.encode()
    for sibling in library.parent.glob("libquadmath-*"):
        ctypes.CDLL(str(sibling))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        copy.write_bytes(
            library.read_bytes().replace(b"\0" + old + b"\0", b"\0" + name.encode().ljust(len(old) + 1, b"\0"))
        )
        ctypes.CDLL(str(copy))


def _in_process() -> ctypes.CDLL | None:
    """The OpenBLAS that this process has loaded, also by LD_PRELOAD; None if there is none."""
    everything = ctypes.CDLL(None)
    return everything if hasattr(everything, "openblas_get_config") else None


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Sets an environment variable for C code that reads it once. A value that is set already stays."""
    if name in os.environ:
        yield
        return
    os.environ[name] = value
    try:
        yield
    finally:
        del os.environ[name]
