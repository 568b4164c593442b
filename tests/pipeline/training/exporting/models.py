"""What the engine and what an exported model make of a text, and tiny models of other architectures."""

import json
from pathlib import Path

import mlx.core as mx
import numpy as np
from mlx.utils import tree_flatten
from mlx_lm.models import gemma3
from mlx_lm.tuner.utils import linear_to_lora_layers
from mlx_lm.utils import load_model

from pipeline.adapters import CONFIG, WEIGHTS, AdapterCard, base_hash, write_card
from pipeline.engine.overlaid import OverlaidModel
from pipeline.training.exporting.source import ExportSource

IDS = mx.array([[1, 70, 90, 31, 5, 222, 14, 2, 1, 70]])


def engine_logits(source: ExportSource) -> np.ndarray:
    """Under the adapter, as the engine lays it over the base; (tokens, vocabulary)."""
    model = OverlaidModel(load_model(source.base)[0])
    overlay = source.overlay(model.base)
    model.prepare(overlay.layers)
    return np.array(model(IDS, cache=model.make_cache_for(overlay))[0].astype(mx.float32))


def logits(folder: Path) -> np.ndarray:
    """Of a model folder."""
    return np.array(load_model(folder)[0](IDS)[0].astype(mx.float32))


def make_small_adapter(base: Path, folder: Path) -> None:
    """A random LoRA of the query projections."""
    parameters = {"rank": 4, "scale": 2.0, "dropout": 0.0, "keys": ["self_attn.q_proj"]}
    model, _ = load_model(base)
    model.freeze()
    linear_to_lora_layers(model, len(model.layers), parameters)
    mx.random.seed(8)
    weights = {name: mx.random.normal(array.shape) / 4 for name, array in tree_flatten(model.trainable_parameters())}
    folder.mkdir(parents=True)
    mx.save_safetensors(str(folder / WEIGHTS), weights)
    config = {"fine_tune_type": "lora", "num_layers": len(model.layers), "lora_parameters": parameters}
    (folder / CONFIG).write_text(json.dumps(config), "utf-8")
    write_card(folder, AdapterCard(base=str(base), base_hash=base_hash(base), visibility="public"))


def make_gemma(tokenizer: Path, folder: Path) -> None:
    """A tiny random Gemma 3 of the kind that sees pictures, of which mlx-lm loads what reads text."""
    text = {
        "model_type": "gemma3_text", "hidden_size": 64, "num_hidden_layers": 6, "intermediate_size": 128, "head_dim": 16,
        "num_attention_heads": 4, "num_key_value_heads": 2, "sliding_window": 32, "query_pre_attn_scalar": 16,
    }  # fmt: skip
    config = {
        "architectures": ["Gemma3ForConditionalGeneration"], "model_type": "gemma3", "text_config": text,
        "vocab_size": 259, "eos_token_id": [2], "vision_config": {"num_hidden_layers": 1},
    }  # fmt: skip
    folder.mkdir()
    for file in tokenizer.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    mx.random.seed(2)
    model = gemma3.Model(gemma3.ModelArgs.from_dict(json.loads(json.dumps(config))))
    weights = dict(tree_flatten(model.parameters()))
    del weights["language_model.lm_head.weight"]
    mx.save_safetensors(str(folder / "model.safetensors"), weights, metadata={"format": "mlx"})
