"""Small random models of several architectures, with a LoRA whose gradients are not 0."""

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import mlx.nn as nn
import numpy as np
import pytest
from mlx.utils import tree_flatten, tree_map
from mlx_lm.models import gemma2, gemma3_text, llama, qwen3
from mlx_lm.tuner.utils import linear_to_lora_layers

from pipeline.training.data import TokenRow

SIZES = {
    "hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "num_attention_heads": 4, "head_dim": 8,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": 90,
}  # fmt: skip
MODELS: dict[str, tuple[Any, dict[str, Any]]] = {
    "llama": (llama, {"tie_word_embeddings": True}),
    "llama with a head": (llama, {"tie_word_embeddings": False}),
    "qwen3": (qwen3, {"tie_word_embeddings": True, "max_position_embeddings": 64, "rope_theta": 1e4}),
    "gemma2, which caps its logits": (gemma2, {}),
    "gemma3": (gemma3_text, {"query_pre_attn_scalar": 8, "sliding_window": 16, "sliding_window_pattern": 2}),
}
ROWS = [TokenRow(list(range(1, 30)), 12), TokenRow(list(range(20, 60)), 0), TokenRow(list(range(5, 25)), 19)]


def make_model(name: str = "llama", *, dropout: float = 0.0, layers: int = 2) -> nn.Module:
    module, more = MODELS[name]
    values = {"model_type": module.__name__.split(".")[-1], **SIZES, "num_hidden_layers": layers, **more}
    mx.random.seed(1)
    model = module.Model(module.ModelArgs.from_dict(values))
    model.freeze()
    linear_to_lora_layers(model, -1, {"rank": 4, "scale": 2.0, "dropout": dropout})
    # A fresh adapter's second matrix is 0, and with it most gradients.
    model.update(tree_map(lambda p: p + 0.05 * mx.random.normal(p.shape), model.trainable_parameters()))
    model.train()
    return model


def flat(tree: Any) -> dict[str, np.ndarray]:
    return {name: np.array(value) for name, value in tree_flatten(tree)}


def assert_gradients_are_of(loss: Callable[[], mx.array], gradients: Any, model: nn.Module, step: float = 2e-3) -> None:
    """Along a random direction d the loss changes by gradient · d."""
    start = model.trainable_parameters()
    direction = tree_map(lambda p: mx.random.normal(p.shape), start)
    losses = []
    for sign in (1, -1):
        model.update(tree_map(lambda p, d, sign=sign: p + sign * step * d, start, direction))
        losses.append(loss().item())
    slope = sum((gradient * flat(direction)[name]).sum() for name, gradient in flat(gradients).items())
    assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(slope, rel=2e-2)
