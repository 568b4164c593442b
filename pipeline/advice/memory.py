"""What a model takes of memory to answer and to be trained on, from its configuration. Import after `blas.preload()`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipeline.machine import ChatModel, Machine
from pipeline.training.config import TrainingConfig
from pipeline.training.memory import Shape, estimate, shape_of

BITS = (4, 8, 16)
SCALES = 0.5
"""The bits that a weight in 4 or 8 bits takes besides: scale and shift of each group of 64, in 16 bits each."""
TOKENS = 1024
"""The longest row that training is reckoned with, in tokens; a row with passages is about as long."""
LEARNT = 200
"""The tokens of its answer."""
CHAT_TOKENS = 2048
"""The tokens of one chat whose cache is reckoned with."""
RETRIEVAL = 0.5
"""Gigabytes that retrieval takes besides the model: embedder, vector store, and the index in memory."""

SIZES: dict[str, dict[str, Any]] = {
    "1B": {"like": "Llama 3.2 1B", "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "num_attention_heads": 32,
               "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": True},
    "3B": {"like": "Llama 3.2 3B", "hidden_size": 3072, "intermediate_size": 8192, "num_hidden_layers": 28, "num_attention_heads": 24,
               "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 128256, "tie_word_embeddings": True},
    "7B": {"like": "Qwen 2.5 7B", "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
               "num_key_value_heads": 4, "vocab_size": 152064},
    "14B": {"like": "Qwen 2.5 14B", "hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 48, "num_attention_heads": 40,
                "num_key_value_heads": 8, "vocab_size": 152064},
    "32B": {"like": "Qwen 2.5 32B", "hidden_size": 5120, "intermediate_size": 27648, "num_hidden_layers": 64, "num_attention_heads": 40,
                "num_key_value_heads": 8, "vocab_size": 152064},
}  # fmt: skip
"""The configurations of well-known models, as their config.json has them."""


class Need(BaseModel):
    """What one model takes at one number of bits a weight, in gigabytes."""

    size: str
    bits: int
    answer: float
    """To answer four chats at a time, without retrieval."""
    rag: float
    """The same with retrieval."""
    train: float
    """To train a LoRA of preset `best` on rows of TOKENS tokens."""
    fits_answer: bool
    fits_train: bool


def table(machine: Machine) -> list[Need]:
    """The needs of all sizes at all bits, and what of it fits into the memory that `machine` has for models."""
    return [need(size, config, bits, machine) for size, config in SIZES.items() for bits in BITS]


def need(size: str, config: Mapping[str, Any], bits: int, machine: Machine) -> Need:
    """The needs of one model.

    Args:
        size: its name in the table.
        config: its configuration, with config.json's keys.
        bits: of a weight.
        machine: what it is to fit.
    """
    return _need(size, shape_from(config, bits), config, bits, machine)


def own_need(folder: Path, machine: Machine) -> Need:
    """The needs of the model in `folder`, as its weights are.

    Raises:
        ModelError: mlx-lm can't open it.
    """
    shape = shape_of(folder)
    config = json.loads((folder / "config.json").read_bytes())
    config |= config.get("text_config", {})
    widths = [*shape.beside.values(), *(one for layer in shape.layers for one in layer.values())]
    bits = round(8 * shape.weights / sum(one * other for one, other in widths))
    return _need(folder.name, shape, config, bits, machine)


def _need(size: str, shape: Shape, config: Mapping[str, Any], bits: int, machine: Machine) -> Need:
    heads = config["num_attention_heads"]
    kept = config.get("num_key_value_heads") or heads
    width = config.get("head_dim") or config["hidden_size"] // heads
    # Keys and values, each in as many bytes as a layer computes with.
    cache = 2 * shape.number * kept * width * len(shape.layers) * CHAT_TOKENS / 1e9
    answer = ChatModel(size, 0, 0.0, shape.weights / 1e9, cache).needed
    train = estimate(shape, TrainingConfig(), TOKENS, LEARNT) / 1e9
    return Need(
        size=size, bits=bits, answer=round(answer, 1), rag=round(answer + RETRIEVAL, 1), train=round(train, 1),
        fits_answer=answer + RETRIEVAL <= machine.for_models, fits_train=train <= machine.for_models,
    )  # fmt: skip


def shape_from(config: Mapping[str, Any], bits: int) -> Shape:
    """The sizes of a Llama-like model (grouped queries, gated feed-forward) with weights of `bits` bits."""
    width, inner, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    heads, words = config["num_attention_heads"], config["vocab_size"]
    head = config.get("head_dim", width // heads)
    queries, keys = heads * head, config["num_key_value_heads"] * head
    layer = {
        "self_attn.q_proj": (width, queries), "self_attn.k_proj": (width, keys), "self_attn.v_proj": (width, keys),
        "self_attn.o_proj": (queries, width), "mlp.gate_proj": (width, inner), "mlp.up_proj": (width, inner),
        "mlp.down_proj": (inner, width),
    }  # fmt: skip
    beside = {"model.embed_tokens": (words, width)}
    if not config.get("tie_word_embeddings"):
        beside["lm_head"] = (width, words)
    size = (bits + SCALES * (bits < 16)) / 8
    of_layer = int(size * sum(one * other for one, other in layer.values()))
    return Shape(
        weights=layers * of_layer + int(size * sum(one * other for one, other in beside.values())),
        number=2,
        is_fp32=False,
        is_quantised=bits < 16,
        is_known=True,
        words=words,
        width=width,
        heads=heads,
        layers=[layer] * layers,
        beside=beside,
        layer_weights=[of_layer] * layers,
    )
