"""Reads an adapter of Hugging Face PEFT, as TRL, Unsloth and axolotl write it too, into mlx-lm's layout.

PEFT adds scale · B A to a layer's weight, where scale is lora_alpha / r, or lora_alpha / √r with rsLoRA (Kalajdzievski
2023). Rank and scale may differ from layer to layer. mlx-lm has one of each, so a layer's own scale goes into its B, and
missing ranks are filled with zeros, which adds nothing. Import this after `blas.preload()`.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
from safetensors import SafetensorError, safe_open

from pipeline.engine.lora import EMBEDDINGS
from pipeline.errors import ModelError
from pipeline.training.exporting.peft import CONFIG, WEIGHTS, name_in_transformers

PICKLE = "adapter_model.bin"
_PREFIX = "base_model.model."
_HEAD = "lm_head"
_PART = re.compile(
    r"(?P<path>.+)\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)"
    r"(?:\.(?!weight$)[^.]+)?(?:\.weight)?"
)
"""An array's name; `default` and the like between part and `weight` is the adapter's name in older files."""
_CHANGED_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")
"""Ways to begin a LoRA that change the base's own weights, so that the adapter fits that changed base alone."""


@dataclass(frozen=True)
class PeftLayer:
    """What PEFT adds to one layer, all in float32."""

    a: mx.array
    """A transposed, (input, rank)."""
    b: mx.array
    """B transposed, (rank, output)."""
    scale: float
    magnitude: mx.array | None = None
    """(output,), for DoRA."""


def is_peft(folder: Path) -> bool:
    """Whether `folder` holds an adapter of PEFT."""
    return any((folder / name).is_file() for name in (WEIGHTS, PICKLE))


def read_peft(folder: Path, model: nn.Module) -> tuple[dict[str, mx.array], dict[str, Any]]:
    """The arrays and the configuration of mlx-lm's layout.

    Args:
        model: the base, whose layers the adapter must fit.

    Raises:
        ModelError: it is broken, or holds what mlx-lm can't express; the message names it.
    """
    config = _configuration(folder)
    layers = _in_mlx(_layers(folder, config), model, folder)
    return _arrays(layers), _mlx_configuration(layers, is_dora=bool(config.get("use_dora")))


def _configuration(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_bytes())
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except FileNotFoundError:
        raise ModelError(f"{folder} has no {CONFIG}: name the folder that PEFT's save_pretrained wrote") from None
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(folder, f"{CONFIG} lacks or garbles {error}", "save it again with save_pretrained") from None
    if rank < 1 or not math.isfinite(alpha):
        raise _refused(folder, f"r is {rank} and lora_alpha {alpha}", "save it again with save_pretrained")
    assert isinstance(config, dict)
    for key, usual in (("peft_type", "LORA"), ("bias", "none"), ("fan_in_fan_out", False), ("lora_bias", False)):
        if config.get(key) not in (None, usual):
            raise _refused(folder, f"{key} is {config[key]!r}", "merge it into its base (merge_and_unload)")
    for key in ("modules_to_save", "trainable_token_indices", "target_parameters"):
        if config.get(key):
            raise _refused(folder, f"{key} holds weights of the base", "merge it into its base (merge_and_unload)")
    begun = str(config.get("init_lora_weights", True)).lower()
    if begun.startswith(_CHANGED_BASE):
        raise _refused(
            folder,
            f"it began with {begun}, which changes the base",
            "save it again with path_initial_model_for_weight_conversion",
        )
    return config


def _layers(folder: Path, config: Mapping[str, Any]) -> dict[str, PeftLayer]:
    """By the layer's path in transformers' names."""
    parts: dict[str, dict[str, mx.array]] = {}
    for name, array in _read(folder).items():
        found = _PART.fullmatch(name)
        if found is None:
            raise _refused(folder, f"{name} is no part of a LoRA", "merge it into its base (merge_and_unload)")
        parts.setdefault(found["path"].removeprefix(_PREFIX), {})[found["part"]] = array.astype(mx.float32)
    is_dora = bool(config.get("use_dora"))
    return {path: _layer(folder, path, found, config, is_dora=is_dora) for path, found in parts.items()}


def _read(folder: Path) -> dict[str, mx.array]:
    file = folder / WEIGHTS
    if not file.is_file():
        raise _refused(folder, f"{PICKLE} is a pickle, which may run code", "save it with safe_serialization=True")
    try:
        # MLX reads lazily, too late to refuse a file that is cut short.
        with safe_open(str(file), framework="numpy"):
            arrays = mx.load(str(file))
    except (SafetensorError, RuntimeError, ValueError) as error:
        raise _refused(folder, f"{WEIGHTS}: {' '.join(str(error).split())[:150]}", "copy it again") from None
    if not isinstance(arrays, dict) or not arrays:
        raise _refused(folder, f"{WEIGHTS} is empty", "copy it again")
    return arrays


def _layer(
    folder: Path, path: str, parts: Mapping[str, mx.array], config: Mapping[str, Any], *, is_dora: bool
) -> PeftLayer:
    is_embedding = "lora_embedding_A" in parts
    names = ("lora_embedding_A", "lora_embedding_B") if is_embedding else ("lora_A", "lora_B")
    expected = {*names, *(("lora_magnitude_vector",) if is_dora else ())}
    if set(parts) != expected:
        found, belong = ", ".join(sorted(parts)), ", ".join(sorted(expected))
        raise _refused(folder, f"{path} has {found} where {belong} belong", "copy it again")
    a, b = (parts[name].T for name in names)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise _refused(folder, f"{path}: {a.shape} and {b.shape} do not fit each other", "copy it again")
    alpha = float(_pattern(config.get("alpha_pattern"), path, config["lora_alpha"]))
    scale = alpha / (math.sqrt(a.shape[1]) if config.get("use_rslora") else a.shape[1])
    return PeftLayer(a, b, scale, parts.get("lora_magnitude_vector"))


def _pattern(patterns: Mapping[str, Any] | None, path: str, usual: Any) -> Any:
    """A layer's own value. A pattern is a regular expression for the end of a path, as in PEFT's get_pattern_key."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", path):
            return value
    return usual


def _in_mlx(layers: Mapping[str, PeftLayer], model: nn.Module, folder: Path) -> dict[str, PeftLayer]:
    """By the layer's path in mlx-lm's names. An embedding that is the output layer too is one layer here, and two in PEFT."""
    modules = dict(model.named_modules())
    paths = {name_in_transformers(path): path for path in modules}
    found: dict[str, PeftLayer] = {}
    heads: dict[str, PeftLayer] = {}
    for path, layer in layers.items():
        # transformers 4 has the text part of a model that sees pictures at another place than version 5.
        own = paths.get(path) or next((paths[name] for name in _other_names(path) if name in paths), None)
        if own is not None:
            found[own] = layer
        elif path == _HEAD:
            heads[path] = layer
        else:
            raise _refused(folder, f"the base has no layer {path}", "set [models] chat to the base it was trained on")
    tied = [path for path in found if isinstance(modules[path], EMBEDDINGS) and _is_tied(modules)]
    if tied and _HEAD not in heads:
        raise _refused(folder, "it changes the embedding but not the output layer, which are one here", "merge it")
    if _HEAD in heads and not any(_same_change(found[path], heads[_HEAD]) for path in tied):
        raise _refused(folder, f"its {_HEAD} differs from its embedding, which are one in this base", "merge it")
    return found


def _is_tied(modules: Mapping[str, nn.Module]) -> bool:
    return not any(path.endswith(_HEAD) for path in modules)


def _other_names(path: str) -> list[str]:
    inner = re.sub(r"^(model\.)?(language_model\.)?(model\.)?", "", path)
    return [f"model.language_model.{inner}", f"model.{inner}"]


def _same_change(embedding: PeftLayer, head: PeftLayer) -> bool:
    """Whether both matrices change alike: the output layer's is (words, width), the embedding's (words, width) too."""
    if embedding.a.shape[0] != head.b.shape[1] or embedding.b.shape[1] != head.a.shape[0]:
        return False
    ours, theirs = embedding.scale * embedding.a @ embedding.b, head.scale * head.b.T @ head.a.T
    return bool(mx.allclose(ours, theirs, rtol=1e-4, atol=1e-6))


def _arrays(layers: Mapping[str, PeftLayer]) -> dict[str, mx.array]:
    rank, scale = _rank(layers), _scale(layers)
    arrays = {}
    for path, layer in layers.items():
        missing = rank - layer.a.shape[1]
        arrays[f"{path}.lora_a"] = mx.pad(layer.a, [(0, 0), (0, missing)])
        arrays[f"{path}.lora_b"] = mx.pad(layer.b * (layer.scale / scale), [(0, missing), (0, 0)])
        if layer.magnitude is not None:
            arrays[f"{path}.m"] = layer.magnitude.reshape(-1)
    return arrays


def _rank(layers: Mapping[str, PeftLayer]) -> int:
    return int(max(layer.a.shape[1] for layer in layers.values()))


def _scale(layers: Mapping[str, PeftLayer]) -> float:
    """One scale for all layers; with equal ones B stays as it is."""
    return max((layer.scale for layer in layers.values()), key=abs) or 1.0


def _mlx_configuration(layers: Mapping[str, PeftLayer], *, is_dora: bool) -> dict[str, Any]:
    numbered = [re.search(r"(?:^|\.)layers\.(\d+)\.(.+)", path) for path in layers]
    keys = {found[2] if found else path for found, path in zip(numbered, layers, strict=True)}
    return {
        "fine_tune_type": "dora" if is_dora else "lora",
        # All of them: the layers without weights of their own stay as they are.
        "num_layers": -1,
        "lora_parameters": {"rank": _rank(layers), "scale": _scale(layers), "dropout": 0.0, "keys": sorted(keys)},
    }


def _refused(folder: Path, reason: str, mend: str) -> ModelError:
    return ModelError(f"the adapter in {folder} can't be imported ({reason}): {mend}")
