"""Langflow's own server with a guard in front, for `uvicorn --factory flows.guard:create_app`.

The editor logs its owner in without a password, as it listens on this machine's loopback only. A page in the owner's
browser could still reach it there, under its own origin or, by rebinding DNS, under a name of its own. So only requests
that name this machine and come from no other page get through.
"""

import gc
import os
from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def own_hosts(port: int) -> frozenset[str]:
    """The values of a Host header that mean this server."""
    return frozenset(f"{name}:{port}" for name in LOOPBACK_NAMES)


# The editor's page asks three hosts for fonts and counters, and could be framed by another page.
POLICY = "connect-src 'self'; font-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'"


class LoopbackGuard:
    """Answers 403 to a request with another Host, or with an Origin that is not this server.

    What Langflow answers goes out with a content security policy that keeps the editor's page on this machine.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self.app = app
        self.hosts = frozenset(hosts)
        self.origins = frozenset(f"{scheme}://{host}" for host in self.hosts for scheme in ("http", "ws"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and (refusal := self._refusal(scope)):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008, "reason": refusal})
            else:
                await PlainTextResponse(refusal, status_code=403)(scope, receive, send)
            return

        async def send_with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), (b"content-security-policy", POLICY.encode())]
                message = {**message, "headers": headers}
            await send(message)

        await self.app(scope, receive, send_with_policy)

    def _refusal(self, scope: Scope) -> str:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"host", "").lower() not in self.hosts:
            return "This server answers on its own machine only: open it as http://127.0.0.1 with its port."
        if (origin := headers.get(b"origin")) and origin.lower() not in self.origins:
            return f"Requests from {origin} are refused: open the editor by its own address."
        return ""


def create_app() -> ASGIApp:
    """Langflow with its editor, behind the guard; the port comes from LANGFLOW_PORT."""
    # Importing Langflow makes millions of objects that stay: collecting garbage meanwhile is a sixth of the start.
    gc.disable()
    from langflow.main import setup_app

    app = setup_app()
    gc.freeze()
    gc.enable()
    return LoopbackGuard(app, own_hosts(int(os.environ["LANGFLOW_PORT"])))
