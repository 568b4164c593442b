"""Ollama's own stream: a server of the test's own says what a thinking model of a real one would."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ModelError, UnreadableError
from pipeline.processes import engine
from pipeline.servers.dialect import THOUGHT_TOKENS
from pipeline.servers.ollama_client import OllamaClient
from pipeline.settings import EngineSettings, ModelSettings, Settings
from tests.answering_server import Answer, Server
from tests.ollama_server import MODEL

PLAIN: Answer = (200, {}, {"template": "{{ .Prompt }}", "model_info": {}})
"""What /api/show says of a model that does not think."""
THINKER: Answer = (200, {}, {"template": "{{ .Prompt }}<think>\n", "model_info": {}})
ASK = [{"role": "user", "content": "What is the capital of France?"}]


def lines(*messages: dict[str, Any]) -> Answer:
    parts = [{"message": {"role": "assistant", "content": "", **message}, "done": False} for message in messages]
    return 200, {"Content-Type": "application/x-ndjson"}, "\n".join(map(json.dumps, parts)).encode()


def test_the_thought_is_not_shown_and_the_switch_is_sent(server: Server) -> None:
    server.answers = [
        PLAIN,
        lines({"thinking": "Paris? "}, {"thinking": "Yes."}, {"content": "Par"}, {"content": "is."}),
    ]
    client = OllamaClient(server.url, "m", timeout=20)
    assert list(client.generate(ASK, max_tokens=7, temperature=0.5, stop=["x"])) == ["Par", "is."]
    path, _, body = server.asked[1]
    assert (path, body["think"]) == ("/api/chat", False)
    assert body["options"] == {"num_predict": 7, "temperature": 0.5, "stop": ["x"]}


def test_a_model_that_can_not_think_is_asked_without_it(server: Server) -> None:
    refusal: Answer = (400, {}, {"error": '"m" does not support thinking'})
    invalid: Answer = (400, {}, {"error": 'invalid think value: "low"'})
    server.answers = [PLAIN, invalid, refusal, lines({"content": "Paris."}), lines({"content": "Paris."})]
    client = OllamaClient(server.url, "m", think="low")
    assert list(client.generate(ASK)) == list(client.generate(ASK)) == ["Paris."]
    assert [body.get("think") for _, _, body in server.asked[1:]] == ["low", True, None, None]


def test_a_thought_alone_is_said_and_without_the_setting_asked_again_with_room(server: Server) -> None:
    server.answers = [PLAIN, lines({"thinking": "Hm"}), PLAIN, *[lines({"thinking": "Hm"})] * 2]
    with pytest.raises(UnreadableError, match=r"gave no answer: set models\.think = false"):
        list(OllamaClient(server.url, "m", think=True).generate(ASK, max_tokens=7))
    with pytest.raises(UnreadableError, match="to a model that does not think"):
        list(OllamaClient(server.url, "m").generate(ASK, max_tokens=7))
    budgets = [body["options"]["num_predict"] for path, _, body in server.asked if path == "/api/chat"]
    assert budgets == [7 + THOUGHT_TOKENS, 7, 7 + THOUGHT_TOKENS]


def test_a_thought_that_the_models_template_opens_is_never_shown(server: Server) -> None:
    hidden = lines(
        {"content": "Paris? Yes."}, {"content": "\n</think>\n\n"}, {"content": "Paris."}, {"content": " Bye."}
    )
    server.answers = [THINKER, hidden, hidden]
    client = OllamaClient(server.url, "m")
    assert ["".join(client.generate(ASK)) for _ in range(2)] == ["Paris. Bye."] * 2
    plain = lines({"content": "Par"}, {"content": "is."})
    server.answers = [THINKER, plain, plain]
    client = OllamaClient(server.url, "m")
    assert [list(client.generate(ASK)) for _ in range(2)] == [["Paris."], ["Par", "is."]]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, {}, {"error": "model 'm' not found"}), "has no model m: run `ollama pull m`"),
        ((200, {}, b'{"message": {"role": "assistant", "content": "P"}}\n{"error": "runner died"}'), "runner died"),
        ((200, {}, b"<html>"), "is no Ollama"),
    ],
)
def test_what_goes_wrong_is_named(server: Server, answer: Answer, says: str) -> None:
    server.answers = [answer, answer]  # to /api/show, and to the chat
    with pytest.raises(ModelError, match=says):
        list(OllamaClient(server.url, "m").generate(ASK))


def test_settings_choose_it_for_ollama(tmp_path: Path) -> None:
    chat = ModelSettings(chat="ollama:m", think=True)
    client = engine.connect(Settings(root=tmp_path, models=chat, engine=EngineSettings(url="http://127.0.0.1:9")))
    assert isinstance(client, OllamaClient)
    assert (client.base_url, client.model, client.think) == ("http://127.0.0.1:9/v1", "m", True)
    other = Settings(root=tmp_path, models=ModelSettings(chat="m"), engine=EngineSettings(url="http://127.0.0.1:9"))
    assert not isinstance(engine.connect(other), OllamaClient)
    assert engine.connect(other) is engine.connect(other)


@pytest.mark.slow
@pytest.mark.ollama
@pytest.mark.timeout(600)
def test_a_real_one(ollama: str) -> None:
    pieces = list(OllamaClient(f"{ollama}/v1", MODEL, think=True).generate(ASK, max_tokens=20))
    assert len(pieces) > 3
    assert "Paris" in "".join(pieces)
