"""Reads an adapter in mlx-lm's layout from its folder, and refuses one that does not fit the base.

Import this after `blas.preload()`.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from mlx_lm.utils import load_model
from safetensors import SafetensorError, safe_open

from pipeline.adapters import CONFIG, WEIGHTS, Adapter
from pipeline.engine.int8 import layer_shape, layer_weight
from pipeline.engine.lora import EMBEDDINGS, LINEARS, Dora, Lora, Overlay, Stamp
from pipeline.errors import ModelError


def check_adapter(adapter: Adapter, base: Path | None) -> None:
    """Checks whether an engine would accept `adapter`.

    Args:
        adapter: the adapter on disk.
        base: the base's folder, of which only names and shapes are read; None: the base is not here, and only the adapter's
            own files are checked.

    Raises:
        ModelError: the engine would refuse it; the message gives the reason.
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
    load_overlay(adapter, stamp_of(adapter.folder), dict(model.named_modules()))


def load_overlay(adapter: Adapter, stamp: Stamp, layers: Mapping[str, nn.Module]) -> Overlay:
    """Reads and checks an adapter.

    Args:
        adapter: the adapter on disk.
        stamp: what `stamp_of` gives for its folder.
        layers: the base's own layers, by path.

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
    """The kind, `lora` or `dora`, and the scale."""
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
    """The arrays by layer, then by `lora_a`, `lora_b` and `m`. They are in memory, and all their numbers are finite."""
    file = adapter.folder / WEIGHTS
    try:
        # MLX reads lazily, too late to refuse a file that is cut short.
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
        # NaN and infinity survive in a sum, and a sum is far quicker than a look at each number. NumPy's is quicker
        # than MLX's.
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
    weight = layer_weight(layer)
    if m.shape != (weight.shape[0],):
        raise _broken(adapter, f"{path}.m: {m.shape} does not fit {weight.shape[0]} rows")
    stretch = m / mx.linalg.norm(weight + (scale * b.T) @ a.T, axis=1)
    mx.eval(stretch)
    return Dora(a, b, scale, stretch)


def _widths(layer: nn.Module) -> tuple[int, int]:
    """The input and output width that a low-rank pair must fit; for an embedding, its number of words and their width."""
    rows, columns = layer_shape(layer)
    return (rows, columns) if isinstance(layer, EMBEDDINGS) else (columns, rows)


def stamp_of(folder: Path) -> Stamp:
    """A stamp that tells the adapter in `folder` from one that is written there later."""
    weights, config = (folder / WEIGHTS).stat(), (folder / CONFIG).stat()
    return weights.st_ino, weights.st_mtime_ns, weights.st_size, config.st_mtime_ns


def _broken(adapter: Adapter, reason: str, mend: str = "train it again, or name another one") -> ModelError:
    return ModelError(f"the adapter {adapter.name!r} can't be used ({reason}): {mend}")
