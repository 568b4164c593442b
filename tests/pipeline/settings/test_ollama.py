import pytest

from pipeline.settings import ollama_openai_url


@pytest.mark.parametrize(
    ("named", "url"),
    [
        ("", "http://127.0.0.1:11434/v1"),
        ("studio.local", "http://studio.local:11434/v1"),
        ("studio.local:8000", "http://studio.local:8000/v1"),
        ("studio.local:80", "http://studio.local:80/v1"),
        ("https://models.example.org/", "https://models.example.org/v1"),
    ],
)
def test_where_ollama_speaks_like_openai(monkeypatch: pytest.MonkeyPatch, named: str, url: str) -> None:
    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert ollama_openai_url(named) == url
    monkeypatch.setenv("OLLAMA_HOST", named)
    assert ollama_openai_url() == url
