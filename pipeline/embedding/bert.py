"""A BERT encoder as an ONNX graph, with pooling or with a classification head, built from the hub's safetensors."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    import onnx

Arrays = Mapping[str, np.ndarray]
Pooling = Literal["mean", "cls"]
Activation = Literal["gelu", "gelu_tanh", "relu"]
IDS, MASK, TYPES = "input_ids", "attention_mask", "token_type_ids"
EMBEDDING, TOKENS, SCORE = "embedding", "tokens", "score"
OPSET = 20
IR_VERSION = 10
CONTRIB = "com.microsoft"
"""ONNX Runtime's own operators. Its attention kernel keeps the (tokens, tokens) scores in the CPU's cache."""
BELOW = 48
"""How many of the 256 values stand for numbers below 0 after the activation."""
EASING = 0.5
"""The share of the inputs' differences that moves into the weights; half is usual."""


def encoder(
    arrays: Arrays,
    *,
    heads: int,
    epsilon: float,
    activation: Activation = "gelu",
    pooling: Pooling,
    peaks: Arrays | None = None,
) -> "onnx.ModelProto":
    """The graph input_ids, int64 (texts, tokens) -> embedding, float32 (texts, width), length 1, and tokens.

    `tokens`, float32 (texts, tokens, 2 * width), holds a vector of length 1 for each token: the outputs of the last two
    layers side by side, each scaled to the same length. The last layer tells more of the text, the one below more of the
    word, and together they match a question's words with a passage's best (`benchmarks.refusal`).

    All texts of a run must have the same length. Without padding to mask, attention is one and a half times as fast.

    Args:
        arrays: weights under transformers' names, without the prefix `bert.`; a linear layer's are (output, input).
        heads: the heads of each attention layer.
        epsilon: the epsilon of the layer norms.
        activation: the activation between a layer's two wide products.
        pooling: the mean over a text's tokens, or its first token.
        peaks: what `observer` measured on some texts. If given, the linear layers multiply in int8.
    """
    graph = _Graph(arrays, peaks)
    *_, below, hidden = _hidden(graph, _alone(graph), heads, epsilon, activation)
    pooled = _mean(graph, hidden) if pooling == "mean" else _first(graph, hidden)
    graph.apply("LpNormalization", pooled, axis=-1, p=2, to_name=EMBEDDING)
    both = [graph.apply("LpNormalization", layer, axis=-1, p=2) for layer in (below, hidden)]
    half = graph.constant(np.array(0.5**0.5))
    graph.apply("Mul", graph.apply("Concat", *both, axis=-1), half, to_name=TOKENS)
    width = arrays["embeddings.LayerNorm.bias"].size
    return graph.model([IDS], {EMBEDDING: ["texts", width], TOKENS: ["texts", "tokens", 2 * width]})


def observer(arrays: Arrays, *, heads: int, epsilon: float, activation: Activation = "gelu") -> "onnx.ModelProto":
    """The graph input_ids, int64 (texts, tokens) -> the greatest magnitudes of each linear layer's inputs, float32 (inputs,).

    An output has its layer's name. Query, key and value share their input, so there is one output, named after the query.
    Takes what `encoder` takes.
    """
    graph = _Graph(arrays)
    _hidden(graph, _alone(graph), heads, epsilon, activation)
    axes = graph.constant([0, 1], np.int64)
    for layer, inputs in graph.entering.items():
        graph.apply("ReduceMax", graph.apply("Abs", inputs), axes, keepdims=0, to_name=layer)
    return graph.model([IDS], {layer: [arrays[f"{layer}.weight"].shape[1]] for layer in graph.entering})


def classifier(arrays: Arrays, *, heads: int, epsilon: float, activation: Activation = "gelu") -> "onnx.ModelProto":
    """The graph (input_ids, attention_mask, token_type_ids), int64 (texts, tokens) -> score, float32 (texts, labels).

    The score is the logit of transformers' BertForSequenceClassification: `pooler.dense` with tanh over the first token,
    then `classifier`. `arrays` must hold this head too. Otherwise takes what `encoder` takes.
    """
    graph = _Graph(arrays)
    hidden = _hidden(graph, _paired(graph), heads, epsilon, activation, graph.apply("Cast", MASK, to=6))
    pooled = graph.apply("Tanh", graph.linear(_first(graph, hidden[-1]), "pooler.dense"))
    graph.apply("Identity", graph.linear(pooled, "classifier"), to_name=SCORE)
    return graph.model([IDS, MASK, TYPES], {SCORE: ["texts", arrays["classifier.bias"].size]})


class _Graph:
    """Collects nodes and constants. The methods that add one return the name of its output."""

    def __init__(self, arrays: Arrays, peaks: Arrays | None = None) -> None:
        self.arrays = arrays
        self.peaks = peaks
        self.entering: dict[str, str] = {}
        """The name of each linear layer's input."""
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: np.ndarray | Sequence[float], dtype: type = np.float32) -> str:
        """Adds a constant of `dtype` to the graph; returns its name."""
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def apply(self, operator: str, *inputs: str, to_name: str = "", domain: str = "", **attributes: Any) -> str:
        """Adds a node of ONNX's `operator` to the graph; returns the name of its output."""
        from onnx import helper

        name = to_name or f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], domain=domain, **attributes))
        return name

    def linear(self, inputs: str, name: str, below: int = 128) -> str:
        """Adds a linear layer with the weights and bias called `name`; returns the name of its output."""
        return self.apply("Add", *self.products(inputs, [name], below), self.constant(self.arrays[f"{name}.bias"]))

    def products(self, inputs: str, names: Sequence[str], below: int = 128) -> list[str]:
        """`inputs` through each of the linear layers `names`, without their biases.

        In int8, `below` of the 256 values stand for inputs below 0.
        """
        self.entering[names[0]] = inputs
        weights = [self.arrays[f"{name}.weight"].T for name in names]
        if self.peaks is not None:
            return self._products_in_int8(inputs, weights, self.peaks[names[0]], below)
        return [self.apply("MatMul", inputs, self.constant(weight)) for weight in weights]

    def _products_in_int8(self, inputs: str, weights: Sequence[np.ndarray], peaks: np.ndarray, below: int) -> list[str]:
        """`inputs` times each of `weights` (inputs, outputs), both rounded to 8 bits.

        Each token and each output has its own step, so a text's vector does not depend on the texts beside it.
        Inputs that are often large would cost the others their precision. So they are divided by
        peak^EASING / weight^(1 - EASING), and the weights are multiplied by it (SmoothQuant, Xiao et al. 2023,
        formula 4).
        """
        heaviest = np.abs(np.concatenate(weights, 1)).max(1)
        ease = np.maximum(peaks, 1e-5) ** EASING / np.maximum(heaviest, 1e-5) ** (1 - EASING)
        eased = self.apply("Mul", inputs, self.constant(1 / ease))
        axis, one = self.constant([-1], np.int64), self.constant(np.array(1))
        zero = self.constant(np.array(below), np.uint8)
        up = self.apply("Mul", self.apply("ReduceMax", eased, axis, keepdims=1), self.constant([1 / (255 - below)]))
        down = self.apply("Mul", self.apply("ReduceMin", eased, axis, keepdims=1), self.constant([-1 / below]))
        step = self.apply("Max", up, down, self.constant([1e-12]))
        rounded = self.apply("QuantizeLinear", self.apply("Div", eased, step), one, zero)
        products = []
        for weight in weights:
            scaled = weight * ease[:, None]
            steps = np.maximum(np.abs(scaled).max(0), 1e-12) / 127
            whole = self.constant(np.rint(scaled / steps), np.int8)
            product = self.apply(
                "MatMulIntegerToFloat", rounded, whole, one, self.constant(steps), zero, domain=CONTRIB
            )
            products.append(self.apply("Mul", product, step))
        return products

    def norm(self, inputs: str, name: str, epsilon: float) -> str:
        """Adds a layer normalisation over the last axis; returns the name of its output."""
        scale, bias = (self.constant(self.arrays[f"{name}.{part}"]) for part in ("weight", "bias"))
        return self.apply("LayerNormalization", inputs, scale, bias, axis=-1, epsilon=epsilon)

    def model(self, inputs: Sequence[str], outputs: Mapping[str, Sequence[str | int]]) -> "onnx.ModelProto":
        """The finished graph; `outputs` gives the shape of each output."""
        from onnx import TensorProto, helper

        taken = [helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"]) for name in inputs]
        given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
        return helper.make_model(
            helper.make_graph(self.nodes, "encoder", taken, given, self.constants),
            opset_imports=[helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)],
            ir_version=IR_VERSION,
        )


def _hidden(
    graph: _Graph, embedded: str, heads: int, epsilon: float, activation: Activation, *padding: str
) -> list[str]:
    """The embedding's and each layer's output (texts, tokens, width); `padding`, int32 (texts, tokens), is 0 for no token."""
    hidden = [graph.norm(embedded, "embeddings.LayerNorm", epsilon)]
    for layer in range(layer_count(graph.arrays)):
        hidden.append(_layer(graph, hidden[-1], f"encoder.layer.{layer}", heads, epsilon, activation, *padding))
    return hidden


def _alone(graph: _Graph) -> str:
    # All tokens of a single text have type 0, so that type's row is added to the positions once and for all.
    positions = graph.arrays["embeddings.position_embeddings.weight"]
    return _words(graph, positions + graph.arrays["embeddings.token_type_embeddings.weight"][0])


def _paired(graph: _Graph) -> str:
    words = _words(graph, graph.arrays["embeddings.position_embeddings.weight"])
    types = graph.constant(graph.arrays["embeddings.token_type_embeddings.weight"])
    return graph.apply("Add", words, graph.apply("Gather", types, TYPES))


def _words(graph: _Graph, places: np.ndarray) -> str:
    """The sum of each token's word vector and position vector; `places` is (positions, width)."""
    table = graph.arrays["embeddings.word_embeddings.weight"]
    if table.dtype == np.float16:  # a table of a quarter of a million words; it stays as small as it is
        words = graph.apply("Cast", graph.apply("Gather", graph.constant(table, np.float16), IDS), to=1)
    else:
        words = graph.apply("Gather", graph.constant(table), IDS)
    first, axis = graph.constant([0], np.int64), graph.constant([0], np.int64)
    tokens = graph.apply("Shape", IDS, start=1, end=2)
    return graph.apply("Add", words, graph.apply("Slice", graph.constant(places), first, tokens, axis))


def _layer(
    graph: _Graph, hidden: str, name: str, heads: int, epsilon: float, activation: Activation, *padding: str
) -> str:
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    bias = graph.constant(np.concatenate([graph.arrays[f"{part}.bias"] for part in parts]))
    projections = graph.products(hidden, parts)
    mixed = graph.apply("MultiHeadAttention", *projections, bias, *padding, domain=CONTRIB, num_heads=heads)
    attended = graph.linear(mixed, f"{name}.attention.output.dense")
    hidden = graph.norm(graph.apply("Add", attended, hidden), f"{name}.attention.output.LayerNorm", epsilon)
    wide = _activate(graph, graph.linear(hidden, f"{name}.intermediate.dense"), activation)
    # No activation here goes below -.17, so most of the 256 values are better used above 0.
    narrow = graph.linear(wide, f"{name}.output.dense", below=BELOW)
    return graph.norm(graph.apply("Add", narrow, hidden), f"{name}.output.LayerNorm", epsilon)


def _activate(graph: _Graph, inputs: str, activation: Activation) -> str:
    if activation == "relu":
        return graph.apply("Relu", inputs)
    return graph.apply("Gelu", inputs, approximate="tanh" if activation == "gelu_tanh" else "none")


def _mean(graph: _Graph, hidden: str) -> str:
    return graph.apply("ReduceMean", hidden, graph.constant([1], np.int64), keepdims=0)


def _first(graph: _Graph, hidden: str) -> str:
    return graph.apply("Gather", hidden, graph.constant(np.array(0), np.int64), axis=1)


def layer_count(names: Iterable[str]) -> int:
    """The number of layers of the encoder whose arrays have these names."""
    return len({name.split(".")[2] for name in names if name.startswith("encoder.layer.")})
