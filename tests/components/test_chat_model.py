"""The LangChain model against a real HTTP server that speaks OpenAI's stream."""

import asyncio
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from components.chat_model import EngineChatModel
from components.generation import generate_with, model_name
from components.sitetwin.cited_answer import CitedAnswerComponent
from pipeline.errors import ModelError
from pipeline.servers.client import EngineClient


class Endpoint(BaseHTTPRequestHandler):
    asked: ClassVar[list[dict[str, Any]]] = []

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if body["model"] != "tea":
            self.send_error(404)
            return
        self.asked.append(body)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        for piece in ("Four ", "minutes", "."):
            self.wfile.write(f"data: {json.dumps({'choices': [{'delta': {'content': piece}}]})}\n\n".encode())
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    Endpoint.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def model(url: str, name: str = "tea") -> EngineChatModel:
    return EngineChatModel(client=EngineClient(url, name, is_ours=True), max_tokens=30, temperature=0.5)


def test_it_streams_the_servers_pieces(url: str) -> None:
    pieces = [chunk.text for chunk in model(url).stream("How long?")]
    assert [piece for piece in pieces if piece] == ["Four ", "minutes", "."]


def test_roles_and_options_reach_the_server(url: str) -> None:
    model(url).invoke([SystemMessage("Be brief."), HumanMessage("Tea?"), AIMessage("Yes."), HumanMessage("How long?")])
    body = Endpoint.asked[0]
    assert [m["role"] for m in body["messages"]] == ["system", "user", "assistant", "user"]
    assert (body["max_tokens"], body["temperature"]) == (30, 0.5)


def test_any_model_is_a_generate_function(url: str) -> None:
    generate = generate_with(model(url))
    assert "".join(generate([{"role": "user", "content": "How long?"}])) == "Four minutes."
    assert Endpoint.asked[0]["messages"] == [{"role": "user", "content": "How long?"}]
    assert model_name(model(url)) == "tea"


def test_a_servers_refusal_stays_an_error_of_ours(url: str) -> None:
    with pytest.raises(ModelError, match=r"or set models\.chat to a model that it has"):
        model(url, "coffee").invoke("How long?")


@pytest.mark.parametrize("missing", [None, ""])
def test_a_missing_model_edge_says_what_to_connect(missing: Any) -> None:
    component = CitedAnswerComponent(question="Why?", passages=None, model=missing)
    with pytest.raises(ValueError, match="got no model: connect MLX Model"):
        asyncio.run(component.answer())
