"""Converts a GGUF into an MLX model folder that `mlx_lm.load` opens."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.errors import ModelError
from pipeline.weights import blas
from pipeline.weights.gguf.opened import GgufModel
from pipeline.weights.gguf.tokenizers import tokenizer_config, tokenizer_json

SHARD_BYTES = 2**30
"""Most bytes of weights in memory at once, and in one file."""
WIDTHS = {"float32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a weight."""


def convert(file: Path, folder: Path, dtype: str) -> None:
    """Write config.json, the weights, the tokenizer and the chat template of the model in `file` to `folder`.

    The weights are converted a few at a time, so the model may be larger than the memory.

    Args:
        file: a GGUF of one of `families.FAMILIES`, in floats or in a quantisation that the `gguf` package can expand.
        folder: an existing folder; files of the same name are overwritten.
        dtype: `float32`, `bfloat16` or `float16`; type of all written weights.

    Raises:
        ModelError: the file is no such GGUF, or the disk is too small. The message says what to do.
    """
    model = GgufModel(file)
    model.check()
    blas.preload()
    config = model.config(dtype)
    shapes = model.shapes(config)
    needed, free = _size(shapes, dtype), shutil.disk_usage(folder).free
    if needed > free:
        raise ModelError(
            f"{file.name} needs {needed / 1e9:.1f} GB for its weights, and {free / 1e9:.1f} GB are free at {folder.parent}: "
            "free some, or set SITETWIN_CACHE to a folder on another disk"
        )
    _write_weights(model, config, shapes, folder, dtype)
    _write(folder / "config.json", config)
    _write(
        folder / "generation_config.json",
        {key: config[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id") if key in config},
    )
    _write(folder / "tokenizer_config.json", tokenizer_config(model.metadata, config["max_position_embeddings"]))
    (folder / "tokenizer.json").write_text(tokenizer_json(model.metadata), encoding="utf-8")


def _write_weights(
    model: GgufModel, config: dict[str, Any], shapes: dict[str, tuple[int, ...]], folder: Path, dtype: str
) -> None:
    import mlx.core as mx

    from pipeline.weights.gguf.tensors import from_gguf

    names, shards = model.names(config, shapes), list(_shards(shapes, WIDTHS[dtype]))
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
        weights = {}
        for name in shard:
            array = from_gguf(model.family, config, name, model.read(names[name]))
            weights[name] = mx.array(array).astype(getattr(mx, dtype))
            mx.eval(weights[name])
        mx.save_safetensors(str(folder / file), weights, metadata={"format": "mlx"})
        index |= dict.fromkeys(shard, file)
    if len(shards) > 1:
        total = {"total_size": _size(shapes, dtype)}
        _write(folder / "model.safetensors.index.json", {"metadata": total, "weight_map": index})


def _size(shapes: dict[str, tuple[int, ...]], dtype: str) -> int:
    """Size of the weights in bytes."""
    return sum(math.prod(shape) for shape in shapes.values()) * WIDTHS[dtype]


def _shards(shapes: dict[str, tuple[int, ...]], width: int) -> Iterator[list[str]]:
    """Splits the names into lists of at most SHARD_BYTES of weights. A larger weight gets its own list."""
    shard: list[str] = []
    size = 0
    for name, shape in shapes.items():
        more = math.prod(shape) * width
        if shard and size + more > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append(name)
        size += more
    yield shard


def _write(file: Path, value: dict[str, Any]) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
