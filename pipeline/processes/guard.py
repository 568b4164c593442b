"""Guards a server on loopback, which every account of the machine and every page in the owner's browser can reach."""

import hmac
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def own_hosts(port: int) -> frozenset[str]:
    """The values of a Host header that name the server on `port` of this machine."""
    return frozenset(f"{name}:{port}" for name in LOOPBACK_NAMES)


class OwnerGuard:
    """Answers 403 to a request with another Host or any Origin, and 401 to one without the token.

    A web page could otherwise make its own name point to this machine (DNS rebinding) and read the answers.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], token: str) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            if headers.get("host", "").lower() not in self._hosts or "origin" in headers:
                await PlainTextResponse("this server is for its own machine's programs", 403)(scope, receive, send)
                return
            if not hmac.compare_digest(headers.get("authorization", "").encode(), self._expected):
                await PlainTextResponse("the owner's token is missing", 401)(scope, receive, send)
                return
        await self._app(scope, receive, send)
