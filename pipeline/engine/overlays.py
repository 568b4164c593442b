"""Adapters laid over one base model: every row of a batch is answered under the adapter that its request names.

Import this after `blas.preload()`.

Nothing is swapped. mlx-lm keeps each request's KV caches through all that its batches do (merge, split, filter), and
`Rows` rides along with them, so at each step the model knows whose rows it computes. A row of the base passes the
base's own layers and nothing else.
"""

import json
import math
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx.utils import tree_unflatten
from mlx_lm.models.cache import _BaseCache, make_prompt_cache
from mlx_lm.utils import load_model
from safetensors import SafetensorError, safe_open

from pipeline.adapters import CONFIG, WEIGHTS, Adapter, adapters_in, base_hash, find_adapter_in, other_base
from pipeline.errors import ModelError
from pipeline.weights.locating import weights_folder

LINEARS = (nn.Linear, nn.QuantizedLinear)
EMBEDDINGS = (nn.Embedding, nn.QuantizedEmbedding)
KEPT = 4
"""Adapters in memory beside those that are answering; the one that was not asked for longest goes."""

Stamp = tuple[int, int, int, int]
"""File, time of change and size of the weights, time of change of the configuration: another one is another adapter."""


@dataclass(frozen=True)
class Lora:
    """What one layer adds (LoRA, Hu et al. 2021), computed as mlx-lm's own layers do."""

    a: mx.array
    """(input, rank)"""
    b: mx.array
    """(rank, output)"""
    scale: float

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """`y` is the layer's own output for `x`."""
        return y + (self.scale * ((x @ self.a) @ self.b)).astype(x.dtype)

    def embedding(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        return y + (self.scale * (self.a[x] @ self.b)).astype(y.dtype)

    def as_linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        """For an embedding whose transpose is the output layer."""
        return y + (self.scale * ((x @ self.b.T) @ self.a.T)).astype(x.dtype)


@dataclass(frozen=True)
class Dora(Lora):
    """The same with learnt magnitudes of the rows (DoRA, Liu et al. 2024)."""

    stretch: mx.array
    """(output,): learnt magnitude over the norm of the adapted weight's row."""

    def linear(self, layer: nn.Module, x: mx.array, y: mx.array) -> mx.array:
        bias = layer.get("bias")
        adapted = super().linear(layer, x, y if bias is None else y - bias)
        stretched = self.stretch.astype(x.dtype) * adapted
        return stretched if bias is None else stretched + bias


@dataclass(frozen=True)
class Overlay:
    """An adapter's weights in memory."""

    name: str
    stamp: Stamp
    layers: dict[str, Lora] = field(repr=False)
    """By the layer's path in the base."""

    def __deepcopy__(self, _memo: object) -> "Overlay":
        # Prompt caches are copied with what rides along; weights that never change need not be.
        return self


class Rows(_BaseCache):
    """Under which overlay each row of a batch is computed; None is the base. Behaves as one more layer's cache."""

    def __init__(self, overlays: list[Overlay | None]) -> None:
        self.overlays = overlays

    @staticmethod
    def merge(caches: "list[Rows]") -> "Rows":
        return Rows([overlay for rows in caches for overlay in rows.overlays])

    def extend(self, other: "Rows") -> None:
        self.overlays = self.overlays + other.overlays

    def filter(self, keep: list[int]) -> None:
        self.overlays = [self.overlays[row] for row in keep]

    def extract(self, row: int) -> "Rows":
        return Rows([self.overlays[row]])

    def prepare(self, **_: object) -> None:
        """Rows have no padding."""

    def finalize(self) -> None:
        """Rows have no padding."""

    def is_trimmable(self) -> bool:
        return True

    def trim(self, count: int) -> int:
        return count

    def empty(self) -> bool:
        return False

    @property
    def nbytes(self) -> int:
        return 0


class _Routing:
    """Which rows of the batch at hand want which overlay; each wrapped layer reads it."""

    def __init__(self) -> None:
        self.count = 0
        self.groups: list[tuple[Overlay, mx.array | None]] = []
        """Row numbers of each overlay, None for all rows; rows of the base are in no group."""

    def set(self, overlays: list[Overlay | None]) -> None:
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
    """A layer of the base, and what the overlays of the batch add to it."""

    def __init__(self, layer: nn.Module, path: str, routing: _Routing) -> None:
        super().__init__()
        self.layer = layer
        self._path = path
        self._routing = routing

    def _add(self, kind: str, x: mx.array, y: mx.array, features: int) -> mx.array:
        """`y` with the overlays' part; `features` is the number of trailing axes of `x` that are no position."""
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


class _OverlaidEmbedding(_Overlaid):
    def __call__(self, x: mx.array) -> mx.array:
        return self._add("embedding", x, self.layer(x), features=0)

    def as_linear(self, x: mx.array) -> mx.array:
        return self._add("as_linear", x, self.layer.as_linear(x), features=1)


class OverlaidModel(nn.Module):
    """The base as mlx-lm's generation calls it, with `Rows` as the last of its caches."""

    def __init__(self, base: nn.Module) -> None:
        super().__init__()
        self.base = base
        self._routing = _Routing()

    @property
    def layers(self) -> Any:
        return self.base.layers

    def make_cache(self) -> list[Any]:
        return self.make_cache_for(None)

    def make_cache_for(self, overlay: Overlay | None) -> list[Any]:
        """Empty caches of one request."""
        return [*make_prompt_cache(self.base), Rows([overlay])]

    def __call__(self, inputs: mx.array, cache: list[Any], **options: Any) -> mx.array:
        *caches, rows = cache
        self._routing.set(rows.overlays)
        return self.base(inputs, cache=caches, **options)

    def base_layers(self) -> dict[str, nn.Module]:
        """The base's own layers by path."""
        modules = dict(self.base.named_modules())
        return {path: module.layer if isinstance(module, _Overlaid) else module for path, module in modules.items()}

    def prepare(self, paths: Collection[str]) -> None:
        """Wraps these layers; once wrapped they stay so, and cost the base nothing."""
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


class Overlays:
    """The adapters of one folder, loaded when they are first asked for. For one thread: the one that generates."""

    def __init__(self, directory: Path, model: OverlaidModel, base: str, base_name: str) -> None:
        self._directory = directory
        self._model = model
        self._base = base
        self._base_name = base_name
        self._layers = model.base_layers()
        self._prepared: set[str] = set()
        self._loaded: OrderedDict[str, Overlay] = OrderedDict()
        self._answering: WeakValueDictionary[tuple[str, Stamp], Overlay] = WeakValueDictionary()
        """All that are in memory still: a batch holds those of its rows, also after they were dropped here."""

    def usable(self) -> list[Adapter]:
        """Those on disk that were made for this base, by name; for any thread."""
        return [one for one in adapters_in(self._directory) if one.base_hash in ("", self._base_hash)]

    def get(self, name: str | None) -> Overlay | None:
        """The overlay to answer under; None for the base.

        Raises:
            ModelError: there is no such adapter (any more), it is broken, or it is for another base.
        """
        if name is None:
            return None
        try:
            adapter = find_adapter_in(self._directory, name)
            stamp = _stamp(adapter.folder)
            if (overlay := self._answering.get((name, stamp))) is None:
                if adapter.base_hash not in ("", self._base_hash):
                    raise ModelError(other_base(adapter, self._base_name))
                overlay = load_overlay(adapter, stamp, self._layers)
                self._model.prepare(overlay.layers.keys() - self._prepared)
                self._prepared |= overlay.layers.keys()
                self._answering[name, stamp] = overlay
        except (ModelError, OSError) as error:
            # What is answering under it goes on; its memory is freed after that.
            self._loaded.pop(name, None)
            if isinstance(error, OSError):
                raise ModelError(f"the adapter {name!r} vanished ({error}): name another one") from None
            raise
        self._loaded[name] = overlay
        self._loaded.move_to_end(name)
        if len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
            mx.clear_cache()  # MLX would keep the memory for arrays to come
        return overlay

    @cached_property
    def _base_hash(self) -> str:
        return base_hash(weights_folder(self._base))


def check_adapter(adapter: Adapter, base: Path | None) -> None:
    """Whether an engine would take it.

    Args:
        base: the base's folder, of which nothing but names and shapes is read; None: it is not here, and only what the
            adapter's files say for themselves is checked.

    Raises:
        ModelError: it would refuse it, for this reason.
    """
    if base is None:
        _configuration(adapter)
        _weights(adapter)
        return
    try:
        model, _ = load_model(base, lazy=True)
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"can't load the model {str(base)!r} ({reason}): set [models] chat to one that works"
        ) from None
    load_overlay(adapter, _stamp(adapter.folder), dict(model.named_modules()))


def load_overlay(adapter: Adapter, stamp: Stamp, layers: Mapping[str, nn.Module]) -> Overlay:
    """Reads and checks an adapter of mlx-lm.

    Args:
        layers: the base's own, by path.

    Raises:
        ModelError: its files are broken, do not fit the model, or are of a kind that can't be laid over it.
        OSError: its files are gone.
    """
    kind, scale = _configuration(adapter)
    loras: dict[str, Lora] = {}
    for path, parts in _weights(adapter).items():
        layer = layers.get(path)
        if not isinstance(layer, (*LINEARS, *EMBEDDINGS)):
            what = "the base has no such layer" if layer is None else f"{type(layer).__name__} can't be overlaid"
            raise _broken(adapter, f"{path}: {what}", "merge it with `mlx_lm.fuse` and name that folder as models.chat")
        expected = {"lora_a", "lora_b", "m"} if kind == "dora" else {"lora_a", "lora_b"}
        if set(parts) != expected:
            raise _broken(adapter, f"{path} has {', '.join(sorted(parts))} where {', '.join(sorted(expected))} belong")
        a, b = parts["lora_a"], parts["lora_b"]
        width_in, width_out = _widths(layer)
        if a.ndim != 2 or a.shape[0] != width_in or b.shape != (a.shape[1], width_out):
            raise _broken(adapter, f"{path}: {a.shape} and {b.shape} do not fit a layer of {width_in} to {width_out}")
        loras[path] = _dora(adapter, path, layer, parts, scale) if kind == "dora" else Lora(a, b, scale)
    if not loras:
        raise _broken(adapter, f"{WEIGHTS} is empty")
    return Overlay(adapter.name, stamp, loras)


def _configuration(adapter: Adapter) -> tuple[str, float]:
    """`lora` or `dora`, and the scale."""
    try:
        config = json.loads((adapter.folder / CONFIG).read_bytes())
        kind = config.get("fine_tune_type", "lora")
        scale = float(config["lora_parameters"]["scale"]) if kind != "full" else 0.0
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(adapter, f"{CONFIG} lacks or garbles {error}") from None
    if kind not in ("lora", "dora"):
        raise _broken(
            adapter,
            f"fine_tune_type is {kind!r}, a model of its own",
            f"`sitetwin export {adapter.name} --to fused` makes a folder of it, for models.chat",
        )
    if not math.isfinite(scale):
        raise _broken(adapter, f"its scale is {scale}")
    return kind, scale


def _weights(adapter: Adapter) -> dict[str, dict[str, mx.array]]:
    """By layer, then by `lora_a`, `lora_b` and `m`; in memory, all numbers finite."""
    file = adapter.folder / WEIGHTS
    try:
        # MLX reads late, where a file that is too short can't be refused any more.
        with safe_open(str(file), framework="numpy"):
            arrays = mx.load(str(file))
    except FileNotFoundError:
        raise
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise _broken(adapter, f"{WEIGHTS}: {' '.join(str(error).split())[:150]}") from None
    assert isinstance(arrays, dict)
    mx.eval(arrays)
    weights: dict[str, dict[str, mx.array]] = {}
    for name, array in arrays.items():
        if not mx.issubdtype(array.dtype, mx.floating):
            raise _broken(adapter, f"{name} holds {array.dtype}, no weights")
        # NaN and infinity stay in a sum, which is far quicker than looking at each number; NumPy's is quicker than MLX's.
        with np.errstate(all="ignore"):
            total = np.asarray(array.astype(mx.float32)).sum()
        if not np.isfinite(total):
            raise _broken(adapter, f"{name} holds numbers that are not finite")
        path, _, part = name.rpartition(".")
        weights.setdefault(path, {})[part] = array
    return weights


def _dora(adapter: Adapter, path: str, layer: nn.Module, parts: dict[str, mx.array], scale: float) -> Dora:
    if not isinstance(layer, LINEARS):
        raise _broken(adapter, f"{path}: DoRA of an embedding can't be overlaid", "train it as LoRA")
    a, b, m = parts["lora_a"], parts["lora_b"], parts["m"]
    weight = layer.weight
    if isinstance(layer, nn.QuantizedLinear):
        weight = mx.dequantize(
            weight, layer.scales, layer.get("biases"), group_size=layer.group_size, bits=layer.bits, mode=layer.mode
        )
    if m.shape != (weight.shape[0],):
        raise _broken(adapter, f"{path}.m: {m.shape} does not fit {weight.shape[0]} rows")
    stretch = m / mx.linalg.norm(weight + (scale * b.T) @ a.T, axis=1)
    mx.eval(stretch)
    return Dora(a, b, scale, stretch)


def _widths(layer: nn.Module) -> tuple[int, int]:
    """What a low-rank pair (input, rank), (rank, output) must fit: for an embedding, its words and their width."""
    rows, columns = layer.weight.shape
    if isinstance(layer, (nn.QuantizedLinear, nn.QuantizedEmbedding)):
        columns = columns * 32 // layer.bits
    return (rows, columns) if isinstance(layer, EMBEDDINGS) else (columns, rows)


def _stamp(folder: Path) -> Stamp:
    weights, config = (folder / WEIGHTS).stat(), (folder / CONFIG).stat()
    return weights.st_ino, weights.st_mtime_ns, weights.st_size, config.st_mtime_ns


def _broken(adapter: Adapter, reason: str, mend: str = "train it again, or name another one") -> ModelError:
    return ModelError(f"the adapter {adapter.name!r} can't be used ({reason}): {mend}")
