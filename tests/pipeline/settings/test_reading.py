from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.settings import GatewaySettings, Settings, find_settings_file, load_settings


def write(folder: Path, text: str) -> Path:
    file = folder / "sitetwin.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_file_values_and_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[[content]]\npath = "notes"\n[index]\nchunk_chars = 500\n'))
    assert settings.root == tmp_path
    assert settings.state == tmp_path / ".sitetwin"
    assert settings.index.chunk_chars == 500
    assert settings.retrieval.passages == 4
    assert settings.source_path(settings.content[0]) == tmp_path / "notes"


def test_a_variable_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITETWIN_ENGINE__URL", "http://127.0.0.1:11434/v1")
    settings = load_settings(write(tmp_path, '[engine]\nurl = "http://elsewhere/v1"\nthreads = 3\n'))
    assert settings.engine.url == "http://127.0.0.1:11434/v1"
    assert settings.engine.threads == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[engin]\nthreads = 1\n", "unknown key engin: did you mean 'engine'?"),
        ("[engine]\nthread = 1\n", "unknown key engine.thread: did you mean 'threads'?"),
        (
            '[[content]]\npath = "x"\nvisiblity = "public"\n',
            "unknown key content.0.visiblity: did you mean 'visibility'?",
        ),
        ("[engine]\nqqq = 1\n", "known there: url, api_key"),
        ('[engine]\nthreads = "many"\n', "engine.threads: Input should be a valid integer"),
        ("[engine\n", "is not valid TOML"),
    ],
)
def test_a_wrong_file_is_explained(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(write(tmp_path, text))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_the_nearest_file_above_is_found(tmp_path: Path) -> None:
    file = write(tmp_path, "")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_settings_file(below) == file


def test_no_file_names_the_next_step(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="sitetwin init"):
        find_settings_file(tmp_path)


def test_settings_know_their_file_whatever_its_name(tmp_path: Path) -> None:
    other = write(tmp_path, "").rename(tmp_path / "other.toml")
    assert load_settings(other).file == other
    assert Settings(root=tmp_path).file == tmp_path / "sitetwin.toml"


def test_sitetwin_config_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITETWIN_CONFIG", str(write(tmp_path, '[site]\nname = "mine"\n')))
    assert load_settings().site.name == "mine"


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("", "http://127.0.0.1:11434/v1"),
        ("http://studio.local:11434", "http://studio.local:11434/v1"),
        ("http://studio.local:11434/v1", "http://studio.local:11434/v1"),
    ],
)
def test_a_model_of_ollama_is_one_of_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, asked: str
) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    engine = f'[engine]\nurl = "{url}"\nthreads = 3\n' if url else ""
    settings = load_settings(write(tmp_path, f'[models]\nchat = "ollama:gemma3:12b"\n{engine}'))
    assert (settings.models.chat, settings.engine.url) == ("gemma3:12b", asked)
    assert settings.engine.threads == (3 if url else 0)
    assert not settings.quotes_first
    assert not Settings(root=tmp_path).engine.url


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::"])
def test_a_gateway_on_all_addresses_is_reached_by_loopback(host: str) -> None:
    assert GatewaySettings(host=host, port=8765).own_url == "http://127.0.0.1:8765"
