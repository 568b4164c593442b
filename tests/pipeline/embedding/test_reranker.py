import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers.implementations import BertWordPieceTokenizer

from pipeline.embedding.reranker import BertReranker, load_reranker
from pipeline.errors import ModelError
from pipeline.settings import ModelSettings, Settings

CONFIG = {
    "architectures": ["BertForSequenceClassification"],
    "model_type": "bert",
    "hidden_act": "gelu",
    "hidden_size": 24,
    "num_attention_heads": 3,
    "layer_norm_eps": 1e-12,
    "max_position_embeddings": 16,
    "id2label": {"0": "LABEL_0"},
}
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz"]
HEAD = ("pooler", "classifier")


@pytest.fixture
def folder(tmp_path: Path, bert_arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cross-encoder of random weights, as transformers saves one."""
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    arrays = {name if name.startswith("classifier") else f"bert.{name}": array for name, array in bert_arrays.items()}
    save_file(arrays, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertWordPieceTokenizer(str(tmp_path / "vocab.txt")).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def settings(root: Path, reranker: str) -> Settings:
    return Settings(root=root, models=ModelSettings(reranker=reranker))


def pair(query: str, text: str) -> tuple[list[int], list[int]]:
    """Ids and types of [CLS] query [SEP] text [SEP]."""
    first, second = ([WORDS.index(letter) for letter in words.split()] for words in (query, text))
    return [2, *first, 3, *second, 3], [0] * (len(first) + 2) + [1] * (len(second) + 1)


def test_scores_are_the_logits_of_the_pairs(
    folder: Path, bert_arrays: dict[str, np.ndarray], reference_score: Callable[..., np.ndarray]
) -> None:
    texts = ["d e f g h i j k l", "x", "d e f", "p q r s"] * 30
    scores = BertReranker(folder, 2).scores("a b c", texts)
    assert scores.dtype == np.float32
    assert scores.shape == (120,)
    for text, score in zip(texts[:4], scores[:4], strict=True):
        ids, types = pair("a b c", text)
        np.testing.assert_allclose(score, reference_score(bert_arrays, ids, types, 3, 1e-12)[0], atol=2e-5)
    np.testing.assert_allclose(scores[:4], scores[-4:], atol=1e-5)


def test_query_and_text_are_told_apart(folder: Path) -> None:
    reranker = BertReranker(folder, 1)
    one, other = reranker.scores("a b", ["c d"]), reranker.scores("c d", ["a b"])
    assert abs(one[0] - other[0]) > 0.001


def test_a_pair_that_is_too_long_loses_the_end_of_its_text(folder: Path) -> None:
    reranker = BertReranker(folder, 1)
    text = "d e f g h i j k l m"  # with the query and three marks the 16 tokens that the model takes
    np.testing.assert_array_equal(reranker.scores("a b c", [text]), reranker.scores("a b c", [text + " x y z"]))
    assert np.isfinite(reranker.scores("a " * 40, [text])).all()


def test_no_texts_no_scores(folder: Path) -> None:
    assert BertReranker(folder, 1).scores("a", []).shape == (0,)


def test_one_reranker_per_process_found_beside_the_settings(folder: Path) -> None:
    reranker = load_reranker(settings(folder.parent, folder.name))
    assert load_reranker(settings(Path("/"), str(folder))) is reranker
    assert reranker.name.startswith(f"{folder.name}-")


def test_it_has_to_be_named_and_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"set \[models\] reranker to a folder .*, or \[retrieval\] rerank = false"):
        load_reranker(settings(tmp_path, ""))
    with pytest.raises(ModelError, match=rf"no folder {tmp_path}/none: set \[models\] reranker"):
        load_reranker(settings(tmp_path, "none"))


@pytest.mark.parametrize("labels", [0, 3])
def test_a_model_without_one_score_is_refused(folder: Path, bert_arrays: dict[str, np.ndarray], labels: int) -> None:
    arrays = {name: array for name, array in bert_arrays.items() if not name.startswith(HEAD)}
    if labels:
        arrays["classifier.bias"] = np.zeros(labels, np.float32)
    save_file(arrays, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"no BERT head that gives a pair one score: set \[models\] reranker"):
        BertReranker(folder, 1).scores("a", ["b"])
