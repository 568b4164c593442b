import json
import math
from dataclasses import replace
from pathlib import Path

import mlx.core as mx
import numpy as np
import pytest
from mlx.utils import tree_map
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers
from transformers import PreTrainedTokenizerFast

from pipeline.errors import ModelError
from pipeline.training.exporting.fused import fuse
from pipeline.training.exporting.gguf import reason_against_gguf, write_gguf
from pipeline.training.exporting.source import ExportSource, find_source
from pipeline.weights.gguf.converting import convert
from tests.pipeline.training.exporting.models import IDS, engine_logits, logits


def with_config(source: ExportSource, folder: Path, **values: object) -> ExportSource:
    """The same with another config.json and tokenizer.json, both in `folder`."""
    config = {**json.loads((source.base / "config.json").read_text("utf-8")), **values}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    for file in source.base.glob("tokenizer*"):
        (folder / file.name).write_bytes(file.read_bytes())
    return replace(source, base=folder)


def read(file: Path) -> tuple[dict, dict]:
    """Tensors and metadata."""
    return mx.load(str(file), return_metadata=True)  # type: ignore[return-value]


def in_half(source: ExportSource) -> np.ndarray:
    """Logits of the fused model, its matrices rounded to 16 bits."""
    model = fuse(source, dequantise=True)[0]
    model.update(
        tree_map(
            lambda array: array.astype(mx.float16).astype(mx.float32) if array.ndim == 2 else array, model.parameters()
        )
    )
    return np.array(model(IDS)[0])


def test_a_file_read_back_gives_the_logits_of_the_adapter_in_the_engine(home, adapter, tmp_path):
    adapter("wide")
    source = find_source(home, "wide")
    write_gguf(source, *fuse(source, dequantise=True), tmp_path / "wide.gguf")
    (tmp_path / "back").mkdir()
    convert(tmp_path / "wide.gguf", tmp_path / "back", "float32")
    found_logits = logits(tmp_path / "back")
    assert np.abs(in_half(source) - found_logits).max() < 1e-3
    assert (
        np.abs(engine_logits(source) - found_logits).max() < 0.2 < np.abs(logits(source.base) - found_logits).max() / 10
    )
    tensors, found = read(tmp_path / "wide.gguf")
    assert {array.dtype for name, array in tensors.items() if "norm" in name} == {mx.float32}
    assert {array.dtype for name, array in tensors.items() if "norm" not in name} == {mx.float16}
    assert (found["tokenizer.ggml.model"], found["tokenizer.ggml.pre"]) == ("gpt2", "gpt-2")
    assert found["tokenizer.chat_template"] == source.tokenizer.chat_template


def test_a_quantised_base_is_expanded(home, adapter, tmp_path):
    adapter("on-quantised", "quantised")
    source = find_source(home, "on-quantised")
    write_gguf(source, *fuse(source, dequantise=True), tmp_path / "file.gguf")
    (tmp_path / "back").mkdir()
    convert(tmp_path / "file.gguf", tmp_path / "back", "float32")
    assert np.abs(in_half(source) - logits(tmp_path / "back")).max() < 1e-3


def test_llama_3s_scaling_of_positions_is_written(home, adapter, tmp_path):
    adapter("wide")
    source = find_source(home, "wide")
    model = fuse(source)[0]
    scaling = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
               "original_max_position_embeddings": 64}  # fmt: skip
    scaled = with_config(source, tmp_path / "scaled", rope_scaling=scaling, rope_theta=100.0)
    write_gguf(scaled, model, scaled.config, tmp_path / "scaled.gguf")
    tensors, found = read(tmp_path / "scaled.gguf")
    factors = np.array(tensors["rope_freqs.weight"])
    lengths = 2 * math.pi * 100.0 ** (np.arange(0, 16, 2) / 16)
    assert found["llama.rope.freq_base"].item() == 100
    assert (factors[lengths < 64 / 4] == 1).all()
    assert (factors[lengths > 64] == 8).all()
    between = factors[(lengths > 64 / 4) & (lengths < 64)]
    assert len(between) >= 1
    assert ((between > 1) & (between < 8)).all()


def test_a_tokenizer_with_bytes_to_fall_back_on_gets_its_merges_as_scores(home, adapter, tmp_path):
    adapter("wide")
    source = with_config(find_source(home, "wide"), tmp_path / "spm")
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    bytes_ = [AddedToken(f"<0x{n:02X}>", special=False) for n in range(3)]
    trainer = trainers.BpeTrainer(vocab_size=40, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False)
    tokenizer.train_from_iterator(["the notes of the site", "the other notes"] * 5, trainer)
    tokenizer.add_tokens(bytes_)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    fast.save_pretrained(tmp_path / "spm")
    write_gguf(source, fuse(find_source(home, "wide"))[0], source.config, tmp_path / "spm.gguf")
    found = read(tmp_path / "spm.gguf")[1]
    tokens, scores = found["tokenizer.ggml.tokens"], found["tokenizer.ggml.scores"].tolist()
    merges = json.loads((tmp_path / "spm" / "tokenizer.json").read_text("utf-8"))["model"]["merges"]
    merged = ["".join(merge) for merge in merges]
    assert found["tokenizer.ggml.model"] == "llama"
    assert sorted(merged, key=lambda text: -scores[tokens.index(text)]) == merged
    assert found["tokenizer.ggml.token_type"].tolist()[:4] == [2, 3, 3, 1]
    assert found["tokenizer.ggml.add_space_prefix"].item() is True
    assert len(tokens) == source.config["vocab_size"]
    assert tokens[-1] == f"[PAD{len(tokens) - 1}]"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"model_type": "phi3"}, "phi3 is none of Llama, Mistral, Qwen 2, Qwen 3, Gemma 2 and Gemma 3"),
        ({"model_type": "gemma2", "head_dim": 16, "query_pre_attn_scalar": 144}, "its attention is scaled by 144"),
        (
            {"model_type": "gemma3_text", "head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window_pattern": 2},
            "one in 2 of its layers sees everything, not one in 6",
        ),
        ({"rope_scaling": {"rope_type": "yarn", "factor": 4}}, "its positions are scaled as yarn"),
        ({"layer_types": ["full_attention", "sliding_attention"]}, "it has layers of sliding_attention"),
    ],
)
def test_what_has_no_gguf_here_is_refused_with_the_other_ways(home, adapter, tmp_path, values, reason):
    adapter("wide")
    source = with_config(find_source(home, "wide"), tmp_path / "odd", **values)
    with pytest.raises(ModelError, match=rf"{reason}\): use --to ollama, .*--to fused.*convert_hf_to_gguf"):
        write_gguf(source, fuse(find_source(home, "wide"))[0], source.config, tmp_path / "odd.gguf")
    assert not (tmp_path / "odd.gguf").exists()


def test_an_unknown_way_to_cut_words_is_refused(home, adapter, tmp_path):
    adapter("wide")
    source = with_config(find_source(home, "wide"), tmp_path / "odd")
    file = tmp_path / "odd" / "tokenizer.json"
    tokenizer = json.loads(file.read_text("utf-8"))
    split = {"type": "Split", "pattern": {"Regex": "\\d"}, "behavior": "Isolated", "invert": False}
    tokenizer["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, tokenizer["pre_tokenizer"]]}
    file.write_text(json.dumps(tokenizer), "utf-8")
    assert "its tokenizer cuts words in a way that has no name in GGUF" in reason_against_gguf(source, source.config)
