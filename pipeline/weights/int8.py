"""Products with weights in 8 bits, by ONNX Runtime.

A CPU that writes an answer waits for its memory: for each token it reads all weights once. In 8 bits they are a quarter of
fp32. ONNX Runtime's kernels read them as they are, and multiply bytes where the CPU has an instruction for it.
"""

from functools import cache

import numpy as np

from pipeline.weights import blas
from pipeline.weights.onnx_sessions import session_options, share_threads

BLOCK = 32
"""Weights of a row that share a scale. Each activation is rounded to 8 bits in such blocks too."""
_CONTRIB = "com.microsoft"
_OPSET = 17
_IR_VERSION = 9
_PIECE = 1 << 17
"""Weights that are rounded at a time, so that they stay in the CPU's cache."""
_CENTER = 128
"""The byte that stands for 0."""
_IN_BYTES = 4
"""The value of `accuracy_level` for products of bytes."""


@cache
def multiplies_exactly() -> bool:
    """Whether ONNX Runtime's product of unsigned and signed bytes is exact here for the largest values.

    x86 without VNNI adds pairs in 16 bits, which overflow (VPMADDUBSW). VNNI and ARM do not. A trial product tells on every
    platform.
    """
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rows, depth = 32, 64
    weights = numpy_helper.from_array(np.full((depth, rows), 127, np.int8), "weights")
    one = numpy_helper.from_array(np.array(1, np.float32), "one")
    graph = helper.make_graph(
        [helper.make_node("MatMulIntegerToFloat", ["bytes", "weights", "one", "one"], ["product"], domain=_CONTRIB)],
        "probe",
        [helper.make_tensor_value_info("bytes", TensorProto.UINT8, [rows, depth])],
        [helper.make_tensor_value_info("product", TensorProto.FLOAT, [rows, rows])],
        [weights, one],
    )
    opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString()
    session = onnxruntime.InferenceSession(model, session_options(0), providers=["CPUExecutionProvider"])
    product = session.run(None, {"bytes": np.full((rows, depth), 255, np.uint8)})[0]
    return bool((product == depth * 255 * 127).all())


def is_fast() -> bool:
    """Whether `Int8Product` is faster than MLX's product here: on Linux x86-64 with VNNI."""
    return blas.is_needed() and multiplies_exactly() and _packs()


@cache
def _packs() -> bool:
    """Whether ONNX Runtime copies the numbers in the order in which it reads them.

    Where it has no kernel for them, it would read the caller's array for each product, and a hundred times more slowly.
    """
    numbers, scales = rounded(np.ones((32, 2 * BLOCK), np.float32))
    product = Int8Product(numbers, scales)
    numbers[:] = _CENTER
    return bool((product(np.ones((1, 2 * BLOCK), np.float32)) != 0).all())


def rounded(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The weight (N, K) in bytes: the nearest multiples of a scale, of which each block of a row has its own.

    Args:
        weight: fp32; K is a multiple of `BLOCK`.

    Returns:
        The bytes (N, K / BLOCK, BLOCK), in which `_CENTER` is 0, and the scales (N, K / BLOCK): the weight is about
        (bytes - _CENTER) · scale.
    """
    rows, width = weight.shape
    numbers = np.empty((rows, width // BLOCK, BLOCK), np.uint8)
    scales = np.empty((rows, width // BLOCK), np.float32)
    step = max(1, _PIECE // width)
    for start in range(0, rows, step):
        piece = weight[start : start + step].reshape(-1, width // BLOCK, BLOCK)
        largest = np.abs(piece).max(-1)
        scales[start : start + step] = largest / 127
        steps = np.divide(127, largest, out=np.zeros_like(largest), where=largest > 0)
        numbers[start : start + step] = np.rint(piece * steps[..., None]) + _CENTER
    return numbers, scales


class Int8Product:
    """x Wᵀ for a frozen weight W (N, K), of which only ONNX Runtime's copy in bytes is kept. See `is_fast`.

    Each row of x gives the same result to the last digit, whichever rows stand beside it.

    Args:
        numbers: what `rounded` gives for W.
        scales: likewise.
    """

    def __init__(self, numbers: np.ndarray, scales: np.ndarray) -> None:
        # Imported here because most processes that import this module need no session.
        import onnxruntime
        from onnx import TensorProto, helper

        share_threads(blas.threads())
        rows, blocks, block = numbers.shape
        self.shape = rows, blocks * block
        """(N, K)."""
        self._scales = scales  # ONNX Runtime packs the numbers, but on some CPUs it reads the scales where they are
        options = session_options(1)
        options.enable_cpu_mem_arena = False  # each session would keep the memory of its largest result
        held = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array) for name, array in (("w", numbers), ("s", scales))
        }
        weights = []
        for name, value in held.items():
            options.add_initializer(name, value)
            kind = TensorProto.UINT8 if name == "w" else TensorProto.FLOAT
            weights.append(TensorProto(name=name, data_type=kind, dims=value.shape()))
            weights[-1].data_location = TensorProto.EXTERNAL
            weights[-1].external_data.add(key="location", value=name)
        how = {"N": rows, "K": blocks * block, "bits": 8, "block_size": block, "accuracy_level": _IN_BYTES}
        graph = helper.make_graph(
            [helper.make_node("MatMulNBits", ["x", "w", "s"], ["y"], domain=_CONTRIB, **how)],
            "product",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            weights,
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """x Wᵀ (..., N) in fp32; x is (..., K) in fp32."""
        y: np.ndarray = self._session.run(None, {"x": x})[0]
        return y

    def weight(self) -> np.ndarray:
        """W (N, K) in fp32, as it was rounded."""
        return self(np.eye(self.shape[1], dtype=np.float32)).T
