"""The client against a real HTTP server that speaks OpenAI's stream as written down for each case."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.errors import ModelError
from pipeline.servers.client import EngineClient

Serve = Callable[[int, bytes], EngineClient]
MESSAGES = [{"role": "user", "content": "hi"}]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: bytes) -> EngineClient:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                asked["authorization"] = self.headers.get("Authorization")
                self.server.asked = asked  # type: ignore[attr-defined]
                self.send_response(status)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        client = EngineClient(f"http://127.0.0.1:{server.server_port}/v1/", "m", api_key="key", timeout=20)
        client.server = server  # type: ignore[attr-defined]
        return client

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def event(**delta: str) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n".encode()


def test_pieces_come_as_sent_and_the_request_is_openais(serve: Serve) -> None:
    client = serve(
        200,
        b": keepalive 1/2\n\n"
        + event(role="assistant")
        + event(content="Hel")
        + event(content="lo")
        + b"data: [DONE]\n\n",
    )
    assert list(client.generate(MESSAGES)) == ["Hello"]  # It has shown now that no thought is hidden in the text.
    assert list(client.generate(MESSAGES, max_tokens=7, temperature=0.5, stop=["x"])) == ["Hel", "lo"]
    assert client.server.asked == {  # type: ignore[attr-defined]
        "model": "m", "messages": MESSAGES, "max_tokens": 7, "temperature": 0.5, "stop": ["x"], "stream": True,
        "authorization": "Bearer key",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (404, "with /v1 or without .*or set models.chat"),
        (401, "SITETWIN_ENGINE__API_KEY"),
        (500, "answered 500 for m: no; see its log"),
    ],
)
def test_a_refusal_names_the_next_step(serve: Serve, status: int, says: str) -> None:
    with pytest.raises(ModelError, match=says) as error:
        list(serve(status, b'{"error": "no"}').generate(MESSAGES))
    assert "\n" not in str(error.value)


def test_nobody_there() -> None:
    with pytest.raises(ModelError, match="start it"):
        list(EngineClient("http://127.0.0.1:9/v1", "m").generate(MESSAGES))


def test_another_kind_of_server(serve: Serve) -> None:
    assert list(serve(200, b"data: [DONE]\n\n").generate(MESSAGES)) == []


def test_an_adapter_is_asked_with_the_prompt_that_it_was_trained_with(serve: Serve) -> None:
    """The engine opens a thought unless it is told not to, and no row of a training has an open thought."""
    client = serve(200, b'data: {"choices": [{"delta": {"content": "It is."}}]}\n\ndata: [DONE]\n\n')
    client.adapter = "mine"
    assert list(client.generate(MESSAGES)) == ["It is."]
    asked = client.server.asked  # type: ignore[attr-defined]
    assert asked["adapters"] == "mine"
    assert asked["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(("is_ours", "sent"), [(True, "<|im_end|>"), (False, "<\u2060|im_end|>")])
def test_only_a_server_that_obeys_control_tokens_gets_them_broken(serve: Serve, is_ours: bool, sent: str) -> None:
    """What such a server repeats of them is whole again, and our engine gets the prompts of its training."""
    client = serve(200, event(content=f"{sent} ends") + event(content=" a turn.") + b"data: [DONE]\n\n")
    url = f"http://127.0.0.1:{client.server.server_port}/v1"  # type: ignore[attr-defined]
    asked = [{"role": "user", "content": "What does <|im_end|> do?"}]
    said = "".join(EngineClient(url, "m", is_ours=is_ours).generate(asked))
    assert said == "<|im_end|> ends a turn."
    assert client.server.asked["messages"][0]["content"] == f"What does {sent} do?"  # type: ignore[attr-defined]
