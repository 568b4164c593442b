"""A model whose weights are held in 8 bits, for a Linux CPU. Import this after `blas.preload()`.

Its linear layers and embeddings multiply in ONNX Runtime; attention, norms and caches stay in MLX, but for the steps that
`int8_blocks` writes out. Each product evaluates its input at once, so a step of such a model is computed while it is called.
"""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten

from pipeline.engine.int8_blocks import write_out
from pipeline.weights.int8 import BLOCK, Int8Product, rounded

FAMILIES = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3", "gemma3_text")
"""Those of mlx-lm's models that consist of linear layers, embeddings and norms, and ask each layer for nothing else."""
_LINEARS = (nn.Linear, nn.QuantizedLinear)
_EMBEDDINGS = (nn.Embedding, nn.QuantizedEmbedding)


class Int8Linear(nn.Module):
    """A linear layer in 8 bits.

    Args:
        weight: (output, input) in fp32.
        bias: (output,); None: there is none.
    """

    def __init__(self, weight: np.ndarray, bias: mx.array | None) -> None:
        super().__init__()
        self._product = Int8Product(*rounded(weight))
        self.shape = self._product.shape
        if bias is not None:
            self.bias = bias

    def __call__(self, x: mx.array) -> mx.array:
        return mx.array(self.numbers(_numbers(x)))

    def numbers(self, x: np.ndarray) -> np.ndarray:
        """The output (..., output) for NumPy's input (..., input)."""
        y = self._product(x)
        return y + np.array(self.bias, copy=False) if "bias" in self else y

    def dequantized(self) -> mx.array:
        """The weight (output, input) in fp32, as it was rounded."""
        return mx.array(self._product.weight())


class Int8Embedding(nn.Module):
    """An embedding in 8 bits.

    Args:
        weight: (words, width) in fp32.
        is_output: whether its transpose is the output layer too.
    """

    def __init__(self, weight: np.ndarray, is_output: bool) -> None:
        super().__init__()
        numbers, scales = rounded(weight)
        self.shape: tuple[int, int] = weight.shape
        self._rows = numbers, scales
        self._product = Int8Product(numbers, scales) if is_output else None

    def __call__(self, x: mx.array) -> mx.array:
        words = np.array(x, copy=False)
        numbers, scales = self._rows
        values = (numbers[words].astype(np.float32) - 128) * scales[words][..., None]
        return mx.array(values.reshape(*words.shape, -1))

    def as_linear(self, x: mx.array) -> mx.array:
        """Logits (..., words) by the embedding's transpose."""
        assert self._product
        return mx.array(self._product(_numbers(x)))


class _LastPosition(nn.Module):
    """The model's last norm, for the last position only.

    mlx-lm throws away the logits of a prompt, and MLX does not compute what is thrown away. The products here do.
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def __call__(self, x: mx.array) -> mx.array:
        y: mx.array = self.norm(x[:, -1:])
        return y


def can_hold(model: nn.Module) -> bool:
    """Whether `hold` knows models of this kind and shape."""
    if getattr(model, "model_type", None) not in FAMILIES:
        return False
    return all(layer_shape(module)[1] % BLOCK == 0 for _, module in model.named_modules() if _has_weight(module))


def hold(model: nn.Module) -> None:
    """Replaces the linear layers and embeddings of `model`, which `can_hold`, by those in 8 bits; the rest becomes fp32.

    One layer is read at a time, so a model whose weights were not read yet never lies in memory as a whole.
    """
    modules: dict[str, Any] = dict(model.named_modules())
    is_output = not any(path.endswith("lm_head") for path in modules)
    for path in [path for path, module in modules.items() if _has_weight(module)]:
        module = modules.pop(path)
        weight = np.ascontiguousarray(np.array(layer_weight(module).astype(mx.float32), copy=False))
        held = (
            Int8Embedding(weight, is_output)
            if isinstance(module, _EMBEDDINGS)
            else Int8Linear(weight, module.get("bias"))
        )
        model.update_modules(tree_unflatten([(path, held)]))
    (last,) = [path for path in modules if path.split(".")[-2:] == ["model", "norm"]]
    model.update_modules(tree_unflatten([(last, _LastPosition(modules[last]))]))
    model.set_dtype(mx.float32)
    write_out(model)


def layer_shape(layer: Any) -> tuple[int, int]:
    """The weight's shape, (output, input) or (words, width), of a linear layer or embedding, in whatever form it is held."""
    if isinstance(layer, (Int8Linear, Int8Embedding)):
        return layer.shape
    rows, columns = layer.weight.shape
    return rows, columns * 32 // layer.bits if "scales" in layer else columns


def layer_weight(layer: Any) -> mx.array:
    """The weight of a linear layer, or of an embedding that is not in 8 bits of ours, with a number for each weight."""
    if isinstance(layer, Int8Linear):
        return layer.dequantized()
    if "scales" not in layer:
        weight: mx.array = layer.weight
        return weight
    return mx.dequantize(
        layer.weight, layer.scales, layer.get("biases"), group_size=layer.group_size, bits=layer.bits, mode=layer.mode
    )


def _has_weight(module: nn.Module) -> bool:
    return isinstance(module, (*_LINEARS, *_EMBEDDINGS))


def _numbers(x: mx.array) -> np.ndarray:
    return np.ascontiguousarray(np.array(x, copy=False))
