import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import aclosing

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from components import wire
from flows.server import is_installed
from pipeline.chat import Answer, Citation
from pipeline.chat.assistant import Assistant
from pipeline.errors import ServiceError, SettingsError
from pipeline.processes.supervisor import ProcessRow
from web.app import create_app
from web.backends import DirectBackend, EarlyBackend, FlowBackend
from web.gateway import choose_backend
from web.question import VisitorQuestion
from web.rows import RowsFile


async def _ready(*backends):
    states = [await backend.ready() for backend in backends]
    for backend in backends:
        await backend.aclose()
    return states


def test_both_are_ready_only_when_nothing_is_starting(settings, serve):
    healthy = serve(Starlette(routes=[Route("/health", lambda request: PlainTextResponse("ok"))]))
    starting = ["the index", "the model"]
    backends = [
        DirectBackend(settings, "rag", lambda: starting),
        FlowBackend(healthy, "key", "rag_chat", lambda: starting),
    ]

    async def before_and_after():
        before = [await backend.ready() for backend in backends]
        starting.clear()
        return before, await _ready(*backends)

    assert anyio.run(before_and_after) == (["the index, the model"] * 2, [True, True])


def test_a_flow_is_not_ready_before_langflow_answers():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        backend = FlowBackend(f"http://127.0.0.1:{unused.getsockname()[1]}", "key", "rag_chat")
        assert anyio.run(_ready, backend) == ["Langflow"]


@pytest.fixture
def counting(monkeypatch):
    """`Assistant.ask` as a generator that counts without a model; says whether it was closed, and in which threads it ran."""

    class Counting:
        def __init__(self):
            self.closed = False
            self.called_with = None
            self.threads = set()

        def ask(self, assistant, question, **options):
            self.called_with = (question, options)
            try:
                for number in range(1000):
                    self.threads.add(threading.get_ident())
                    yield f"{number} "
            finally:
                self.closed = True

    counter = Counting()
    monkeypatch.setattr(Assistant, "ask", lambda *args, **options: counter.ask(*args, **options))
    return counter


def test_direct_answers_run_off_the_event_loop_see_public_text_only_and_end_when_closed(settings, counting):
    async def first_two():
        async with aclosing(DirectBackend(settings, "lora").stream(VisitorQuestion(question="Why?"))) as pieces:
            return [await anext(pieces), await anext(pieces)]

    assert anyio.run(first_two) == ["0 ", "1 "]
    assert counting.closed
    assert threading.get_ident() not in counting.threads
    question, options = counting.called_with
    assert (question, options["visibility"], options["mode"]) == ("Why?", "public", "lora")


@pytest.mark.parametrize(("flow", "mode"), [("rag_chat", "rag"), ("lora_chat", "lora"), ("hybrid_chat", "hybrid")])
def test_without_langflow_visitors_are_answered_in_the_mode_of_their_flow(settings, counting, flow, mode):
    settings.langflow.enabled = False
    settings.langflow.flow = flow

    async def first():
        async with aclosing(choose_backend(settings).stream(VisitorQuestion(question="Why?"))) as pieces:
            return await anext(pieces)

    assert anyio.run(first) == "0 "
    assert counting.called_with[1]["mode"] == mode


@pytest.mark.parametrize(
    ("flow", "quotes", "waits_for"),
    [("rag_chat", True, []), ("rag_chat", False, ["the model"]), ("lora_chat", True, ["the model"])],
)
@pytest.mark.parametrize(
    "langflow", [False, pytest.param(True, marks=pytest.mark.skipif(not is_installed(), reason="Langflow"))]
)
def test_a_quotation_waits_for_the_index_only(settings, flow, quotes, waits_for, langflow, monkeypatch):
    settings.langflow.enabled, settings.langflow.flow, settings.chat.quote_first = langflow, flow, quotes
    monkeypatch.setattr("flows.server.serves_shipped", lambda settings: True)
    rows = [ProcessRow(name, "starting") for name in ("engine", "langflow", "watcher")]
    RowsFile(settings.run_directory).write(rows)
    backend = choose_backend(settings)
    assert anyio.run(backend.ready) == ", ".join(["the model", "the index"] if waits_for else ["the index"])
    rows[-1].become("ready")
    RowsFile(settings.run_directory).write(rows)
    assert anyio.run(backend.ready) == (", ".join(waits_for) or True)


def test_what_the_first_answer_needs_is_loaded_before(settings):
    """In a process of its own: others may have loaded it by now."""
    code = (
        "import sys, anyio; from pipeline.settings import load_settings; from web.backends import DirectBackend; "
        "anyio.run(DirectBackend(load_settings(), 'rag').prepare); "
        "sys.exit(not {'chromadb', 'onnxruntime', 'pipeline.answerability.judging'} <= set(sys.modules))"
    )
    (settings.root / "sitetwin.toml").write_text("", encoding="utf-8")
    variables = {**os.environ, "SITETWIN_CONFIG": str(settings.root / "sitetwin.toml")}
    subprocess.run([sys.executable, "-c", code], check=True, env=variables)


def test_a_flow_of_the_owners_needs_langflow(settings):
    settings.langflow.enabled = False
    settings.langflow.flow = "my_chat"
    with pytest.raises(SettingsError, match="set it to one of rag_chat, lora_chat, hybrid_chat"):
        choose_backend(settings)
    settings.langflow.enabled = True
    if is_installed():
        assert isinstance(choose_backend(settings), FlowBackend)
        settings.langflow.flow = "hybrid_chat"
        assert isinstance(choose_backend(settings), EarlyBackend)


def _langflow(visibility, cited):
    """A server with one flow, which answers every question with one citation."""
    answer = Answer(
        question="Why?", mode="rag", answer="Two hours [1].", refused=False, model="m",
        citations=[Citation(n=1, document="diary.md", title="", url="", heading="", quote="", visibility=cited)],
    )  # fmt: skip
    retriever = {"display_name": "My Retriever", "template": {"visibility": {"value": visibility}}}

    async def run(request):
        data = {"id": "m", "sender": "Machine", "text": "Two hours [1].", "session_metadata": wire.pack(answer)}
        return PlainTextResponse(json.dumps({"event": "add_message", "data": data}) + "\n\n")

    def flows(request):
        return JSONResponse([{"id": "1", "endpoint_name": "rag_chat"}])

    def flow(request):
        return JSONResponse({"data": {"nodes": [{"id": "n", "data": {"node": retriever}}]}})

    return Starlette(
        routes=[
            Route("/api/v1/flows/", flows),
            Route("/api/v1/flows/{id}", flow),
            Route("/api/v1/run/{flow}", run, methods=["POST"]),
        ]
    )


@pytest.mark.parametrize(
    ("visibility", "cited", "said"),
    [
        ("public", "public", ""),
        ("public and private", "public", "the flow rag_chat: visitors are refused.*Visibility of My Retriever"),
        ("public", "private", r"cited private notes \(diary.md\)"),
    ],
)
def test_visitors_get_nothing_private_from_a_flow(serve, visibility, cited, said):
    noted = []
    backend = FlowBackend(serve(_langflow(visibility, cited)), "key", "rag_chat", note=noted.append)

    async def answers():
        try:
            return [
                piece async for piece in backend.stream(VisitorQuestion(question="Why?")) if isinstance(piece, Answer)
            ]
        finally:
            await backend.aclose()

    if said:
        with pytest.raises(ServiceError, match=said):
            anyio.run(answers)
    else:
        (answer,) = anyio.run(answers)
        assert answer.citations[0].document == "diary.md"
    assert bool(noted[0]) is (visibility != "public")


def test_until_langflow_runs_the_pipeline_answers_and_keeps_what_it_began(settings, serve, counting):
    starting = ["Langflow"]
    flow = FlowBackend(serve(_langflow("public", "public")), "key", "rag_chat", lambda: starting)
    early = EarlyBackend(flow, DirectBackend(settings, "rag"), lambda: True)
    begun, later = VisitorQuestion(question="Why?"), VisitorQuestion(question="Why?")

    async def first(asked):
        async with aclosing(early.stream(asked)) as pieces:
            return await anext(pieces)

    async def both():
        early_ready, early_piece = await early.ready(), await first(begun)
        starting.clear()
        flow._seen_healthy = True
        return early_ready, early_piece, await first(begun), await first(later)

    assert anyio.run(both) == (True, "0 ", "0 ", "Two hours [1].")


def test_a_changed_flow_waits_for_langflow(settings, counting):
    flow = FlowBackend("http://127.0.0.1:9", "key", "rag_chat", lambda: ["Langflow"])
    early = EarlyBackend(flow, DirectBackend(settings, "rag"), lambda: False)

    async def first():
        async with aclosing(early.stream(VisitorQuestion(question="Why?"))) as pieces:
            return await anext(pieces)

    assert anyio.run(early.ready) == "Langflow"
    with pytest.raises(ServiceError):
        anyio.run(first)
    assert counting.called_with is None


def test_old_conversations_go_on_being_forgotten_after_an_error_of_any_kind(settings, backend, monkeypatch, caplog):
    monkeypatch.setattr("web.app._TIDY_SECONDS", 0.01)
    errors, again = [ServiceError("Langflow is gone: start it"), KeyError("timestamp")], threading.Event()

    async def tidy():
        if errors:
            raise errors.pop(0)
        again.set()

    monkeypatch.setattr(backend, "tidy", tidy)
    with TestClient(create_app(settings, backend)):
        assert again.wait(20)
    assert [record.levelname for record in caplog.records if record.name == "web.app"] == ["WARNING", "ERROR"]
