"""The loss and the gradients of a LoRA on a Llama or a Qwen, written out for a Linux CPU.

There MLX computes exponentials and random numbers one at a time (40 to 120 million a second), while NumPy uses the
vector unit (2,000 million a second). MLX's graph for one step has some ten thousand nodes. Here both passes are matrix
products, with one pass over memory for everything between two of them, so little more than the products is left.
Products with frozen weights are ONNX Runtime's, which can keep a copy of a weight in the order in which it reads it
(`products.Frozen`). All others are those of OpenBLAS, which MLX uses too.

Two things were tried and left. NumPy within `mx.custom_function` would serve other architectures too, but each evaluation
within a gradient walks over the whole graph before it, so a step took as long as without. A thread for each half of the
tokens gained nothing, because Python's lock made the threads wait for each other.

Import this after `blas.preload()`.
"""

import ctypes
from typing import Any

import mlx.core as mx
import numpy as np
from mlx.utils import tree_unflatten

from pipeline.training.cpu.attention import Rope
from pipeline.training.cpu.blocks import Layer
from pipeline.training.cpu.norm import Norm
from pipeline.training.cpu.packing import Packed
from pipeline.training.cpu.products import Frozen, numbers
from pipeline.training.cpu.projections import Arrays, is_lora, projections
from pipeline.training.data import Batch
from pipeline.training.preference import Objective, RowLogps, answers, value_and_grad
from pipeline.weights import blas


class WrittenOut:
    """The loss and gradients of a model that `is_fit`."""

    def __init__(
        self, model: Any, objective: Objective = answers, *, is_checkpointed: bool = False, is_packed: bool = False
    ) -> None:
        """Reads the frozen weights.

        Args:
            model: a Llama or a Qwen with its adapter.
            objective: what is learnt; by default the answers, with mlx-lm's default_loss.
            is_checkpointed: a layer keeps only its input, and the backward pass computes it again.
            is_packed: the frozen weights are copied for each of the two passes, in the order in which it reads them.
        """
        self._model, self._objective, self._is_checkpointed = model, objective, is_checkpointed
        self._rope = Rope(model.layers[0].self_attn)
        self._embedding = numbers(model.model.embed_tokens.weight)
        head = self._embedding if model.args.tie_word_embeddings else numbers(model.lm_head.weight)
        self._head = Frozen([head], is_packed=is_packed)
        self._norm = Norm(model.model.norm)
        trained = [any(map(is_lora, projections(layer).values())) for layer in model.layers]
        self._first = trained.index(True)
        self._layers = [
            Layer(layer, f"model.layers.{place}", self._rope, is_packed=is_packed, behind=place - self._first)
            for place, layer in enumerate(model.layers)
        ]
        _keep_memory()

    # 1 / (1 + inf) is 0, as it should be. If the loss becomes NaN, the loop reports it.
    @np.errstate(over="ignore", invalid="ignore")
    def __call__(self, batch: Batch, seed: int) -> tuple[mx.array, Any]:
        """The loss, and the gradients as a tree like that of the trained parameters.

        Args:
            batch: the rows.
            seed: the seed of dropout, which is used only in training mode.
        """
        packed = self._packed(batch)
        with blas.one_thread():
            loss, gradients = self._forward_and_back(batch, packed, seed if self._model.training else None)
        return mx.array(loss), tree_unflatten([(name, mx.array(value)) for name, value in gradients.items()])

    @np.errstate(over="ignore", invalid="ignore")
    def row_logps(self, batch: Batch) -> RowLogps:
        """The log-probabilities of the rows, without dropout."""
        packed = self._packed(batch)
        x = self._embedding[packed.tokens]
        *layers, last = self._layers
        with blas.one_thread():
            for layer in layers:
                x, _ = layer.forward(x, packed, None)
            x, _ = last.forward(x, packed, None, packed.places)
            (logits,) = self._head.forward(self._norm.forward(x)[0])
        return _by_row(_softmax(logits, packed.targets)[0], packed, batch)

    def _packed(self, batch: Batch) -> Packed:
        packed = Packed(batch)
        self._rope.reach(int(packed.positions.max()) + 1)
        for layer in self._layers:
            layer.read()
        return packed

    def _forward_and_back(self, batch: Batch, packed: Packed, seed: int | None) -> tuple[float, Arrays]:
        x = self._embedding[packed.tokens]
        kept: list[Any] = []
        *layers, last = self._layers
        for place, layer in enumerate(layers):
            entered = x
            x, inner = layer.forward(x, packed, seed)
            kept.append(entered if self._is_checkpointed else inner if place >= self._first else None)
        # After the last attention only the tokens before a learnt one matter.
        x, inner = last.forward(x, packed, seed, packed.places)
        y, norm = self._norm.forward(x)
        logps, words, total = _softmax(self._head.forward(y)[0], packed.targets)
        loss, slope = value_and_grad(self._objective, _by_row(logps, packed, batch))
        dlogits = _logits_gradient(words, total, packed.targets, slope[packed.rows])
        found: Arrays = {}
        dx = np.zeros_like(x)
        self._norm.backward(self._head.backward([dlogits]), norm, dx)
        dx = last.backward(dx, inner, found, is_first=self._first == len(layers))
        for place in range(len(layers) - 1, self._first - 1, -1):
            inner = kept.pop()
            if self._is_checkpointed:
                _, inner = layers[place].forward(inner, packed, seed)
            dx = layers[place].backward(dx, inner, found, is_first=place == self._first)
        return loss, found


def _softmax(logits: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The log-probability of the `right` words (places,), and the softmax of `logits` (places, words).

    The softmax is the second result over the third. The second overwrites `logits`.
    """
    logits -= logits.max(-1, keepdims=True)
    chosen = logits[np.arange(len(right)), right]
    np.exp(logits, out=logits)
    total = logits.sum(-1, keepdims=True)
    return chosen - np.log(total[:, 0]), logits, total


def _logits_gradient(words: np.ndarray, total: np.ndarray, right: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """The gradient of the loss by the logits (places, words), which overwrites `words`.

    Args:
        words: (places, words) and
        total: (places, 1), both from `_softmax`.
        right: the right words (places,).
        slope: the gradient of the loss by the log-probability of the right words (places,).
    """
    words *= -slope[:, None] / total
    words[np.arange(len(right)), right] += slope
    return words


def _by_row(logps: np.ndarray, packed: Packed, batch: Batch) -> RowLogps:
    """The log-probabilities of whole rows, from those of their learnt tokens (places,)."""
    return RowLogps.of(np.bincount(packed.rows, logps, len(batch.tokens)).astype(np.float32), batch)


def _keep_memory() -> None:
    """Makes freed memory stay with the process. The next step needs as much again, and new pages cost time to clear."""
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(-3, 1 << 25)  # M_MMAP_THRESHOLD, as high as glibc takes it
    mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    mallopt(-8, 1)  # M_ARENA_MAX; the memory in a thread's own arena would be given back each time
