import importlib.util
import json
from pathlib import Path

import pytest

from pipeline.doctor import OLLAMA_FROM, Finding, examine
from pipeline.processes.endpoint import free_port
from pipeline.processes.left_out import note_left_out
from pipeline.servers.openai_server import OpenAIServer
from pipeline.settings import EngineSettings, LangflowSettings, ModelSettings, RetrievalSettings, Settings
from pipeline.weights.demo import embedding_model


def finding(name: str, root: Path, rerank: bool = False, **models: str) -> Finding | None:
    named = ModelSettings(**models)  # type: ignore[arg-type]
    findings = examine(Settings(root=root, models=named, retrieval=RetrievalSettings(rerank=rerank)))
    return next((finding for finding in findings if finding.name == name), None)


def test_an_embedder_that_can_be_used_is_named_with_its_dimension(tmp_path: Path) -> None:
    found = finding("embedder", tmp_path, embedder=str(embedding_model()))
    assert found is not None
    assert found.state == "ok"
    assert "all-MiniLM-L6-v2" in found.text
    assert "vectors of 384 numbers" in found.text


@pytest.mark.parametrize(
    ("embedder", "next_step"),
    [
        ("nothing", "set [models] embedder"),
        ("ollama:nomic-embed-text", "run `ollama serve`"),
        ("openai:small", "mend [models] embedder_url"),
    ],
)
def test_an_embedder_that_can_not_be_used_comes_with_the_next_step(
    tmp_path: Path, embedder: str, next_step: str
) -> None:
    found = finding("embedder", tmp_path, embedder=embedder, embedder_url=f"http://127.0.0.1:{free_port()}")
    assert found is not None
    assert found.state == "missing"
    assert next_step in found.text


@pytest.mark.parametrize(
    ("chat", "has", "mend"),
    [
        ("ollama:gemma3:12b", [], "ollama pull gemma3:12b"),
        ("ollama:gemma3:12b", ["small:latest"], "ollama pull gemma3:12b, or set models.chat to one of: ollama:small"),
        ("big", ["a", "b"], "set models.chat to one of: a, b"),
        ("big", [], "give that server a model"),
    ],
)
def test_a_chat_model_that_a_server_lacks_comes_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chat: str, has: list[str], mend: str
) -> None:
    monkeypatch.setattr(OpenAIServer, "models", lambda server: has)
    settings = Settings(root=tmp_path, models=ModelSettings(chat=chat), engine=EngineSettings(url="http://127.0.0.1:9"))
    found = next(finding for finding in examine(settings) if finding.name == "chat model")
    assert (found.state, found.mend) == ("missing", mend)


def test_a_reranker_is_looked_at_only_if_it_is_wanted(tmp_path: Path) -> None:
    assert finding("reranker", tmp_path) is None
    missing = finding("reranker", tmp_path, rerank=True)
    assert missing is not None
    assert missing.state == "missing"
    assert "set [models] reranker" in missing.text


@pytest.mark.parametrize(
    ("flow", "state", "said"),
    [("hybrid_chat", ("ok", "note"), "in mode hybrid"), ("my_chat", ("missing",), "the flow 'my_chat'")],
)
def test_without_langflow_the_flow_is_a_mode(tmp_path: Path, flow: str, state: tuple[str, ...], said: str) -> None:
    findings = examine(Settings(root=tmp_path, langflow=LangflowSettings(enabled=False, flow=flow)))
    found = next(finding for finding in findings if finding.name == "langflow")
    assert found.state in state
    assert said in found.text


@pytest.mark.skipif(not importlib.util.find_spec("langflow"), reason="Langflow is not installed")
def test_a_flow_that_visitors_are_refused_is_named(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path)

    def found() -> Finding:
        return next(finding for finding in examine(settings) if finding.name == "langflow")

    note_left_out(settings, settings.langflow.flow, "visitors are refused (Visibility of Notes Retriever)")
    assert (found().state, "Visibility of Notes Retriever" in found().text) == ("missing", True)
    note_left_out(settings, settings.langflow.flow, "")
    assert found().state == "ok"


@pytest.mark.parametrize("held", OLLAMA_FROM)
@pytest.mark.parametrize(("share", "is_said"), [(0.9, False), (1, True)])
def test_a_large_model_on_a_linux_processor_is_better_served_by_ollama(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str, share: float, is_said: bool
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("pipeline.doctor.is_fast", lambda: held == "in 8 bits")
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "tokenizer.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    count = int(OLLAMA_FROM[held] * share)
    header = json.dumps({"w": {"dtype": "F16", "shape": [count], "data_offsets": [0, 2 * count]}}).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + 2 * count)  # it takes no room on the disk
    found = finding("chat model", tmp_path, chat=str(folder))
    assert found is not None
    assert found.state == "note"
    assert ("export RUN --to ollama" in found.mend) is is_said
