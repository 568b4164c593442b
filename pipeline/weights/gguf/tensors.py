"""Names, order and scale of weights: from GGUF to mlx-lm and back.

Import this after `blas.preload()`.
"""

import importlib
from typing import Any

import mlx.core as mx
import numpy as np
from gguf.constants import MODEL_ARCH, MODEL_ARCH_NAMES
from gguf.tensor_mapping import get_tensor_name_map
from mlx.utils import tree_flatten

from pipeline.weights.gguf.families import Family


def shapes_in_mlx(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """The name and shape of each weight of mlx-lm's model for this config.json. No weight is computed."""
    module = importlib.import_module(f"mlx_lm.models.{config['model_type']}")
    model = module.Model(module.ModelArgs.from_dict(config))
    weights: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    if config["tie_word_embeddings"]:
        weights.pop("lm_head.weight", None)
    return {name: tuple(array.shape) for name, array in weights.items()}


def names_in_gguf(family: Family, layers: int, names: list[str]) -> dict[str, str]:
    """GGUF's name for each of mlx-lm's `names`: `blk.3.attn_q.weight` for `model.layers.3.self_attn.q_proj.weight`.

    Raises:
        KeyError: llama.cpp has no name for one.
    """
    arch = next(arch for arch, name in MODEL_ARCH_NAMES.items() if name == family.arch)
    table = get_tensor_name_map(MODEL_ARCH(arch), layers)
    found = {name: table.get_name(name, try_suffixes=(".weight", ".bias")) for name in names}
    if missing := [name for name, other in found.items() if other is None]:
        raise KeyError(missing[0])
    return {name: other for name, other in found.items() if other is not None}


def from_gguf(family: Family, config: dict[str, Any], name: str, array: np.ndarray) -> np.ndarray:
    """The weight that mlx-lm calls `name`, in mlx-lm's order of rows and scale.

    Args:
        array: llama.cpp's weight, of shape (output, input) or (output,).
    """
    if heads := _heads(family, config, name):
        array = _swap(array, heads, (array.shape[0] // heads // 2, 2))
    return array - np.float32(family.norm_offset) if _is_offset(family, name) else array


def to_gguf(family: Family, config: dict[str, Any], name: str, array: np.ndarray) -> np.ndarray:
    """The weight in llama.cpp's order of rows and scale: the inverse of `from_gguf`."""
    if heads := _heads(family, config, name):
        array = _swap(array, heads, (2, array.shape[0] // heads // 2))
    return array + np.float32(family.norm_offset) if _is_offset(family, name) else array


def _heads(family: Family, config: dict[str, Any], name: str) -> int | None:
    """Number of heads in a weight whose rows llama.cpp interleaves for RoPE; None if it does not interleave them."""
    if not family.is_interleaved:
        return None
    if ".q_proj." in name:
        return int(config["num_attention_heads"])
    return int(config["num_key_value_heads"]) if ".k_proj." in name else None


def _swap(array: np.ndarray, heads: int, parts: tuple[int, int]) -> np.ndarray:
    """Transposes the rows of each head, seen as a matrix of shape `parts`."""
    return array.reshape(heads, *parts, *array.shape[1:]).swapaxes(1, 2).reshape(array.shape)


def _is_offset(family: Family, name: str) -> bool:
    return family.norm_offset != 0 and name.endswith("norm.weight")
