import json

import numpy as np
import pytest
from mlx_lm.utils import load_config, load_tokenizer
from safetensors.numpy import load_file, save_file

from pipeline.errors import ModelError
from pipeline.training.exporting.fused import write_fused
from pipeline.training.exporting.source import find_source
from pipeline.weights.locating import resolve_chat_model
from tests.pipeline.training.exporting.models import engine_logits, logits, make_gemma, make_small_adapter


@pytest.mark.parametrize("name", ["narrow", "wide", "words", "stretched"])
def test_a_fused_model_gives_the_logits_of_the_adapter_in_the_engine(home, adapter, tmp_path, name):
    adapter(name)
    source = find_source(home, name)
    write_fused(source, tmp_path / "fused")
    expected = engine_logits(source)
    assert np.abs(expected - logits(source.base)).max() > 0.1
    assert np.abs(expected - logits(tmp_path / "fused")).max() < 1e-3


def test_it_is_a_normal_folder_with_the_bases_own_tokenizer(home, adapter, tmp_path):
    adapter("wide")
    source = find_source(home, "wide")
    write_fused(source, tmp_path / "fused")
    assert resolve_chat_model(str(tmp_path / "fused")) == tmp_path / "fused"
    for file in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "fused" / file).read_bytes() == (source.base / file).read_bytes()
    tokenizer = load_tokenizer(tmp_path / "fused")
    chat = [{"role": "user", "content": "Who?"}]
    assert tokenizer.apply_chat_template(chat) == source.tokenizer.apply_chat_template(chat)
    # Names and shapes are those of the base, so whatever loads that loads this.
    ours, theirs = (load_file(folder / "model.safetensors") for folder in (tmp_path / "fused", source.base))
    assert {name: array.shape for name, array in ours.items()} == {name: array.shape for name, array in theirs.items()}


@pytest.mark.parametrize(("bits", "tolerance"), [(8, 0.15), (4, 2.5)])
def test_a_quantised_one_is_smaller_and_near(home, adapter, tmp_path, bits, tolerance):
    adapter("wide")
    source = find_source(home, "wide")
    write_fused(source, tmp_path / "fused", bits=bits)
    assert load_config(tmp_path / "fused")["quantization"]["bits"] == bits
    expected = engine_logits(source)
    difference = np.abs(expected - logits(tmp_path / "fused"))
    assert 1e-4 < difference.max()
    assert difference.mean() < tolerance * expected.std() / 4


def test_a_quantised_base_stays_quantised_or_is_expanded(home, adapter, tmp_path):
    adapter("on-quantised", "quantised")
    source = find_source(home, "on-quantised")
    write_fused(source, tmp_path / "rounded")
    write_fused(source, tmp_path / "whole", dequantise=True)
    expected = engine_logits(source)
    rounded, whole = (np.abs(expected - logits(tmp_path / name)).max() for name in ("rounded", "whole"))
    assert load_config(tmp_path / "rounded")["quantization"]["bits"] == 4
    assert "quantization" not in load_config(tmp_path / "whole")
    assert whole < 1e-3 < rounded


def test_a_full_fine_tune_is_fused_and_one_that_does_not_fit_is_refused(home, adapter, tmp_path):
    folder = adapter("wide")
    source = find_source(home, "wide")
    write_fused(source, tmp_path / "fused")
    # The weights that a full fine-tune would have left.
    changed = "model.layers.1.mlp.up_proj.weight"
    weights = load_file(tmp_path / "fused" / "model.safetensors")
    full = folder.with_name("full")
    folder.rename(full)
    save_file({changed: weights[changed]}, full / "adapters.safetensors")
    (full / "adapter_config.json").write_text(json.dumps({"fine_tune_type": "full", "num_layers": -1}), "utf-8")
    source = find_source(home, "full")
    write_fused(source, tmp_path / "fused-full")
    ours = load_file(tmp_path / "fused-full" / "model.safetensors")
    base = load_file(source.base / "model.safetensors")
    assert [name for name in base if not np.array_equal(base[name], ours[name])] == [changed]
    assert np.array_equal(ours[changed], weights[changed])
    save_file({changed: weights[changed][:5]}, full / "adapters.safetensors")
    with pytest.raises(ModelError, match=r"does not fit its base \(model.layers.1.mlp.up_proj.weight"):
        write_fused(source, tmp_path / "again")


@pytest.mark.parametrize("bits", [None, 4])
def test_a_gemma_that_saw_pictures_becomes_the_gemma_that_reads_text(home, tiny, tmp_path, bits):
    make_gemma(tiny / "base", tmp_path / "gemma")
    make_small_adapter(tmp_path / "gemma", home.state / "adapters" / "mine")
    source = find_source(home, "mine")
    write_fused(source, tmp_path / "fused", bits=bits)
    config = json.loads((tmp_path / "fused" / "config.json").read_text("utf-8"))
    assert (config["architectures"], config["model_type"]) == (["Gemma3ForCausalLM"], "gemma3_text")
    assert (config["vocab_size"], config["num_key_value_heads"], config["eos_token_id"]) == (259, 2, [2])
    expected = engine_logits(source)
    assert np.abs(expected - logits(source.base)).max() > 0.01
    difference = np.abs(expected - logits(tmp_path / "fused"))
    assert difference.mean() < expected.std() if bits else difference.max() < 1e-4
