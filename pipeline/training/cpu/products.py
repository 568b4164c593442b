"""Products of fp32 matrices: OpenBLAS's, and ONNX Runtime's for weights that do not change.

For each product OpenBLAS brings both factors into an order of its own. With the hundred tokens of a batch, that takes a
fifth of the time. ONNX Runtime does it once for a weight, and keeps the copy.
"""

from collections.abc import Sequence
from functools import cache

import mlx.core as mx
import numpy as np
import onnxruntime as ort
from onnx import NodeProto, TensorProto, helper

from pipeline.weights import blas
from pipeline.weights.onnx_sessions import session_options, share_threads


class Frozen:
    """The frozen weights W (N, K) of projections that read the same x (T, K), and their biases (N,).

    Args:
        weights: the weights, one for each projection.
        biases: the bias of each projection, None for one that has none; empty: none has one.
        is_packed: the weights are copied for each pass, in the order in which it reads them.
        goes_back: `backward` will be called too.
    """

    def __init__(
        self,
        weights: Sequence[np.ndarray],
        biases: Sequence[np.ndarray | None] = (),
        *,
        is_packed: bool,
        goes_back: bool = True,
    ) -> None:
        places = range(len(weights))
        back = {f"w{place}": weight for place, weight in enumerate(weights)}
        there = back | {f"b{place}": bias for place, bias in enumerate(biases) if bias is not None}
        self._held = there  # the sessions hold only their addresses
        outputs = [
            helper.make_node(
                "Gemm", ["x", *(name for name in (f"w{place}", f"b{place}") if name in there)], [f"y{place}"], transB=1
            )
            for place in places
        ]
        sums = [
            helper.make_node(
                "Gemm", [f"dy{place}", f"w{place}", *([f"dx{place - 1}"] if place else [])], [f"dx{place}"]
            )
            for place in places
        ]
        self._forward = _session(outputs, ["x"], [f"y{place}" for place in places], there, is_packed)
        self._backward = None
        if goes_back:
            self._backward = _session(sums, [f"dy{place}" for place in places], [f"dx{places[-1]}"], back, is_packed)

    def forward(self, x: np.ndarray) -> list[np.ndarray]:
        """x Wᵀ + b (T, N) for each weight; x is (T, K)."""
        ys: list[np.ndarray] = self._forward.run(None, {"x": x})
        return ys

    def backward(self, dys: Sequence[np.ndarray]) -> np.ndarray:
        """The sum of dy W (T, K) over all weights; each dy is (T, N)."""
        assert self._backward
        dx: np.ndarray = self._backward.run(None, {f"dy{place}": dy for place, dy in enumerate(dys)})[0]
        return dx


def _session(
    nodes: list[NodeProto], inputs: list[str], outputs: list[str], weights: dict[str, np.ndarray], is_packed: bool
) -> ort.InferenceSession:
    """A session of products with `weights` by name. Unless they are packed, they are read where they are."""
    _share_process()
    options = session_options(1)
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.disable_prepacking", str(int(not is_packed)))
    held = {name: ort.OrtValue.ortvalue_from_numpy(weight) for name, weight in weights.items()}
    shapes = []
    for name, value in held.items():
        options.add_initializer(name, value)
        shape = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=value.shape())
        shape.data_location = TensorProto.EXTERNAL
        shape.external_data.add(key="location", value=name)
        shapes.append(shape)
    sides = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names] for names in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, "products", sides[0], sides[1], shapes)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


@cache
def _share_process() -> None:
    """Gives all products together as many threads as OpenBLAS had, and one allocator for their results.

    Otherwise ONNX Runtime would allocate each result from glibc, aligned, and glibc seldom reuses an aligned piece. After
    some hundred steps a process held twice the memory that it used.
    """
    share_threads(blas.threads())
    memory = ort.OrtMemoryInfo("Cpu", ort.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, ort.OrtMemType.DEFAULT)
    as_requested = 1
    ort.create_and_register_allocator(memory, ort.OrtArenaCfg({"arena_extend_strategy": as_requested}))


def gemm(
    a: np.ndarray,
    b: np.ndarray,
    *,
    ta: bool = False,
    tb: bool = False,
    alpha: float = 1.0,
    beta: float = 0.0,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """alpha · a b + beta · out of fp32 matrices whose rows are contiguous. `ta` and `tb` transpose a and b.

    Args:
        a: (M, K), or (K, M) with `ta`.
        b: (K, N), or (N, K) with `tb`.
        ta: whether to transpose a.
        tb: whether to transpose b.
        alpha: the factor of the product.
        beta: the factor of what is in `out`.
        out: (M, N), overwritten with the result; None: a new array.
    """
    inner, height = a.shape if ta else a.shape[::-1]
    width = b.shape[0] if tb else b.shape[1]
    if out is None:
        out = np.empty((height, width), np.float32)
    blas.sgemm()(
        101, 112 if ta else 111, 112 if tb else 111, height, width, inner, alpha, _place(a), a.strides[0] // 4,
        _place(b), b.strides[0] // 4, beta, _place(out), out.strides[0] // 4,
    )  # fmt: skip
    return out


def numbers(array: mx.array) -> np.ndarray:
    """The MLX array's own memory with contiguous rows. It may only be read."""
    return np.ascontiguousarray(np.array(array, copy=False))


def _place(array: np.ndarray) -> int:
    """The array's address in memory; `array.ctypes.data` takes three times as long."""
    place: int = array.__array_interface__["data"][0]
    return place
