"""A fused model as llama.cpp's GGUF in 16 bits, the inverse of `pipeline.weights.gguf`.

Import this after `blas.preload()`.
"""

import importlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
from gguf import GGUFWriter, LlamaFileType
from mlx.utils import tree_flatten, tree_map

from pipeline.errors import ModelError
from pipeline.training.exporting.disk import bytes_of_export
from pipeline.training.exporting.export import Export
from pipeline.training.exporting.fused import fuse
from pipeline.training.exporting.source import ExportSource
from pipeline.training.exporting.vocabulary import kind_of, read_tokenizer, tokenizer_metadata
from pipeline.weights.gguf.families import (
    GEMMA2,
    GEMMA3,
    GEMMA3_PATTERN,
    LLAMA,
    NAMES,
    Family,
    attention_scale_of,
    family_of_type,
    metadata_of,
)
from pipeline.weights.gguf.rope import llama3_factors
from pipeline.weights.gguf.tensors import names_in_gguf, to_gguf

WITHOUT_GGUF = "--to fused --dequantize and llama.cpp's convert_hf_to_gguf.py"


class Gguf(Export):
    def size(self) -> int:
        return bytes_of_export(self.source.base, self.source.config, bits=None, is_expanded=True, copies=1)

    def write(self, folder: Path) -> list[str]:
        fused, config = fuse(self.source, dequantise=True)
        write_gguf(self.source, fused, config, folder / f"{self.source.name}.gguf")
        return []

    def next_step(self) -> str:
        file = self.wishes.folder / f"{self.source.name}.gguf"
        return f"`llama-server -m {file}`, or `FROM {file}` in a Modelfile"


def reason_against_gguf(source: ExportSource, config: dict[str, Any]) -> str:
    """Why this model has no GGUF here, in words that fit into brackets; "" when it has.

    Args:
        config: of the fused model.
    """
    family = family_of_type(config["model_type"])
    if family is None:
        return f"{config['model_type']} is none of {NAMES}"
    whole = complete(family, config)
    scaling = whole["rope_scaling"]
    kind = scaling.get("rope_type", scaling.get("type", "default"))
    if kind not in ("default", "linear", *(["llama3"] if family is LLAMA else [])):
        return f"its positions are scaled as {kind}"
    if kind_of(read_tokenizer(source.base)) is None:
        return "its tokenizer cuts words in a way that has no name in GGUF"
    if family in (GEMMA2, GEMMA3):
        if whole["query_pre_attn_scalar"] != attention_scale_of(family, whole):
            return f"its attention is scaled by {whole['query_pre_attn_scalar']}"
        if whole.get("sliding_window_pattern", GEMMA3_PATTERN) != GEMMA3_PATTERN:
            return (
                f"one in {whole['sliding_window_pattern']} of its layers sees everything, not one in {GEMMA3_PATTERN}"
            )
        return ""
    odd = [layer for layer in config.get("layer_types") or () if layer != "full_attention"]
    return f"it has layers of {odd[0]}" if odd else ""


def write_gguf(source: ExportSource, model: nn.Module, config: dict[str, Any], file: Path) -> None:
    """Writes the fused, unquantised `model` with its tokenizer and chat template. The model is used up by it.

    Raises:
        ModelError: its architecture or its tokenizer can't be written; the message names the other ways.
    """
    if reason := reason_against_gguf(source, config):
        raise ModelError(
            f"no GGUF for this model ({reason}): use --to ollama, whose own converter knows more of them, or {WITHOUT_GGUF}"
        )
    family = family_of_type(config["model_type"])
    assert family is not None
    whole = complete(family, config)
    parameters: dict[str, mx.array] = dict(tree_flatten(model.parameters()))
    # Each weight is made when it is written, and is gone after that.
    model.update(tree_map(lambda _: mx.array([]), model.parameters()))
    rows = int(parameters["model.embed_tokens.weight"].shape[0])
    writer = GGUFWriter(file, family.arch)
    writer.add_name(source.name)
    writer.add_file_type(LlamaFileType.MOSTLY_F16)
    metadata = metadata_of(family, whole | {"vocab_size": rows})
    for key, value in {**metadata, **tokenizer_metadata(read_tokenizer(source.base), source.tokenizer, rows)}.items():
        _add(writer, key, value)
    try:
        _write_tensors(writer, family, whole, parameters)
    finally:
        writer.close()


def complete(family: Family, config: dict[str, Any]) -> dict[str, Any]:
    """config.json with all that mlx-lm's model of the family takes, and its defaults."""
    module = importlib.import_module(f"mlx_lm.models.{family.model_type}")
    scaling = config.get("rope_scaling") or config.get("rope_parameters") or {}
    # Newer files have the base of RoPE beside its scaling.
    theta = {"rope_theta": scaling["rope_theta"]} if "rope_theta" in scaling else {}
    values = asdict(module.ModelArgs.from_dict({**theta, **config, "model_type": family.model_type}))
    return values | {
        "head_dim": values.get("head_dim") or values["hidden_size"] // values["num_attention_heads"],
        "max_position_embeddings": config.get("max_position_embeddings")
        or values.get("max_position_embeddings")
        or 8192,
        "sliding_window": config.get("sliding_window") or values.get("sliding_window"),
        "rope_scaling": scaling,
    }


def _write_tensors(writer: GGUFWriter, family: Family, config: dict[str, Any], parameters: dict[str, mx.array]) -> None:
    """Matrices in 16 bits, vectors in 32, one after the other: no more than one is in memory."""
    names = names_in_gguf(family, config["num_hidden_layers"], list(parameters))
    for path, array in parameters.items():
        kind = np.dtype(np.float16 if array.ndim == 2 else np.float32)
        writer.add_tensor_info(names[path], array.shape, kind, array.size * kind.itemsize)
    factors = None
    if config["rope_scaling"].get("rope_type") == "llama3":
        factors = llama3_factors(config["rope_theta"], config["head_dim"], config["rope_scaling"])
        writer.add_tensor_info("rope_freqs.weight", factors.shape, factors.dtype, factors.nbytes)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for path in list(parameters):
        array = parameters.pop(path)
        # bfloat16 is unknown to NumPy, and passes through float32 unchanged.
        numbers = to_gguf(family, config, path, np.array(array.astype(mx.float32)))
        writer.write_tensor_data(np.ascontiguousarray(numbers, np.float16 if array.ndim == 2 else np.float32))
    if factors is not None:
        writer.write_tensor_data(factors)


def _add(writer: GGUFWriter, key: str, value: Any) -> None:
    """Whole numbers are 32 bits without a sign in llama.cpp's metadata."""
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    elif isinstance(value, list):
        writer.add_array(key, value)
    else:
        writer.add_string(key, value)
