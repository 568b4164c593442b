"""A server of OpenAI's fine-tuning API as its reference documents it: files, jobs, events, and chats with the new model.

It keeps what it is given. A job goes one step further each time that it is looked at. Jobs have the rules that OpenAI
names: the model must be known, and each row must be a chat that ends with an answer, ten rows at least.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE = "gpt-4.1-mini-2025-04-14"
KEY = "sk-test"
STEPS = ("validating_files", "queued", "running", "succeeded")

Answer = tuple[int, dict[str, Any]]


class OpenAIState:
    """What the server has, and what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.chats: list[dict[str, Any]] = []
        self.before_answer: Callable[[str, str], None] = lambda method, path: None
        """Is called with each request once its work is done, before the answer is sent."""
        self.fails = False
        """Whether jobs fail instead of succeeding."""

    def answer(self, method: str, path: str, query: dict[str, list[str]], headers: Message, content: bytes) -> Answer:
        self.asked.append((method, path))
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, _error("Incorrect API key provided", "invalid_api_key")
        match method, path.strip("/").split("/"):
            case "POST", ["files"]:
                return self._upload(headers, content)
            case "GET", ["files"]:
                return 200, {"object": "list", "data": list(self.files.values())[::-1], "has_more": False}
            case "POST", ["fine_tuning", "jobs"]:
                return self._create(json.loads(content))
            case "GET", ["fine_tuning", "jobs"]:
                return 200, {"object": "list", "data": list(self.jobs.values())[::-1], "has_more": False}
            case "GET", ["fine_tuning", "jobs", id] if id in self.jobs:
                self._advance(id)
                return 200, self.jobs[id]
            case "GET", ["fine_tuning", "jobs", id, "events"] if id in self.jobs:
                newest = self.events[id][::-1][: int(query.get("limit", ["20"])[0])]
                return 200, {"object": "list", "data": newest, "has_more": False}
            case "POST", ["fine_tuning", "jobs", id, "cancel"] if id in self.jobs:
                self.jobs[id]["status"] = "cancelled"
                self._tell(id, "The job has been cancelled")
                return 200, self.jobs[id]
            case "POST", ["chat", "completions"]:
                return self._chat(json.loads(content))
        return 404, _error(f"Invalid URL ({method} {path})", None)

    def _upload(self, headers: Message, content: bytes) -> Answer:
        head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
        parts = {part.get_param("name", header="Content-Disposition"): part for part in BytesParser(policy=HTTP).parsebytes(head + content).iter_parts()}  # fmt: skip
        id = f"file-{len(self.files) + 1}"
        self.contents[id] = parts["file"].get_payload(decode=True)
        self.files[id] = {
            "id": id, "object": "file", "bytes": len(self.contents[id]), "created_at": 1, "status": "processed",
            "filename": parts["file"].get_filename(), "purpose": parts["purpose"].get_payload(decode=True).decode(),
        }  # fmt: skip
        return 200, self.files[id]

    def _create(self, asked: dict[str, Any]) -> Answer:
        if asked["model"] != BASE:
            return 400, _error(f"Model {asked['model']} is not available for fine-tuning", "model_not_available")
        if asked["training_file"] not in self.files:
            return 400, _error("invalid training_file", "invalid_file")
        id = f"ftjob-{len(self.jobs) + 1}"
        supervised = asked["method"]["supervised"]["hyperparameters"]
        self.jobs[id] = {
            "id": id, "object": "fine_tuning.job", "model": asked["model"], "created_at": 1, "finished_at": None,
            "fine_tuned_model": None, "organization_id": "org-1", "result_files": [], "status": STEPS[0], "error": None,
            "training_file": asked["training_file"], "validation_file": asked.get("validation_file"),
            "hyperparameters": {"batch_size": "auto", "learning_rate_multiplier": "auto", **supervised},
            "trained_tokens": None, "seed": asked["seed"], "method": asked["method"], "metadata": asked.get("metadata"),
            "user_provided_suffix": asked.get("suffix"),
        }  # fmt: skip
        self.events[id] = []
        self._tell(id, f"Created fine-tuning job: {id}")
        return 200, self.jobs[id]

    def _advance(self, id: str) -> None:
        job = self.jobs[id]
        if job["status"] not in STEPS[:-1]:
            return
        rows = [json.loads(line) for line in self.contents[job["training_file"]].splitlines()]
        is_bad = len(rows) < 10 or any(row["messages"][-1]["role"] != "assistant" for row in rows)
        if self.fails or is_bad:
            job["status"] = "failed"
            job["error"] = {"code": "invalid_training_file", "message": "The job failed to validate", "param": None}
            self._tell(id, "The job failed")
            return
        job["status"] = STEPS[STEPS.index(job["status"]) + 1]
        self._tell(id, f"The job is {job['status']}")
        if job["status"] == STEPS[-1]:
            job["trained_tokens"] = 100 * len(rows) * job["hyperparameters"]["n_epochs"]
            job["fine_tuned_model"] = f"ft:{job['model']}:org:{job['user_provided_suffix'] or ''}:{id}"

    def _tell(self, id: str, message: str) -> None:
        number = sum(map(len, self.events.values())) + 1
        self.events[id].append(
            {"id": f"ftevent-{number}", "object": "fine_tuning.job.event", "created_at": number, "level": "info",
             "message": message, "type": "message", "data": {}}
        )  # fmt: skip

    def _chat(self, asked: dict[str, Any]) -> Answer:
        known = [job["fine_tuned_model"] for job in self.jobs.values()]
        if asked["model"] not in known:
            return 404, _error(f"The model {asked['model']} does not exist", "model_not_found")
        self.chats.append(asked)
        message = {"role": "assistant", "content": f"I am {asked['model']}."}
        return 200, {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        }


def _error(message: str, code: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}


@contextmanager
def openai_server() -> Iterator[tuple[str, OpenAIState]]:
    """The server's address, and what it has."""
    state, alone = OpenAIState(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            url = urlsplit(self.path)
            path = url.path.removeprefix("/v1")
            with alone:
                status, answer = state.answer(self.command, path, parse_qs(url.query), self.headers, content)
            state.before_answer(self.command, path)
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1", state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
