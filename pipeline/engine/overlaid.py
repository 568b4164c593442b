"""One base model under many adapters: each row of a batch is computed with the adapter that its request names.

Import this after `blas.preload()`.

No weights are swapped. mlx-lm keeps each request's KV caches through everything that its batches do (merge, split,
filter). `OverlayRows` is one more of these caches, so at each step the model knows which request each row belongs to. A row of
the base passes through the base's own layers only.
"""

from collections.abc import Callable, Collection
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten
from mlx_lm.models.cache import make_prompt_cache

from pipeline.engine.lora import EMBEDDINGS, Overlay


class OverlayRows:
    """The overlay of each row of a batch; None is the base. It behaves as the cache of one more layer."""

    state: tuple[mx.array, ...] = ()
    """The arrays that mlx-lm evaluates after each step: none here."""

    def __init__(self, overlays: list[Overlay | None]) -> None:
        self.overlays = overlays

    @staticmethod
    def merge(caches: "list[OverlayRows]") -> "OverlayRows":
        """The rows of several batches in one, in their order."""
        return OverlayRows([overlay for rows in caches for overlay in rows.overlays])

    def extend(self, other: "OverlayRows") -> None:
        """Appends the rows of another batch."""
        self.overlays = self.overlays + other.overlays

    def filter(self, keep: list[int]) -> None:
        """Keeps only the rows with these numbers."""
        self.overlays = [self.overlays[row] for row in keep]

    def extract(self, row: int) -> "OverlayRows":
        """The row with this number, on its own."""
        return OverlayRows([self.overlays[row]])

    def prepare(self, **_: object) -> None:
        """Does nothing, because rows have no padding."""

    def finalize(self) -> None:
        """Does nothing, because rows have no padding."""

    def is_trimmable(self) -> bool:
        """Always true: rows hold no tokens, so there is nothing to lose."""
        return True

    def trim(self, count: int) -> int:
        """Removes nothing, and reports `count` tokens as removed."""
        return count

    def empty(self) -> bool:
        """Always false, so mlx-lm keeps it."""
        return False

    @property
    def nbytes(self) -> int:
        """The bytes that mlx-lm counts for it: 0."""
        return 0


class _Routing:
    """The rows of the current batch, grouped by overlay. Every wrapped layer reads it."""

    def __init__(self) -> None:
        self.count = 0
        self.groups: list[tuple[Overlay, mx.array | None]] = []
        """Each overlay with its row numbers (None: all rows). Rows of the base are in no group."""

    def set(self, overlays: list[Overlay | None]) -> None:
        """Takes the overlays of the rows of the batch at hand, in their order; None is the base."""
        self.count = len(overlays)
        rows: dict[int, list[int]] = {}
        for row, overlay in enumerate(overlays):
            if overlay is not None:
                rows.setdefault(id(overlay), []).append(row)
        self.groups = []
        for numbers in rows.values():
            overlay = overlays[numbers[0]]
            assert overlay is not None
            self.groups.append((overlay, None if len(numbers) == self.count else mx.array(numbers)))


class _Overlaid(nn.Module):
    """A layer of the base, with what the batch's overlays add to it."""

    def __init__(self, layer: nn.Module, path: str, routing: _Routing) -> None:
        super().__init__()
        self.layer = layer
        self._path = path
        self._routing = routing

    def _add(self, kind: str, x: mx.array, y: mx.array, features: int) -> mx.array:
        """`y` with the overlays' part; `features` counts the trailing axes of `x` that are not positions."""
        for overlay, rows in self._routing.groups:
            if (lora := overlay.layers.get(self._path)) is None:
                continue
            change: Callable[..., mx.array] = getattr(lora, kind)
            if rows is None:
                y = change(self.layer, x, y)
                continue
            # Some models flatten rows and positions into one axis.
            shape = y.shape
            xs = x.reshape(self._routing.count, -1, *x.shape[x.ndim - features :])
            y = y.reshape(self._routing.count, -1, shape[-1])
            y[rows] = change(self.layer, xs[rows], y[rows])
            y = y.reshape(shape)
        return y


class _OverlaidLinear(_Overlaid):
    def __call__(self, x: mx.array) -> mx.array:
        return self._add("linear", x, self.layer(x), features=1)

    def numbers(self, x: np.ndarray) -> np.ndarray:
        """The output (rows, 1, output) of a layer in 8 bits for NumPy's input (rows, 1, input)."""
        y: np.ndarray = self.layer.numbers(x)
        for overlay, rows in self._routing.groups:
            if lora := overlay.layers.get(self._path):
                which = slice(None) if rows is None else np.array(rows)
                y[which] = lora.numbers(self.layer, x[which], y[which])
        return y


class _OverlaidEmbedding(_Overlaid):
    def __call__(self, x: mx.array) -> mx.array:
        return self._add("embedding", x, self.layer(x), features=0)

    def as_linear(self, x: mx.array) -> mx.array:
        """Logits by the embedding's transpose, (rows, positions, words), with what the overlays add."""
        return self._add("as_linear", x, self.layer.as_linear(x), features=1)


class OverlaidModel(nn.Module):
    """The base as mlx-lm's generation calls it. `OverlayRows` is the last of its caches."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self._routing = _Routing()

    @property
    def layers(self) -> Any:
        """The base's layers, which mlx-lm asks for."""
        return self.base.layers

    def make_cache(self) -> list[Any]:
        """Empty caches of one request of the base."""
        return self.make_cache_for(None)

    def make_cache_for(self, overlay: Overlay | None) -> list[Any]:
        """Empty caches of one request that is answered with `overlay`; None: with the base."""
        return [*make_prompt_cache(self.base), OverlayRows([overlay])]

    def __call__(self, inputs: mx.array, cache: list[Any], **options: Any) -> mx.array:
        *caches, rows = cache
        self._routing.set(rows.overlays)
        logits: mx.array = self.base(inputs, cache=caches, **options)
        return logits

    def base_layers(self) -> dict[str, nn.Module]:
        """The base's own layers, without wrappers, by path."""
        modules = dict(self.base.named_modules())
        return {path: module.layer if isinstance(module, _Overlaid) else module for path, module in modules.items()}

    def prepare(self, paths: Collection[str]) -> None:
        """Wraps the layers at these paths, once. Wrapped layers stay wrapped, which costs a row of the base nothing."""
        if not paths:
            return
        modules = dict(self.base.named_modules())
        fresh = [(path, modules[path]) for path in paths if not isinstance(modules[path], _Overlaid)]
        wrapped = []
        for path, layer in fresh:
            wrapper = _OverlaidEmbedding if isinstance(layer, EMBEDDINGS) else _OverlaidLinear
            wrapped.append((path, wrapper(layer, path, self._routing)))
        if wrapped:
            self.base.update_modules(tree_unflatten(wrapped))
