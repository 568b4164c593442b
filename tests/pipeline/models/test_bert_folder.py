import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.models.bert_folder import load_tokenizer, open_file, read_config
from pipeline.models.demo import embedding_model

TEXT = "Ein Satz mit Umlauten: äöü, and an emoji 😀."
CONFIG = {
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 384,
    "num_attention_heads": 12,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 512,
}


def write_json(folder: Path, name: str, value: object) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def test_a_folder_without_tokenizer_json_uses_its_vocabulary(tmp_path: Path) -> None:
    folder = embedding_model()
    for name in ("config.json", "vocab.txt", "tokenizer_config.json"):
        shutil.copy(folder / name, tmp_path)
    config = read_config(tmp_path)
    ours, theirs = load_tokenizer(tmp_path, config), load_tokenizer(folder, read_config(folder))
    assert config.max_tokens == 512
    assert ours.encode(TEXT).ids == theirs.encode(TEXT).ids


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
        open_file(tmp_path, "model.safetensors")
