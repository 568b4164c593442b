import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.embedding.bert_folder import load_tokenizer, read_config, read_prefixes, read_weights, weights_name
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.embedding.prefixes import EmbeddingPrefixes
from pipeline.errors import ModelError
from pipeline.weights.demo import embedding_model

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
    for read in (read_weights, weights_name):
        with pytest.raises(ModelError, match=r"has no model\.safetensors: .*complete model folder"):
            read(tmp_path)


def test_distilbert_is_a_bert_under_other_names(
    distilbert: Path, bert_arrays: dict[str, np.ndarray], reference_embedding: Callable[..., np.ndarray]
) -> None:
    embedder = BertEmbedder(distilbert, 1, exact=True)
    untyped = bert_arrays | {"embeddings.token_type_embeddings.weight": np.zeros((1, 24), np.float32)}
    expected = reference_embedding(untyped, [2, 4, 7, 3], 3, 1e-12, "mean")
    np.testing.assert_allclose(embedder.embed(["a d"])[0], expected, atol=2e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "xlm-roberta"}, "is a xlm-roberta, not a BERT"),
        ({"hidden_act": "silu"}, "not a BERT or DistilBERT with GELU or ReLU"),
        ({"position_embedding_type": "relative_key"}, "not a BERT"),
    ],
)
def test_what_the_graph_does_not_compute_is_refused(tmp_path: Path, changes: dict[str, str], message: str) -> None:
    write_json(tmp_path, "config.json", CONFIG | changes)
    with pytest.raises(ModelError, match=message):
        read_config(tmp_path)
    with pytest.raises(ModelError, match=r"set \[models\] reranker"):
        read_config(tmp_path, "reranker")


def test_a_layer_after_the_pooling_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path, "config.json", CONFIG)
    modules = [{"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling", "Normalize")]
    write_json(tmp_path, "modules.json", modules)
    assert read_config(tmp_path).width == 384
    write_json(tmp_path, "modules.json", [*modules, {"type": "sentence_transformers.models.Dense"}])
    with pytest.raises(ModelError, match=r"has a layer Dense after its BERT: set \[models\] embedder"):
        read_config(tmp_path)


def test_prompts_of_the_folder_win_over_what_its_name_tells(tmp_path: Path) -> None:
    folder = tmp_path / "e5-small"
    folder.mkdir()
    assert read_prefixes(folder) == EmbeddingPrefixes("query: ", "passage: ")
    write_json(folder, "config_sentence_transformers.json", {"prompts": {"query": "", "document": ""}})
    assert read_prefixes(folder) == EmbeddingPrefixes("query: ", "passage: ")
    write_json(folder, "config_sentence_transformers.json", {"prompts": {"query": "q: ", "passage": "p: "}})
    assert read_prefixes(folder) == EmbeddingPrefixes("q: ", "p: ")
    assert read_prefixes(embedding_model()) == EmbeddingPrefixes()
