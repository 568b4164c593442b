"""A random adapter for the demo model, made without MLX: what it says is noise, that it was asked can be seen."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pipeline.adapters import CONFIG, WEIGHTS, AdapterCard, base_hash, write_card
from pipeline.settings import Settings, Visibility
from pipeline.weights import demo

WIDTH, RANK = 576, 4


def make_adapter(settings: Settings, name: str, visibility: Visibility = "public") -> Path:
    """`.sitetwin/adapters/NAME`: rank 4 on the first layer's query projection."""
    folder = settings.state / "adapters" / name
    folder.mkdir(parents=True)
    random = np.random.default_rng(5)
    path = "model.layers.0.self_attn.q_proj"
    shapes = {"lora_a": (WIDTH, RANK), "lora_b": (RANK, WIDTH)}
    arrays = {f"{path}.{part}": random.normal(0, 0.1, shape).astype(np.float32) for part, shape in shapes.items()}
    save_file(arrays, folder / WEIGHTS)
    (folder / CONFIG).write_text('{"num_layers": 30, "lora_parameters": {"scale": 2.0}}', encoding="utf-8")
    write_card(folder, AdapterCard(base="demo", base_hash=base_hash(demo.chat_model()), visibility=visibility))
    return folder
