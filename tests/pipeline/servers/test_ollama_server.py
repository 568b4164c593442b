"""Against an HTTP server of the test's own, for what a real Ollama can't be made to say."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from pipeline.embedding.ollama_embeddings import OllamaEmbeddings
from pipeline.embedding.remote_embedder import RefusedTextError
from pipeline.errors import ModelError
from pipeline.servers.ollama_chat import OllamaChat, list_models
from pipeline.servers.structured import RefusedFormError
from pipeline.servers.transport import TRIES

Answers = dict[str, tuple[int, Any]]
SHOWN = (200, {"capabilities": ["embedding"], "model_info": {}})


@contextmanager
def server(answers: Answers) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Its address, and the path and key of every request; `answers` has status and content for each path."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"] or 0))
            asked.append((self.path, self.headers.get("Authorization", "")))
            status, answer = answers[self.path]
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}", asked
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def embed(url: str) -> None:
    with closing(OllamaEmbeddings("m", url, "secret")) as embeddings:
        embeddings.vectors(["a"])


def chat(url: str) -> None:
    asyncio.run(OllamaChat("m", url, "secret").reply([], {}, max_tokens=5, temperature=0))


@pytest.mark.parametrize(("ask", "path"), [(embed, "/api/embed"), (chat, "/api/chat")])
@pytest.mark.parametrize(
    ("status", "text", "message"),
    [
        (401, "unauthorized", r"refuses the key \(401\): set SITETWIN_(MODELS__EMBEDDER|TEACHER)__?API_KEY"),
        (404, "not found", "has no model m: run `ollama pull m`"),
        (500, "model requires more system memory (9 GiB)", r"memory \(9 GiB\)\): set .* to a smaller model, or end"),
        (418, "I am\na teapot", "answered 418 for m: I am a teapot; see its log"),
    ],
)
def test_errors_name_the_next_step(ask: Callable[[str], None], path: str, status: int, text: str, message: str) -> None:
    with (
        server({"/api/show": SHOWN, path: (status, {"error": text})}) as (url, asked),
        pytest.raises(ModelError, match=message) as caught,
    ):
        ask(url)
    assert "\n" not in str(caught.value)
    assert [asked_path for asked_path, _ in asked if asked_path != "/api/show"] == [path]
    assert {key for _, key in asked} == {"Bearer secret"}


def test_each_names_its_own_settings() -> None:
    with server({"/api/tags": (200, {"data": []})}) as (url, _):
        with pytest.raises(ModelError, match=rf"what answers at {url} is no Ollama .*: mend teacher\.url"):
            list_models(url)
        with (
            closing(OllamaEmbeddings("m", url)) as embeddings,
            pytest.raises(ModelError, match=r"mend \[models\] embedder_url"),
        ):
            embeddings.identity()


def test_texts_that_are_refused_may_be_shorter() -> None:
    refused = (400, {"error": "the input length exceeds the context length"})
    with (
        server({"/api/show": SHOWN, "/api/embed": refused}) as (url, _),
        pytest.raises(RefusedTextError, match=r"longer than m takes \(the input length exceeds"),
    ):
        embed(url)


def test_an_answer_is_asked_for_again_when_the_server_breaks_off() -> None:
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    with (
        server({"/api/chat": (500, {"error": "llama runner terminated"})}) as (url, asked),
        pytest.raises(ModelError, match="answered 500 for m: llama runner terminated; see its log"),
    ):
        asyncio.run(OllamaChat("m", url, pause=pause).reply([], {}, max_tokens=5, temperature=0))
    assert len(asked) == TRIES
    assert pauses == [1, 2, 4]


@pytest.mark.parametrize("odd", [{"error": "Provider returned error"}, "gateway busy"])
def test_one_odd_reply_is_asked_for_again_and_many_skip_the_task(odd: Any) -> None:
    async def at_once(seconds: float) -> None:
        pass

    async def ask() -> str:
        return await model.reply([], {}, max_tokens=5, temperature=0)

    reply = {"message": {"role": "assistant", "content": "Oslo"}, "done": True, "done_reason": "stop"}
    answers: Answers = {"/api/chat": (200, reply)}
    with server(answers) as (url, asked):
        model = OllamaChat("m", url, pause=at_once)
        assert asyncio.run(ask()) == "Oslo"
        answers["/api/chat"] = (200, odd)
        with pytest.raises(RefusedFormError, match="something else than a reply"):
            asyncio.run(ask())
        assert len(asked) == 1 + TRIES
        answers["/api/chat"] = (200, reply)
        assert asyncio.run(ask()) == "Oslo"


def test_a_key_of_the_environment_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "secret")
    reply = {"message": {"role": "assistant", "content": "Oslo"}, "done": True, "done_reason": "stop"}
    with server({"/api/chat": (200, reply), "/api/tags": (200, {"models": []})}) as (url, asked):
        assert asyncio.run(OllamaChat("m", f"{url}/v1").reply([], {}, max_tokens=5, temperature=0)) == "Oslo"
        assert list_models(f"{url}/api") == []
    assert asked == [("/api/chat", ""), ("/api/tags", "")]
