"""Kinds of our own, and one that another distribution brings."""

from pathlib import Path

import pytest

from pipeline.dataset.teachers import TEACHERS, load_teacher
from pipeline.dataset.teachers.model import ModelTeacher
from pipeline.embedding.embedder import EMBEDDERS, load_embedder
from pipeline.embedding.reranker import load_reranker
from pipeline.errors import SettingsError
from pipeline.settings import ModelSettings, Settings, TeacherSettings
from pipeline.tables import Table
from tests.distributions import install

MODULE = """
class Letters:
    def __init__(self, model, url, key):
        self.model = model
    def identity(self):
        return f"letters:{self.model}"
    def vectors(self, texts):
        return [[1.0 + text.count(letter) for letter in self.model] for text in texts]

class Writer:
    def __init__(self, name):
        self.name = name

def writer(settings, name, key):
    return Writer(f"writer:{name}")

class Lengths:
    name = "lengths"

def lengths(settings, name):
    return Lengths()
"""
POINTS = """[sitetwin.embedders]
letters = tables_plugin:Letters
[sitetwin.teachers]
writer = tables_plugin:writer
[sitetwin.rerankers]
lengths = tables_plugin:lengths
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "tables_plugin", MODULE, POINTS)


def test_another_package_brings_an_embedder_a_teacher_and_a_reranker(plugin: None, tmp_path: Path) -> None:
    models = ModelSettings(embedder="letters:ab", reranker="lengths:x")
    settings = Settings(root=tmp_path, models=models, teacher=TeacherSettings(model="writer:big"))
    assert load_embedder(settings).name == "letters:ab-2"
    assert load_embedder(settings).embed(["aa"]).shape == (1, 2)
    teacher = load_teacher(settings)
    assert isinstance(teacher, ModelTeacher)
    assert teacher.name.startswith("writer:big, prompts ")
    assert load_reranker(settings).name == "lengths"
    assert EMBEDDERS.kinds() == ["ollama", "openai", "letters"]


def test_every_kind_of_ours_is_there() -> None:
    for table in (TEACHERS, EMBEDDERS):
        assert all(callable(table.find(kind)) for kind in table.kinds())
    assert Table("sitetwin.nothing", {}).find("a/b") is None


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("olama:x", r"'olama:x': set it to one of extractive, ollama:NAME, openai:NAME, engine"),
        ("ollama", "write ollama:NAME"),
        ("openai:gpt-5", r"set teacher\.url"),
    ],
)
def test_a_teacher_that_is_not_known(tmp_path: Path, model: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_teacher(Settings(root=tmp_path, teacher=TeacherSettings(model=model)))
