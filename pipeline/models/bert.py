"""A BERT encoder with pooling as an ONNX graph, made from the hub's safetensors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import onnx

Arrays = Mapping[str, np.ndarray]
Pooling = Literal["mean", "cls"]
IDS, MASK, EMBEDDING = "input_ids", "attention_mask", "embedding"
OPSET = 20
IR_VERSION = 10
CONTRIB = "com.microsoft"
"""ONNX Runtime's own operators: its attention kernel keeps the (tokens, tokens) scores in the cache."""


def encoder(arrays: Arrays, *, heads: int, epsilon: float, pooling: Pooling) -> "onnx.ModelProto":
    """The graph (input_ids, attention_mask), both int64 (texts, tokens) -> embedding, float32 (texts, width), length 1.

    Args:
        arrays: weights under transformers' names, without the prefix `bert.`; a linear layer's are (output, input).
        heads: of each attention layer.
        epsilon: of the layer norms.
        pooling: the mean over a text's tokens, or its first token.
    """
    graph = _Graph(arrays)
    mask = graph.apply("Cast", MASK, to=1)
    hidden = _embeddings(graph, epsilon)
    for layer in range(_layers(arrays)):
        hidden = _layer(graph, hidden, f"encoder.layer.{layer}", heads, epsilon)
    pooled = _mean(graph, hidden, mask) if pooling == "mean" else _first(graph, hidden)
    graph.apply("LpNormalization", pooled, axis=-1, p=2, to_name=EMBEDDING)
    return graph.model(width=arrays["embeddings.LayerNorm.bias"].size)


class _Graph:
    """Collects nodes and constants; every method returns the name of its output."""

    def __init__(self, arrays: Arrays) -> None:
        self.arrays = arrays
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray | Sequence[int], dtype: type = np.float32) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def apply(self, operator: str, *inputs: str, to_name: str = "", domain: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = to_name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def linear(self, inputs: str, name: str) -> str:
        product = self.apply("MatMul", inputs, self.constant(self.arrays[f"{name}.weight"].T))
        return self.apply("Add", product, self.constant(self.arrays[f"{name}.bias"]))

    def norm(self, inputs: str, name: str, epsilon: float) -> str:
        scale, bias = (self.constant(self.arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.apply("LayerNormalization", inputs, scale, bias, axis=-1, epsilon=epsilon)

    def model(self, width: int) -> "onnx.ModelProto":
        from onnx import TensorProto, helper

        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in (IDS, MASK)]
        outputs = [helper.make_tensor_value_info(EMBEDDING, TensorProto.FLOAT, ["texts", width])]
        return helper.make_model(
            helper.make_graph(self.nodes, "encoder", inputs, outputs, self.constants),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=IR_VERSION,
        )


def _embeddings(graph: _Graph, epsilon: float) -> str:
    arrays = graph.arrays
    words = graph.apply("Gather", graph.constant(arrays["embeddings.word_embeddings.weight"]), IDS)
    # A text on its own is all of type 0, so that row is added to the positions once and for all.
    places = arrays["embeddings.position_embeddings.weight"] + arrays["embeddings.token_type_embeddings.weight"][0]
    first, axis = graph.constant([0], np.int64), graph.constant([0], np.int64)
    tokens = graph.apply("Shape", IDS, start=1, end=2)
    positions = graph.apply("Slice", graph.constant(places), first, tokens, axis)
    return graph.norm(graph.apply("Add", words, positions), "embeddings.LayerNorm", epsilon)


def _layer(graph: _Graph, hidden: str, name: str, heads: int, epsilon: float) -> str:
    own = f"{name}.attention.self"
    parts = ("query", "key", "value")
    projections = [
        graph.apply("MatMul", hidden, graph.constant(graph.arrays[f"{own}.{part}.weight"].T)) for part in parts
    ]
    bias = graph.constant(np.concatenate([graph.arrays[f"{own}.{part}.bias"] for part in parts]))
    padding = graph.apply("Cast", MASK, to=6)
    mixed = graph.apply("MultiHeadAttention", *projections, bias, padding, domain=CONTRIB, num_heads=heads)
    attended = graph.linear(mixed, f"{name}.attention.output.dense")
    hidden = graph.norm(graph.apply("Add", attended, hidden), f"{name}.attention.output.LayerNorm", epsilon)
    wide = graph.apply("Gelu", graph.linear(hidden, f"{name}.intermediate.dense"))
    narrow = graph.linear(wide, f"{name}.output.dense")
    return graph.norm(graph.apply("Add", narrow, hidden), f"{name}.output.LayerNorm", epsilon)


def _mean(graph: _Graph, hidden: str, mask: str) -> str:
    tokens = graph.constant([1], np.int64)
    kept = graph.apply("Mul", hidden, graph.apply("Unsqueeze", mask, graph.constant([2], np.int64)))
    # The length is made 1 afterwards, so the sum does for the mean.
    return graph.apply("ReduceSum", kept, tokens, keepdims=0)


def _first(graph: _Graph, hidden: str) -> str:
    return graph.apply("Gather", hidden, graph.constant(np.array(0), np.int64), axis=1)


def _layers(arrays: Arrays) -> int:
    return len({name.split(".")[2] for name in arrays if name.startswith("encoder.layer.")})
