"""The code of the recipes in CONTRIBUTING.md runs as it is printed."""

import importlib.util
import re
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from click.testing import CliRunner

from pipeline.embedding.remote_embedder import RemoteEmbedder
from pipeline.settings import Settings, load_settings
from pipeline.site import Site

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RECIPES = [textwrap.dedent(code) for code in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)]


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A site of one public and one private note, indexed by words alone."""
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tea.md").write_text("Green tea is brewed at 70 degrees.\n", encoding="utf-8")
    (tmp_path / "notes" / "diary.md").write_text("---\nprivate: true\n---\nRain again.\n", encoding="utf-8")
    file = tmp_path / "sitetwin.toml"
    file.write_text(
        '[[content]]\npath = "notes"\nvisibility = "public"\n[retrieval]\nmode = "keyword"\n', encoding="utf-8"
    )
    monkeypatch.setenv("SITETWIN_CONFIG", str(file))
    return load_settings()


def module(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The recipe whose code holds `name`, as the file that a reader makes of it."""
    (code,) = [code for code in RECIPES if name in code]
    file = tmp_path / "recipe.py"
    file.write_text(code, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("recipe", file)
    assert spec
    assert spec.loader
    made = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "recipe", made)  # Langflow looks for a component's source there
    spec.loader.exec_module(made)
    return made


def test_the_command_counts_words(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = module("def words", tmp_path, monkeypatch).words
    assert CliRunner().invoke(words, [], obj=lambda: settings).stdout == "9 words\n"
    assert CliRunner().invoke(words, ["--json"], obj=lambda: settings).stdout == '{\n  "words": 9\n}\n'


def test_the_embedder_is_one_that_the_index_can_ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = RemoteEmbedder(module("class Letters", tmp_path, monkeypatch).Letters("any", ""))
    assert embedder.name == "letters:any-26"
    first, second = embedder.embed(["tea", "eat"])
    assert first @ second == pytest.approx(1)


# Langflow's dependencies warn while they are imported; that is theirs to mend.
@pytest.mark.filterwarnings("ignore")
def test_the_component_counts_public_documents(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Site(settings).index() as index:
        index.sync()
    component = module("class DocumentCountComponent", tmp_path, monkeypatch).DocumentCountComponent()
    assert component.count().text == "1"
