"""The blocks of a Llama or a Qwen, with the forward and the backward pass written out.

`forward` returns its result and what the backward pass needs of it. `backward` takes that, and returns the gradient of
the input.

Letters: T is the tokens of a packed batch, D the model's width.
"""

from typing import Any

import numpy as np

from pipeline.training.cpu import kernels
from pipeline.training.cpu.attention import Attention, Rope
from pipeline.training.cpu.norm import Norm
from pipeline.training.cpu.packing import Packed
from pipeline.training.cpu.projections import Arrays, Projections, projections


class Layer:
    """One block: y = x + attention(norm(x)), then y + mlp(norm(y))."""

    def __init__(self, layer: Any, name: str, rope: Rope, *, is_packed: bool, behind: int = 1) -> None:
        """Reads the layer's frozen weights.

        Args:
            layer: mlx-lm's layer.
            name: its path in the model.
            rope: the rotary positions that all layers share.
            is_packed: keep copies of the weights in the order in which the products read them.
            behind: how many layers it is behind the first trained one. Layers before that need no backward pass, and the
                first trained one needs no gradient of its own x.
        """
        parts = {f"{name}.{path}": part for path, part in projections(layer).items()}
        q, k, v, o, gate, up, down = ({name: part} for name, part in parts.items())
        groups = [({**q, **k, **v}, behind > 0), *((group, behind >= 0) for group in (o, {**gate, **up}, down))]
        self._all = [Projections(group, is_packed=is_packed, goes_back=back) for group, back in groups]
        self._qkv, self._o, self._wide, self._down = self._all
        self._attention = Attention(layer.self_attn, rope)
        self._norms = Norm(layer.input_layernorm), Norm(layer.post_attention_layernorm)

    def read(self) -> None:
        """Takes the adapters' current weights."""
        for part in self._all:
            part.read()

    def forward(
        self, x: np.ndarray, packed: Packed, seed: int | None, places: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """The block's output for x (T, D), as (T, D), and what `backward` needs.

        Args:
            x: (T, D).
            packed: the batch.
            seed: the seed of dropout; None: no dropout.
            places: the tokens that are wanted; the output is then (places, D).
        """
        tokens = len(x)
        y, norm = self._norms[0].forward(x)
        (q, k, v), of_qkv = self._qkv.forward(y, seed)
        mixed, attention = self._attention.forward(q, k, v, packed)
        if places is not None:
            x, mixed = x[places], mixed[places]
        (near,), of_o = self._o.forward(mixed, seed)
        near += x
        y, norm_2 = self._norms[1].forward(near)
        (gate, up), of_wide = self._wide.forward(y, seed)
        sigmoid, inner = np.negative(gate), np.empty_like(gate)
        np.exp(sigmoid, out=sigmoid)
        kernels.swiglu_forward(gate, up, sigmoid, inner)
        (out,), of_down = self._down.forward(inner, seed)
        out += near
        return out, (tokens, places, norm, of_qkv, attention, of_o, norm_2, of_wide, gate, up, sigmoid, of_down)

    def backward(self, dx: np.ndarray, kept: Any, found: Arrays, *, is_first: bool) -> np.ndarray:
        """The gradient of x, (T, D). `dx` is overwritten.

        Args:
            dx: the gradient of the output, (T, D) or (places, D).
            kept: what `forward` returned.
            found: receives the adapters' gradients by name.
            is_first: nothing before this layer is trained, so the returned array has no meaning.
        """
        tokens, places, norm, of_qkv, attention, of_o, norm_2, of_wide, gate, up, sigmoid, of_down = kept
        dinner = self._down.backward([dx], of_down, found)
        dgate, dup = np.empty_like(gate), np.empty_like(up)
        kernels.swiglu_backward(dinner, gate, up, sigmoid, dgate, dup)
        self._norms[1].backward(self._wide.backward([dgate, dup], of_wide, found), norm_2, dx)
        mixed = self._o.backward([dx], of_o, found)
        if places is not None:
            dx, mixed = _spread(dx, places, tokens), _spread(mixed, places, tokens)
        dqkv = self._attention.backward(mixed, attention)
        near = self._qkv.backward(dqkv, of_qkv, found, is_first=is_first)
        if not is_first:
            self._norms[0].backward(near, norm, dx)
        return dx


def _spread(x: np.ndarray, places: np.ndarray, tokens: int) -> np.ndarray:
    """A (T, D) with x (places, D) at its places and 0 elsewhere."""
    y = np.zeros((tokens, x.shape[1]), np.float32)
    y[places] = x
    return y
