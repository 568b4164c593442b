"""How much memory a run takes, before it takes it.

Counted from the model's config.json and the size of its files. What a layer keeps for the way back was counted from
mlx-lm's Llama with LoRA on all seven projections.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.training.config import TrainingConfig

FLOAT = 4
"""Bytes of a number of the adapter, its gradient and the optimiser's two moments."""
KEPT_WIDTHS, KEPT_INNER = 14, 6
"""Arrays of the hidden and of the inner width that a layer keeps of each token."""
KEPT_SCORES = 3
"""Arrays of tokens × tokens that each attention head keeps."""
KEPT_LOGITS = 4
"""Arrays over the vocabulary that the loss keeps of each learnt token."""
OVERHEAD = 1.15
"""What the allocator holds beyond that."""


def estimate(folder: Path, config: TrainingConfig, tokens: int, learnt: int) -> int | None:
    """Bytes that training the model in `folder` holds at its most; None when its config.json names its sizes otherwise.

    Args:
        tokens: of the longest row that is read, after cutting.
        learnt: of them at most.
    """
    shape = _shape(folder)
    if shape is None:
        return None
    number = 4 if shape["torch_dtype"] == "float32" else 2
    weights = sum(file.stat().st_size for file in folder.glob("model*.safetensors"))
    layers = shape["num_hidden_layers"]
    width, inner, heads = shape["hidden_size"], shape["intermediate_size"], shape["num_attention_heads"]
    trained = weights // number if config.fine_tune_type == "full" else _adapter_numbers(shape, config)
    in_batch = tokens * config.batch_size
    layer = number * (KEPT_WIDTHS * width + KEPT_INNER * inner + KEPT_SCORES * heads * tokens) * in_batch
    kept = layer + number * layers * width * in_batch if config.grad_checkpoint else layers * layer
    logits = KEPT_LOGITS * FLOAT * shape["vocab_size"] * learnt * config.batch_size
    return int(OVERHEAD * (weights + 4 * FLOAT * trained + kept + logits))


def smaller(config: TrainingConfig) -> Iterator[tuple[str, TrainingConfig]]:
    """Settings that take less and less, in the order in which they cost least of the result: `--set` words and all."""
    words: list[str] = []

    def change(word: str, **update: Any) -> tuple[str, TrainingConfig]:
        nonlocal config
        words.append(word)
        config = config.model_copy(update=update)
        return " ".join(f"--set {word}" for word in words), config

    if not config.grad_checkpoint:
        yield change("grad_checkpoint=true", grad_checkpoint=True)
    if config.batch_size > 1:
        many = config.grad_accumulation_steps * config.batch_size
        words.append("batch_size=1")
        yield change(f"grad_accumulation_steps={many}", batch_size=1, grad_accumulation_steps=many)
    for length in (1024, 512, 256):
        if config.max_seq_length > length:
            yield change(f"max_seq_length={length}", max_seq_length=length)
    for rank in (8, 4):
        if config.fine_tune_type != "full" and config.lora_parameters.rank > rank:
            lora = config.lora_parameters.model_copy(update={"rank": rank})
            yield change(f"lora_parameters.rank={rank}", lora_parameters=lora)


def _shape(folder: Path) -> dict[str, Any] | None:
    """The text model's config.json, with what older ones leave out."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = {**config, **config.get("text_config", {})}
    if not {"hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size"} <= shape.keys():
        return None
    shape.setdefault("num_key_value_heads", shape["num_attention_heads"])
    shape.setdefault("head_dim", shape["hidden_size"] // shape["num_attention_heads"])
    shape.setdefault("intermediate_size", 4 * shape["hidden_size"])
    shape.setdefault("torch_dtype", shape.get("dtype", "bfloat16" if "quantization" in shape else "float32"))
    return shape


def _adapter_numbers(shape: dict[str, Any], config: TrainingConfig) -> int:
    width, inner = shape["hidden_size"], shape["intermediate_size"]
    heads, shared = (shape["head_dim"] * shape[name] for name in ("num_attention_heads", "num_key_value_heads"))
    sizes = {"q_proj": width + heads, "o_proj": width + heads, "k_proj": width + shared, "v_proj": width + shared}
    keys = config.lora_parameters.keys or [*sizes, "gate_proj", "up_proj", "down_proj"]
    layers = shape["num_hidden_layers"] if config.num_layers == -1 else config.num_layers
    return layers * config.lora_parameters.rank * sum(sizes.get(key.split(".")[-1], width + inner) for key in keys)
