"""Tells which models the written-out gradients serve: the kind that a newcomer's machine trains. Others use MLX's graph.

Import this after `blas.preload()`.
"""

from typing import Any

import mlx.core as mx
import mlx.nn as nn
from mlx.utils import tree_flatten
from mlx_lm.models import llama, qwen2, qwen3

from pipeline.training.checkpoint import weights_of
from pipeline.weights import blas

_KINDS = (llama.Model, qwen2.Model, qwen3.Model)


def is_here() -> bool:
    """Whether MLX computes on a Linux CPU."""
    return blas.is_needed() and mx.default_device().type == mx.DeviceType.cpu


def is_known(model: Any) -> bool:
    """Whether `gradients.WrittenOut` knows this kind of model."""
    return type(model) in _KINDS and getattr(model.model, "swa_idx", None) is None


def is_fit(model: Any) -> bool:
    """Whether this machine gains by `gradients.WrittenOut`, and that class knows every part of this model."""
    if not (is_here() and is_known(model)):
        return False
    from pipeline.training.cpu.projections import frozen, projections

    parts = [part for layer in model.layers for part in projections(layer).values()]
    every: Any = tree_flatten(model.parameters())
    return (
        type(model.model.embed_tokens) is nn.Embedding
        and all(value.dtype == mx.float32 for _, value in every)
        and {name.rpartition(".")[2] for name in weights_of(model)} == {"lora_a", "lora_b"}
        and all(type(frozen(part)) is nn.Linear for part in parts)
        and not any(getattr(layer.self_attn.rope, "traditional", False) for layer in model.layers)
    )
