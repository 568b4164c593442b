"""A real Ollama as the model server, by `engine.url` or as `ollama:NAME`."""

from pathlib import Path

import pytest

from pipeline.chat import Answer
from pipeline.doctor import examine
from pipeline.errors import ModelError
from pipeline.servers.client import EngineClient
from pipeline.settings import ChatSettings, EngineSettings, ModelSettings, Settings
from pipeline.site import Site
from tests.ollama_server import MODEL

pytestmark = [pytest.mark.ollama, pytest.mark.slow, pytest.mark.timeout(600)]


def test_after_its_first_answer_it_answers_in_pieces(ollama: str) -> None:
    client, asked = EngineClient(f"{ollama}/v1", MODEL), [{"role": "user", "content": "What is the capital of France?"}]
    # A server whose model is not known yet may open its answer with a thought: the first one comes whole.
    first, later = (list(client.generate(asked, max_tokens=20)) for _ in range(2))
    assert len(first) == 1
    assert len(later) > 3
    assert all("Paris" in "".join(pieces) for pieces in (first, later))


def test_a_missing_model_is_named_with_the_next_step(ollama: str) -> None:
    with pytest.raises(ModelError, match=r"has no model gemma3:270b .*set models\.chat"):
        list(EngineClient(f"{ollama}/v1", "gemma3:270b").generate([{"role": "user", "content": "hi"}]))


@pytest.mark.parametrize(("model", "state"), [(f"{MODEL}:latest", "ok"), (MODEL, "ok"), ("gemma3:270b", "missing")])
def test_doctor_knows_what_ollama_has(ollama: str, tmp_path: Path, model: str, state: str) -> None:
    for named in (
        Settings(root=tmp_path, engine=EngineSettings(url=f"{ollama}/v1"), models=ModelSettings(chat=model)),
        Settings(root=tmp_path, engine=EngineSettings(url=ollama), models=ModelSettings(chat=f"ollama:{model}")),
    ):
        finding = next(finding for finding in examine(named) if finding.name == "chat model")
        assert finding.state == state
        assert finding.state == "ok" or MODEL in finding.mend


def test_a_question_to_a_model_of_ollama(ollama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", ollama)
    settings = Settings(root=tmp_path, models=ModelSettings(chat=f"ollama:{MODEL}"), chat=ChatSettings(max_tokens=20))
    *_, answer = Site(settings).assistant.ask("What is the capital of France?", mode="base")
    assert isinstance(answer, Answer)
    assert "Paris" in answer.answer
    assert not settings.run_directory.exists()  # no engine of our own
