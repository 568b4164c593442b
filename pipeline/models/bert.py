"""A BERT encoder, with pooling or with a classification head, as an ONNX graph, made from the hub's safetensors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import onnx

Arrays = Mapping[str, np.ndarray]
Pooling = Literal["mean", "cls"]
Activation = Literal["gelu", "gelu_tanh", "relu"]
IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
EMBEDDING, SCORE = "embedding", "score"
OPSET = 20
IR_VERSION = 10
CONTRIB = "com.microsoft"
"""ONNX Runtime's own operators: its attention kernel keeps the (tokens, tokens) scores in the cache."""


def encoder(
    arrays: Arrays, *, heads: int, epsilon: float, activation: Activation = "gelu", pooling: Pooling
) -> "onnx.ModelProto":
    """The graph (input_ids, attention_mask), both int64 (texts, tokens) -> embedding, float32 (texts, width), length 1.

    Args:
        arrays: weights under transformers' names, without the prefix `bert.`; a linear layer's are (output, input).
        heads: of each attention layer.
        epsilon: of the layer norms.
        activation: between a layer's two wide products.
        pooling: the mean over a text's tokens, or its first token.
    """
    graph = _Graph(arrays)
    mask = graph.apply("Cast", MASK, to=1)
    hidden = _hidden(graph, _alone(graph), heads, epsilon, activation)
    pooled = _mean(graph, hidden, mask) if pooling == "mean" else _first(graph, hidden)
    graph.apply("LpNormalization", pooled, axis=-1, p=2, to_name=EMBEDDING)
    return graph.model([IDS, MASK], EMBEDDING, width=arrays["embeddings.LayerNorm.bias"].size)


def classifier(arrays: Arrays, *, heads: int, epsilon: float, activation: Activation = "gelu") -> "onnx.ModelProto":
    """The graph (input_ids, attention_mask, token_type_ids), int64 (texts, tokens) -> score, float32 (texts, labels).

    `arrays` has the head of transformers' BertForSequenceClassification as well: `pooler.dense`, with tanh, over the
    first token, then `classifier`. The score is its logit.
    """
    graph = _Graph(arrays)
    hidden = _hidden(graph, _paired(graph), heads, epsilon, activation)
    pooled = graph.apply("Tanh", graph.linear(_first(graph, hidden), "pooler.dense"))
    graph.apply("Identity", graph.linear(pooled, "classifier"), to_name=SCORE)
    return graph.model([IDS, MASK, TYPES], SCORE, width=arrays["classifier.bias"].size)


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

    def model(self, inputs: Sequence[str], output: str, width: int) -> "onnx.ModelProto":
        from onnx import TensorProto, helper

        taken = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs]
        given = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["texts", width])]
        return helper.make_model(
            helper.make_graph(self.nodes, "encoder", taken, given, self.constants),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=IR_VERSION,
        )


def _hidden(graph: _Graph, embedded: str, heads: int, epsilon: float, activation: Activation) -> str:
    """The last layer's (texts, tokens, width)."""
    hidden = graph.norm(embedded, "embeddings.LayerNorm", epsilon)
    for layer in range(_layers(graph.arrays)):
        hidden = _layer(graph, hidden, f"encoder.layer.{layer}", heads, epsilon, activation)
    return hidden


def _alone(graph: _Graph) -> str:
    # A text on its own is all of type 0, so that row is added to the positions once and for all.
    positions = graph.arrays["embeddings.position_embeddings.weight"]
    return _words(graph, positions + graph.arrays["embeddings.token_type_embeddings.weight"][0])


def _paired(graph: _Graph) -> str:
    words = _words(graph, graph.arrays["embeddings.position_embeddings.weight"])
    types = graph.constant(graph.arrays["embeddings.token_type_embeddings.weight"])
    return graph.apply("Add", words, graph.apply("Gather", types, TYPES))


def _words(graph: _Graph, places: np.ndarray) -> str:
    """Each token's word and place; `places` is (positions, width)."""
    words = graph.apply("Gather", graph.constant(graph.arrays["embeddings.word_embeddings.weight"]), IDS)
    first, axis = graph.constant([0], np.int64), graph.constant([0], np.int64)
    tokens = graph.apply("Shape", IDS, start=1, end=2)
    return graph.apply("Add", words, graph.apply("Slice", graph.constant(places), first, tokens, axis))


def _layer(graph: _Graph, hidden: str, name: str, heads: int, epsilon: float, activation: Activation) -> str:
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
    wide = _activate(graph, graph.linear(hidden, f"{name}.intermediate.dense"), activation)
    narrow = graph.linear(wide, f"{name}.output.dense")
    return graph.norm(graph.apply("Add", narrow, hidden), f"{name}.output.LayerNorm", epsilon)


def _activate(graph: _Graph, inputs: str, activation: Activation) -> str:
    if activation == "relu":
        return graph.apply("Relu", inputs)
    return graph.apply("Gelu", inputs, approximate="tanh" if activation == "gelu_tanh" else "none")


def _mean(graph: _Graph, hidden: str, mask: str) -> str:
    tokens = graph.constant([1], np.int64)
    kept = graph.apply("Mul", hidden, graph.apply("Unsqueeze", mask, graph.constant([2], np.int64)))
    # The length is made 1 afterwards, so the sum does for the mean.
    return graph.apply("ReduceSum", kept, tokens, keepdims=0)


def _first(graph: _Graph, hidden: str) -> str:
    return graph.apply("Gather", hidden, graph.constant(np.array(0), np.int64), axis=1)


def _layers(arrays: Arrays) -> int:
    return len({name.split(".")[2] for name in arrays if name.startswith("encoder.layer.")})
