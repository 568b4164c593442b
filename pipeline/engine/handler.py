"""The engine's HTTP side: OpenAI's chats, texts and models, for callers on this machine.

Import this after `blas.preload()`.
"""

import hmac
import json
import select
import socket
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.engine.exchange import Exchange, GoneError
from pipeline.engine.loop import Loop
from pipeline.engine.protocol import ChatRequest, CompletionRequest, RequestError, TextRequest, parse
from pipeline.engine.replies import Json, error_json

MOST_BYTES = 32_000_000
"""The largest body of a request."""
KINDS: dict[str, type[CompletionRequest]] = {
    "/v1/chat/completions": ChatRequest,
    "/chat/completions": ChatRequest,
    "/v1/completions": TextRequest,
}
STARTED = 1_700_000_000
"""The time at which every model claims to be made, in seconds since the epoch. The protocol asks for one."""


class EngineHandler(BaseHTTPRequestHandler):
    """Handles one connection, which carries one request. Calls `touch` when the request begins and when it ends.

    Only callers that send `token` are answered, except for /health.
    """

    loop: Loop
    touch: Callable[[], None]
    stall_seconds: float
    token: str
    timeout = 120

    def parse_request(self) -> bool:
        """Reads the request's head; refuses it unless it comes from this machine and, if it is a POST, carries JSON."""
        if not super().parse_request():
            return False
        # A web page in the owner's browser can reach loopback ports: by a name that resolves to 127.0.0.1
        # (DNS rebinding) or by a form's POST, which may not carry this content type without asking first.
        host, origin = self.headers.get("Host") or "", self.headers.get("Origin")
        if host.rsplit(":", 1)[0] not in ("127.0.0.1", "localhost") or origin not in (None, f"http://{host}"):
            self._refuse("this engine serves its own machine's programs only", 403)
            return False
        # And so can every other account of the machine, which can't read the file with the token.
        if not (self.command == "GET" and self._path == "/health") and not self._has_token():
            self._refuse("send the token in .sitetwin/run/engine.json as the API key", 401, "invalid_api_key")
            return False
        if self.command == "POST" and not (self.headers.get("Content-Type") or "").startswith("application/json"):
            self._refuse("send application/json", 415)
            return False
        return True

    def _has_token(self) -> bool:
        sent = self.headers.get("Authorization") or ""
        return hmac.compare_digest(sent.encode(), f"Bearer {self.token}".encode())

    @property
    def _path(self) -> str:
        return unquote(urlsplit(self.path).path).rstrip("/")

    def do_GET(self) -> None:
        """Answers /health, /v1/models and /v1/models/NAME."""
        path = self._path
        if path == "/health":
            self._say_health()
        elif path == "/v1/models":
            self._send({"object": "list", "data": self._models()})
        elif path.startswith("/v1/models/"):
            self._say_model(path.removeprefix("/v1/models/"))
        else:
            self._refuse(f"there is nothing at {path or '/'}: see /v1/models", 404)

    def do_POST(self) -> None:
        """Answers a chat or a text completion."""
        self.touch()
        try:
            self._answer()
        except RequestError as error:
            self._refuse(str(error), error.status, error.code)
        except (GoneError, ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            self.touch()

    def _answer(self) -> None:
        path = self._path
        if path not in KINDS:
            raise RequestError(f"there is nothing at {path}: post to /v1/chat/completions", 404)
        request = parse(KINDS[path], self._body())
        loop = self.loop
        exchange = Exchange(loop.base, request, loop.put, self._is_gone, loop.still_seconds, self.stall_seconds)
        if request.stream:
            self._stream(exchange)
        else:
            self._send(exchange.whole())

    def _body(self) -> Any:
        length = self.headers.get("Content-Length")
        if length is None:
            raise RequestError("Content-Length is missing", 411)
        if not length.isdecimal():
            raise RequestError(f"Content-Length {length!r} is no number")
        if int(length) > MOST_BYTES:
            raise RequestError(f"a request may have {MOST_BYTES:,} bytes at most", 413)
        try:
            return json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError) as error:
            raise RequestError(f"the body is no JSON: {error}") from None

    def _stream(self, exchange: Exchange) -> None:
        parts = exchange.parts()
        # The loop's first event tells whether it refuses the request, so no header is sent before, unless it has to wait.
        part = next(parts)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        try:
            self._say(part)
            for part in parts:
                self._say(part)
            self.wfile.write(b"data: [DONE]\n\n")
        except RequestError as error:
            self._say(error_json(str(error), error.status, error.code))
        finally:
            parts.close()

    def _say(self, part: Json | None) -> None:
        self.wfile.write(b": not yet\n\n" if part is None else f"data: {json.dumps(part)}\n\n".encode())
        self.wfile.flush()

    def _say_health(self) -> None:
        still = self.loop.still_seconds()
        if still > self.stall_seconds:
            reason = f"nothing has moved for {still:.0f} s although requests wait"
            self._send({"status": "unavailable", "reason": reason, **error_json(reason, 503)}, 503)
        elif not self.loop.ready.is_set():
            self._send({"status": "loading"}, 503)
        else:
            self._send({"status": "ok"})

    def _say_model(self, name: str) -> None:
        models = self._models()
        found = next((model for model in models if model["id"] == name), None)
        if found:
            self._send(found)
        else:
            known = ", ".join(model["id"] for model in models)
            self._refuse(f"there is no model {name!r}: name one of {known}", 404, "model_not_found")

    def _models(self) -> list[Json]:
        base = self.loop.base
        common = {"object": "model", "created": STARTED, "owned_by": "sitetwin"}
        adapters = [{"id": one.name, "parent": base.name, **common} for one in base.overlays.usable()]
        return [{"id": base.name, **common}, *adapters]

    def _is_gone(self) -> bool:
        """Whether the client has closed the connection. A client sends nothing after its request."""
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _refuse(self, message: str, status: int = 400, code: str | None = None) -> None:
        self._send(error_json(message, status, code), status)

    def _send(self, body: Json, status: int = 200) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Gives http.server's own refusals the same JSON shape."""
        self._refuse(message or explain or "bad request", code)

    def log_message(self, format: str, *args: Any) -> None:
        """Logs no requests, because questions belong to the visitors."""

    def log_error(self, format: str, *args: Any) -> None:
        """Prints an error of http.server on stderr."""
        print(format % args, file=sys.stderr, flush=True)
