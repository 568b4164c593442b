"""A flow is asked as visitors ask it: over HTTP, with the site's key, and only if it shows no private text."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from flows.asking import ask_flow
from flows.server import credentials
from pipeline.chat import Answer
from pipeline.errors import ServiceError
from pipeline.evaluation.systems import OpenSystem, find_system
from pipeline.evaluation.systems.asking import FLOW_ASKERS
from pipeline.settings import LangflowSettings, Settings, SystemSettings


class Langflow(ThreadingHTTPServer):
    """Answers as Langflow does; `visibility` is that of the flow's retriever."""

    visibility = "public"
    sessions: list[str]


class Handler(BaseHTTPRequestHandler):
    server: Langflow

    def _reply(self, content: bytes, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        node = {
            "data": {"node": {"display_name": "Notes", "template": {"visibility": {"value": self.server.visibility}}}}
        }
        flow = {"id": "1", "endpoint_name": "rag_chat", "data": {"nodes": [node]}}
        self._reply(json.dumps([flow] if "get_all" in self.path else flow).encode())

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sessions.append(asked["session_id"])
        words = [asked["input_value"], " In 2013."]
        events = [json.dumps({"event": "token", "data": {"id": "m", "chunk": word}}) for word in words]
        self._reply("".join(f"{event}\n\n" for event in events).encode(), "text/event-stream")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def langflow() -> Iterator[Langflow]:
    server = Langflow(("127.0.0.1", 0), Handler)
    server.sessions = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def site(root: Path, langflow: Langflow) -> Settings:
    settings = Settings(root=root, langflow=LangflowSettings(port=langflow.server_port))
    settings.state.mkdir(parents=True)
    assert credentials(settings).api_key
    return settings


def test_pieces_then_the_answer_and_each_question_is_its_own_conversation(tmp_path: Path, langflow: Langflow) -> None:
    settings = site(tmp_path, langflow)
    *pieces, answer = ask_flow(settings, "rag_chat", "When?")
    assert pieces == ["When?", " In 2013."]
    assert isinstance(answer, Answer)
    list(ask_flow(settings, "rag_chat", "When?"))
    assert len(set(langflow.sessions)) == 2


def test_a_flow_that_could_show_private_text_is_not_asked(tmp_path: Path, langflow: Langflow) -> None:
    langflow.visibility = "public and private"
    with pytest.raises(ServiceError, match="it could show private text"):
        list(ask_flow(site(tmp_path, langflow), "rag_chat", "When?"))
    assert not langflow.sessions


def test_a_system_with_a_flow_is_asked_by_it(tmp_path: Path, langflow: Langflow) -> None:
    settings = site(tmp_path, langflow)
    settings.evaluation.systems["visitors"] = SystemSettings(flow="rag_chat")
    *_, answer = OpenSystem(settings, find_system(settings, "visitors")).ask("When?")
    assert isinstance(answer, Answer)
    assert answer.answer == "When? In 2013."


def test_flows_add_their_way_to_ask() -> None:
    assert FLOW_ASKERS.find("langflow") is ask_flow
