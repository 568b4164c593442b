from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.weights import demo
from pipeline.weights.locating import resolve_chat_model, resolve_embedding_model


def test_a_folder_and_a_hub_id_are_taken_as_they_are(tmp_path: Path) -> None:
    assert resolve_chat_model(str(tmp_path)) == tmp_path.resolve()
    assert resolve_chat_model("mlx-community/gemma-3-12b-it-4bit") == "mlx-community/gemma-3-12b-it-4bit"
    assert resolve_chat_model("demo") == demo.CHAT.folder()
    assert resolve_embedding_model(str(tmp_path)) == tmp_path.resolve()


@pytest.mark.parametrize("name", ["/no/such/folder", "./nowhere", "~/nowhere-at-all"])
def test_a_folder_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ModelError, match=r"no folder .*nowhere|no folder .*such/folder"):
        resolve_chat_model(name)


def test_an_embedder_must_be_a_folder() -> None:
    with pytest.raises(ModelError, match=r"set \[models\] embedder to 'demo', 'demo-multilingual' or to a folder"):
        resolve_embedding_model("sentence-transformers/all-MiniLM-L6-v2")


def test_a_gguf_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no file .*model\.gguf: set \[models\] chat to 'demo' or to a GGUF"):
        resolve_chat_model(str(tmp_path / "model.gguf"))


def test_a_gguf_that_cannot_be_converted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITETWIN_CACHE", str(tmp_path / "cache"))
    (tmp_path / "Broken.GGUF").write_bytes(b"no model")
    for _ in range(2):
        with pytest.raises(ModelError, match="can't be read as GGUF"):
            resolve_chat_model(str(tmp_path / "Broken.GGUF"))
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_dir()] == [tmp_path / "cache" / "1"]
