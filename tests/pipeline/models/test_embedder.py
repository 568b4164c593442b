import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from pipeline.errors import ModelError
from pipeline.models.demo import embedding_model
from pipeline.models.embedder import BertEmbedder, Embedder, batches, load_embedder, load_tokenizer, padded, read_config
from pipeline.settings import ModelSettings, Settings

TEXTS = [
    "The cat sits outside.",
    "Retrieval-augmented generation looks facts up before it answers, so that an answer can name its sources. " * 6,
    "",
    "Ein Satz mit Umlauten: äöü, and an emoji 😀.",
]
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 384,
    "num_attention_heads": 12,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
}


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return load_embedder(Settings(root=Path.cwd()))


def write_json(folder: Path, name: str, value: object) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def test_the_demo_embedder_is_minilm(embedder: Embedder, reference_embedding: Callable[..., np.ndarray]) -> None:
    folder = embedding_model()
    arrays, config = load_file(folder / "model.safetensors"), read_config(folder)
    tokenizer = load_tokenizer(folder, config)
    vectors = embedder.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert vectors.shape == (4, embedder.dimension) == (4, 384)
    for text, vector in zip(TEXTS, vectors, strict=True):
        ids = tokenizer.encode(text).ids
        expected = reference_embedding(arrays, ids, config.heads, config.epsilon, config.pooling)
        assert vector @ expected > 0.9999
        np.testing.assert_allclose(vector, expected, atol=1e-4)


def test_near_meanings_are_near(embedder: Embedder) -> None:
    cat, same, guitar = embedder.embed(["The cat sits outside", "a cat is outdoors", "A man is playing guitar"])
    assert cat @ same > 0.8
    assert abs(cat @ guitar) < 0.2


def test_no_texts_no_rows(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 384)


def test_a_text_has_the_same_vector_in_any_company(embedder: Embedder) -> None:
    texts = [f"{'word ' * n}number {n}" for n in range(0, 60, 3)]
    together = embedder.embed(texts)
    for text, vector in list(zip(texts, together, strict=True))[::7]:
        np.testing.assert_allclose(embedder.embed([text])[0], vector, atol=1e-5)


def test_what_is_past_the_limit_is_cut(embedder: Embedder) -> None:
    long = "word " * 300
    np.testing.assert_allclose(*embedder.embed([long, long + "and something else entirely"]), atol=1e-6)


def test_one_embedder_per_process(embedder: Embedder, tmp_path: Path) -> None:
    assert load_embedder(Settings(root=tmp_path)) is embedder
    assert load_embedder(Settings(root=tmp_path, models=ModelSettings(embedder=str(embedding_model())))) is embedder


def test_the_name_says_weights_pooling_and_limit(embedder: Embedder) -> None:
    assert embedder.name == "all-MiniLM-L6-v2-53aa51172d14-mean-256"


def test_importing_costs_nothing() -> None:
    code = "import sys, pipeline.models.embedder\nprint(*{'onnx', 'onnxruntime', 'tokenizers', 'mlx.core'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def test_batches_hold_every_text_once_and_keep_to_the_budget() -> None:
    lengths = [5, 300, 7, 7, 90, 2, 11, 64]
    groups = list(batches(lengths, 100))
    assert sorted(row for group in groups for row in group) == list(range(8))
    assert groups[0] == [1]
    for group in groups[1:]:
        assert max(lengths[row] for row in group) * len(group) <= 100


def test_padding_is_masked() -> None:
    inputs = padded([[101, 7, 102], [101, 102]])
    assert inputs["input_ids"].tolist() == [[101, 7, 102], [101, 102, 0]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]


def test_a_folder_without_tokenizer_json_uses_its_vocabulary(tmp_path: Path) -> None:
    folder = embedding_model()
    for name in ("config.json", "vocab.txt", "tokenizer_config.json"):
        shutil.copy(folder / name, tmp_path)
    config = read_config(tmp_path)
    ours, theirs = load_tokenizer(tmp_path, config), load_tokenizer(folder, read_config(folder))
    assert config.max_tokens == 512
    assert ours.encode(TEXTS[3]).ids == theirs.encode(TEXTS[3]).ids


def test_other_kinds_of_model_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path, "config.json", CONFIG | {"model_type": "t5"})
    with pytest.raises(ModelError, match=r"is a t5, not a BERT .* set \[models\] embedder"):
        read_config(tmp_path)


def test_pooling_is_read_from_the_folder(tmp_path: Path) -> None:
    write_json(tmp_path, "config.json", CONFIG)
    assert read_config(tmp_path).pooling == "mean"
    write_json(tmp_path, "1_Pooling/config.json", {"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    assert read_config(tmp_path).pooling == "cls"
    write_json(tmp_path, "1_Pooling/config.json", {"pooling_mode_max_tokens": True})
    with pytest.raises(ModelError, match="pools by pooling_mode_max_tokens"):
        read_config(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no config\.json"):
        read_config(tmp_path)
    write_json(tmp_path, "config.json", CONFIG)
    with pytest.raises(ModelError, match=r"has no tokenizer\.json"):
        load_tokenizer(tmp_path, read_config(tmp_path))
    with pytest.raises(ModelError, match=r"has no model\.safetensors: .*complete model folder"):
        _ = BertEmbedder(tmp_path, 1).name
