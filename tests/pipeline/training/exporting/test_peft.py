import json
import re
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_unflatten
from mlx_lm.models.llama import Model, ModelArgs
from safetensors.numpy import load_file

from pipeline.errors import ModelError
from pipeline.training.exporting.peft import write_peft
from pipeline.training.exporting.source import find_source
from tests.pipeline.training.exporting.models import IDS, engine_logits, make_gemma, make_small_adapter


def peft_logits(base: Path, folder: Path) -> np.ndarray:
    """With W + lora_alpha / r · B A for each layer (Hu et al. 2021), with DoRA scaled to its magnitudes (Liu et al. 2024),
    as PEFT's documentation gives them; (tokens, vocabulary)."""
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    arrays = load_file(folder / "adapter_model.safetensors")
    weights = load_file(base / "model.safetensors")
    scale = config["lora_alpha"] / config["r"]
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].copy()
    for name in {name.removeprefix("base_model.model.").rpartition(".lora_")[0] for name in arrays}:
        full = f"base_model.model.{name}"
        weight = weights[f"{name}.weight"]
        if f"{full}.lora_embedding_A" in arrays:
            weight = weight + scale * (arrays[f"{full}.lora_embedding_B"] @ arrays[f"{full}.lora_embedding_A"]).T
        else:
            weight = weight + scale * arrays[f"{full}.lora_B.weight"] @ arrays[f"{full}.lora_A.weight"]
        if config["use_dora"]:
            weight *= (arrays[f"{full}.lora_magnitude_vector"] / np.linalg.norm(weight, axis=1))[:, None]
        weights[f"{name}.weight"] = weight
    # The output layer is one of its own here, as PEFT has it.
    model = Model(
        ModelArgs.from_dict({**json.loads((base / "config.json").read_text("utf-8")), "tie_word_embeddings": False})
    )
    model.update(tree_unflatten([(name, mx.array(array)) for name, array in weights.items()]))
    return np.array(model(IDS)[0])


@pytest.mark.parametrize("name", ["narrow", "wide", "words", "stretched"])
def test_what_peft_computes_from_the_files_is_what_the_engine_computes(home, adapter, tmp_path, name):
    adapter(name)
    source = find_source(home, name)
    write_peft(source, tmp_path)
    assert np.abs(engine_logits(source) - peft_logits(source.base, tmp_path)).max() < 1e-3


def test_names_shapes_and_configuration_are_pefts(home, adapter, tmp_path):
    adapter("wide")
    write_peft(find_source(home, "wide"), tmp_path)
    arrays = load_file(tmp_path / "adapter_model.safetensors")
    layer = "base_model.model.model.layers.0"
    assert arrays[f"{layer}.self_attn.v_proj.lora_A.weight"].shape == (8, 64)
    assert arrays[f"{layer}.self_attn.v_proj.lora_B.weight"].shape == (32, 8)
    assert arrays[f"{layer}.mlp.down_proj.lora_A.weight"].shape == (8, 128)
    assert len(arrays) == 2 * 2 * 5
    config = json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))
    assert (config["peft_type"], config["task_type"], config["r"], config["lora_alpha"]) == ("LORA", "CAUSAL_LM", 8, 32)
    assert config["target_modules"] == ["down_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert config["use_dora"] is False


def test_dora_has_its_magnitudes(home, adapter, tmp_path):
    adapter("stretched")
    write_peft(find_source(home, "stretched"), tmp_path)
    arrays = load_file(tmp_path / "adapter_model.safetensors")
    assert arrays["base_model.model.model.layers.1.self_attn.q_proj.lora_magnitude_vector"].shape == (64,)
    assert json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))["use_dora"] is True


def test_an_adapter_of_some_layers_names_them_all(home, adapter, tmp_path):
    adapter("narrow")
    write_peft(find_source(home, "narrow"), tmp_path)
    config = json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))
    assert config["target_modules"] == ["model.layers.1.self_attn.q_proj", "model.layers.1.self_attn.v_proj"]


def test_the_text_part_of_a_model_that_sees_pictures_has_another_name_in_transformers(home, tiny, tmp_path):
    make_gemma(tiny / "base", tmp_path / "gemma")
    make_small_adapter(tmp_path / "gemma", home.state / "adapters" / "mine")
    (tmp_path / "peft").mkdir()
    write_peft(find_source(home, "mine"), tmp_path / "peft")
    arrays = load_file(tmp_path / "peft" / "adapter_model.safetensors")
    assert "base_model.model.model.language_model.layers.1.self_attn.q_proj.lora_A.weight" in arrays
    pattern = json.loads((tmp_path / "peft" / "adapter_config.json").read_text("utf-8"))["target_modules"]
    assert re.fullmatch(pattern, "model.language_model.layers.1.self_attn.q_proj")
    assert not re.fullmatch(pattern, "model.vision_tower.vision_model.encoder.layers.1.self_attn.q_proj")


def test_the_base_is_named(home, adapter, tiny, tmp_path):
    adapter("on-quantised", "quantised")
    source = find_source(home, "on-quantised")
    notes = write_peft(source, tmp_path)
    assert (
        "quantised for MLX, which transformers can't load: name the model that it was made of with --base-model"
        in notes[0]
    )
    assert json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))["base_model_name_or_path"] == str(
        source.base
    )
    assert write_peft(source, tmp_path, "somebody/tiny-llama") == []
    config = json.loads((tmp_path / "adapter_config.json").read_text("utf-8"))
    assert config["base_model_name_or_path"] == "somebody/tiny-llama"


def test_a_full_fine_tune_is_refused(home, adapter, tmp_path):
    folder = adapter("wide")
    (folder / "adapter_config.json").write_text('{"fine_tune_type": "full"}', "utf-8")
    with pytest.raises(ModelError, match=r"full fine-tune.*--to fused"):
        write_peft(find_source(home, "wide"), tmp_path)
