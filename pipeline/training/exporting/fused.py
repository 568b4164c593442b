"""Base and adapter as one model: a normal folder that mlx-lm and transformers load.

Import this after `blas.preload()`.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any

import mlx.nn as nn
from mlx.utils import tree_flatten, tree_unflatten
from mlx_lm.tuner.dora import DoRALinear
from mlx_lm.tuner.lora import LoRAEmbedding, LoRALinear
from mlx_lm.utils import dequantize_model, quantize_model, save_config, save_model

from pipeline.adapters import WEIGHTS
from pipeline.engine.lora import EMBEDDINGS, Dora
from pipeline.errors import ModelError
from pipeline.training.exporting.disk import bytes_of_export
from pipeline.training.exporting.export import Bits, Export
from pipeline.training.exporting.source import FULL, ExportSource

_WEIGHTS = (".safetensors", ".safetensors.index.json", ".gguf", ".bin", ".pt", ".pth")
_OF_ALL = (
    "bos_token_id",
    "eos_token_id",
    "pad_token_id",
    "quantization",
    "torch_dtype",
    "dtype",
    "tie_word_embeddings",
)
_OWN = ("config.json", "README.md", ".gitattributes")


class Fused(Export):
    heeds = frozenset({"bits", "dequantise"})

    def size(self) -> int:
        return bytes_of_export(
            self.source.base,
            self.source.config,
            bits=self.wishes.bits,
            is_expanded=self.wishes.dequantise,
            copies=1,
        )

    def write(self, folder: Path) -> list[str]:
        bits, dequantise = self.wishes.bits, self.wishes.dequantise
        write_fused(self.source, folder, bits=bits, dequantise=dequantise)
        if self.source.is_quantised and not dequantise and not bits:
            return ["what the adapter changed was quantised again, which rounds: --dequantize keeps all of it"]
        return []

    def next_step(self) -> str:
        return f'`[models] chat = "{self.wishes.folder}"`, or `mlx_lm.generate --model {self.wishes.folder}`'


def fuse(source: ExportSource, *, dequantise: bool = False) -> tuple[nn.Module, dict[str, Any]]:
    """The model with the adapter merged into its weights, and its config.json.

    Args:
        dequantise: a quantised base is expanded to floats; else what the adapter has changed is quantised again.

    Raises:
        ModelError: the adapter is broken, or does not fit its base.
    """
    model, config = source.load_base(), dict(source.config)
    if source.kind == FULL:
        _check_full(source, model)
        model.load_weights(list(source.weights().items()), strict=False)
    else:
        merged = [(path, layer.fuse(dequantize=dequantise)) for path, layer in _adapted(source, model)]
        model.update_modules(tree_unflatten(merged))
    if dequantise:
        model = dequantize_model(model)
        for key in ("quantization", "quantization_config"):
            config.pop(key, None)
    return _text_alone(model, config)


def write_fused(source: ExportSource, folder: Path, *, bits: Bits | None = None, dequantise: bool = False) -> None:
    """Writes the fused model into `folder`, with the base's tokenizer and chat template as they are.

    Args:
        bits: quantise it, as `mlx_lm.convert` does.
    """
    model, config = fuse(source, dequantise=dequantise or bits is not None)
    if bits:
        with redirect_stdout(sys.stderr):  # it prints how many bits it took
            model, config = quantize_model(model, config, group_size=None, bits=bits)
    save_model(folder, model, donate_model=True)
    save_config(config, folder / "config.json")
    for file in source.base.iterdir():
        if file.is_file() and not file.name.endswith(_WEIGHTS) and file.name not in _OWN:
            shutil.copyfile(file, folder / file.name)


def _text_alone(model: nn.Module, config: dict[str, Any]) -> tuple[nn.Module, dict[str, Any]]:
    """Of Gemma 3, mlx-lm loads no more than what reads text; without the rest it is the architecture of that name."""
    if config["model_type"] != "gemma3":
        return model, config
    inner = model.language_model
    # Every value is written out: Ollama's converter knows no defaults.
    text = {**config["text_config"], **asdict(inner.args)}
    text |= {key: config[key] for key in _OF_ALL if key in config}
    if "quantization" in text:
        text["quantization"] = {
            key.removeprefix("language_model."): value for key, value in text["quantization"].items()
        }
    return inner, text | {"model_type": "gemma3_text", "architectures": ["Gemma3ForCausalLM"]}


def _adapted(source: ExportSource, model: nn.Module) -> Iterator[tuple[str, Any]]:
    """The layers that the adapter changes, as mlx-lm trains them."""
    modules, arrays = dict(model.named_modules()), source.weights()
    for path, lora in source.overlay(model).layers.items():
        is_dora = isinstance(lora, Dora)
        kind = DoRALinear if is_dora else LoRAEmbedding if isinstance(modules[path], EMBEDDINGS) else LoRALinear
        layer = kind.from_base(modules[path], r=lora.a.shape[1], scale=lora.scale)
        layer.lora_a, layer.lora_b = lora.a, lora.b
        if is_dora:
            layer.m = arrays[f"{path}.m"]
        yield path, layer


def _check_full(source: ExportSource, model: nn.Module) -> None:
    """mlx-lm takes what fits of a full fine-tune, and says nothing of the rest."""
    shapes = {path: array.shape for path, array in dict(tree_flatten(model.parameters())).items()}
    wrong = [path for path, array in source.weights().items() if shapes.get(path) != array.shape]
    if wrong:
        raise ModelError(
            f"{source.name!r} does not fit its base ({wrong[0]} in {WEIGHTS}): set [models] chat to the model that it was "
            "trained on"
        )
