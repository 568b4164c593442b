from pathlib import Path

import pytest

from pipeline.machine import Machine
from pipeline.settings import load_settings
from pipeline.starter import write_settings


@pytest.mark.parametrize(
    ("gigabytes", "size", "in_use"), [(8, "4b", "5.0"), (16, "12b", "10.4"), (32, "12b", "10.4"), (64, "27b", "19.7")]
)
def test_on_a_mac_the_model_is_chosen_by_memory_and_the_file_says_why(
    tmp_path: Path, gigabytes: int, size: str, in_use: str
) -> None:
    (tmp_path / "notes").mkdir()
    file = write_settings(tmp_path, None, machine=Machine("darwin", "arm64", "15.1", gigabytes * 2**30))
    assert load_settings(file).models.chat == f"mlx-community/gemma-3-{size}-it-4bit"
    text = file.read_text(encoding="utf-8")
    assert f"# This Mac has {gigabytes} GB of memory" in text
    assert f"# in use it takes {in_use} GB: weights" in text


@pytest.mark.parametrize("processor", ["x86_64", "aarch64"])
def test_elsewhere_the_demo_model_is_named(tmp_path: Path, processor: str) -> None:
    (tmp_path / "notes").mkdir()
    file = write_settings(tmp_path, None, machine=Machine("linux", processor, "", 64 * 2**30))
    assert load_settings(file).models.chat == "demo"


@pytest.mark.parametrize(
    ("text", "embedder"),
    [
        ("Die Katze schläft auf dem Sofa, und der Hund ist im Garten.", "demo-multilingual"),
        ("The cat is asleep.", "demo"),
    ],
)
def test_the_embedder_fits_the_language_of_the_notes(tmp_path: Path, text: str, embedder: str) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.md").write_text(text, encoding="utf-8")
    file = write_settings(tmp_path, None, machine=Machine("linux", "x86_64", "", 64 * 2**30))
    assert load_settings(file).models.embedder == embedder
    assert ("The notes are in German (1)" in file.read_text(encoding="utf-8")) == (embedder != "demo")
