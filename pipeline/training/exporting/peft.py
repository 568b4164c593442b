"""An adapter as Hugging Face PEFT writes it: what transformers, Unsloth and vLLM load beside the base.

Both multiply a layer's input by two small matrices and add the product, scaled, to its output. mlx-lm keeps them as
(input, rank) and (rank, output), PEFT as the weights of two linear layers, (rank, input) and (output, rank), and the
scale as lora_alpha / r. Import this after `blas.preload()`.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import mlx.core as mx
import mlx.nn as nn

from pipeline.engine.lora import EMBEDDINGS, LINEARS, Lora
from pipeline.errors import ModelError
from pipeline.training.exporting.export import Export
from pipeline.training.exporting.source import FULL, ExportSource
from pipeline.weights.demo import DEMO

WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"
HUB_NAMES = {DEMO: "HuggingFaceTB/SmolLM2-135M-Instruct"}

VLLM_RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's --max-lora-rank may be; 16 when it is not given."""

_PREFIX = "base_model.model."
_WRAPPED = "language_model.model."
"""Where mlx-lm has the text part of a model that also sees pictures; transformers has `model.language_model.`."""
_HEAD = "lm_head"


class Peft(Export):
    heeds = frozenset({"base_model"})

    def write(self, folder: Path) -> list[str]:
        return write_peft(self.source, folder, self.wishes.base_model)

    def next_step(self) -> str:
        folder = self.wishes.folder
        loaded = f'`PeftModel.from_pretrained(base, "{folder}")`'
        config = json.loads((folder / CONFIG).read_bytes())
        rank = next((rank for rank in VLLM_RANKS if rank >= config["r"]), None)
        if config["use_dora"] or rank is None:
            return loaded
        served = f"vllm serve BASE --enable-lora --max-lora-rank {rank} --lora-modules {self.source.name}={folder}"
        return f"{loaded}, or `{served}`"


def write_peft(source: ExportSource, folder: Path, base_name: str | None = None) -> list[str]:
    """Writes the two files into `folder`; returns what whoever loads them must know.

    Args:
        base_name: of the base in adapter_config.json; None: its name on the hub as far as that is known.

    Raises:
        ModelError: it is a full fine-tune, or broken.
    """
    if source.kind == FULL:
        raise ModelError(
            f"{source.name!r} is a full fine-tune: it has no small matrices that PEFT could add to a base; use "
            "--to fused, whose folder transformers and vLLM load"
        )
    model = source.load_base()
    layers = source.overlay(model).layers
    lora = next(iter(layers.values()))
    arrays = dict(_arrays(source, layers, model))
    mx.save_safetensors(str(folder / WEIGHTS), arrays, metadata={"format": "pt"})
    targets = {name.removeprefix(_PREFIX).rpartition(".lora_")[0] for name in arrays}
    name = base_name or HUB_NAMES.get(source.adapter.base) or source.config.get("_name_or_path") or str(source.base)
    config = peft_config(
        name,
        rank=lora.a.shape[1],
        scale=lora.scale,
        targets=target_modules(targets, model),
        is_dora=source.kind == "dora",
    )
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return list(_notes(source, name, is_given=base_name is not None))


def peft_config(base_name: str, *, rank: int, scale: float, targets: list[str] | str, is_dora: bool) -> dict[str, Any]:
    """The adapter_config.json of PEFT; its alpha is mlx-lm's scale times the rank."""
    alpha = scale * rank
    return {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": base_name,
        "r": rank,
        "lora_alpha": int(alpha) if alpha == int(alpha) else alpha,
        "lora_dropout": 0.0,
        "target_modules": targets,
        "use_dora": is_dora,
        "use_rslora": False,
        "bias": "none",
        "fan_in_fan_out": False,
        "modules_to_save": None,
        "inference_mode": True,
    }


def target_modules(paths: Collection[str], model: nn.Module) -> list[str] | str:
    """What tells PEFT which of the base's layers are adapted: their last names if that is enough, else all of them.

    Args:
        paths: of the adapted layers, in transformers' names.
    """
    if any(path.startswith("model.language_model.") for path in paths):
        # The part that sees pictures has layers of the same last names.
        return rf"(?:{'|'.join(sorted(map(re.escape, paths)))})"
    last = {path.rpartition(".")[2] for path in paths}
    named = {
        path
        for path, layer in model.named_modules()
        if isinstance(layer, (*LINEARS, *EMBEDDINGS)) and path.rpartition(".")[2] in last
    }
    return sorted(last) if named <= set(paths) else sorted(paths)


def name_in_transformers(path: str) -> str:
    """`language_model.model.layers.0.mlp` -> `model.language_model.layers.0.mlp`; most names are the same."""
    if path.startswith(_WRAPPED):
        return f"model.language_model.{path.removeprefix(_WRAPPED)}"
    return path.removeprefix("language_model.")


def _arrays(source: ExportSource, layers: dict[str, Lora], model: nn.Module) -> Iterator[tuple[str, mx.array]]:
    """By name in adapter_model.safetensors."""
    modules = dict(model.named_modules())
    is_tied = not any(path.endswith(_HEAD) for path in modules)
    magnitudes = source.weights()
    for path, lora in layers.items():
        name = _PREFIX + name_in_transformers(path)
        if isinstance(modules[path], EMBEDDINGS):
            yield f"{name}.lora_embedding_A", lora.a.T
            yield f"{name}.lora_embedding_B", lora.b.T
            if is_tied:
                # mlx-lm's change of the embedding is one of the output layer too, which PEFT sees as another layer.
                yield f"{_PREFIX}{_HEAD}.lora_A.weight", lora.b
                yield f"{_PREFIX}{_HEAD}.lora_B.weight", lora.a
            continue
        yield f"{name}.lora_A.weight", lora.a.T
        yield f"{name}.lora_B.weight", lora.b.T
        if source.kind == "dora":
            yield f"{name}.lora_magnitude_vector", magnitudes[f"{path}.m"]


def _notes(source: ExportSource, name: str, is_given: bool) -> Iterator[str]:
    if source.kind == "dora":
        yield "vLLM takes no DoRA: use --to fused there"
    if is_given:
        return
    if source.adapter.base == DEMO:
        yield f"the demo weights are {name} rounded to 4 bits: over the hub's own the answers differ a little"
    elif source.is_quantised:
        yield (
            f"{name} is quantised for MLX, which transformers can't load: name the model that it was made of with "
            "--base-model; over that one the answers differ a little"
        )
    elif name == str(source.base):
        yield f"adapter_config.json names the base by its folder, {name}: give its name on the hub with --base-model"
