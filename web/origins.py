"""Decides which pages may use the chat."""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from pipeline.errors import SettingsError

log = logging.getLogger(__name__)

REFUSED = "This page is not on the list of sites that may use this chat. Its owner names them in gateway.origins."
"""The widget shows it to a visitor."""
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def normal_origin(origin: str) -> str:
    """`origin` in the form of browsers' Origin header: `scheme://host[:port]`.

    Raises:
        SettingsError: it is not the origin of one site.
    """
    parts = urlsplit(origin.strip())
    known = parts.scheme in {"http", "https"} and parts.hostname and "*" not in parts.netloc
    if not known or parts.path not in {"", "/"} or parts.query or parts.fragment or parts.username:
        raise SettingsError(
            f"gateway.origins: {origin!r} is not one site's origin: name each site that embeds the chat, e.g. https://example.org"
        )
    host = parts.hostname or ""
    port = parts.port if parts.port not in {None, 80 if parts.scheme == "http" else 443} else None
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{f':{port}' if port else ''}"


class Origins:
    """The origins of the settings, and the gateway's own.

    Args:
        named: `gateway.origins`.
        bound_to: host to which the gateway is bound.

    Raises:
        SettingsError: an entry of `named` is not an origin.
    """

    def __init__(self, named: list[str], bound_to: str) -> None:
        self.named = [normal_origin(origin) for origin in named]
        self._loopback = bound_to in _LOOPBACK

    def knows(self, host: str) -> bool:
        """Whether a Host header names this gateway. A proxy may use the hosts of the named sites for a gateway on loopback."""
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return not self._loopback or name in _LOOPBACK or name in {urlsplit(origin).hostname for origin in self.named}

    def allow(self, origin: str | None, host: str | None) -> bool:
        """Whether a request with these Origin and Host headers may ask. Without an Origin it comes from no browser's page.

        A gateway on loopback accepts only loopback names as its own: with another name, a foreign page may have rebound
        its DNS.
        """
        if origin is None or origin in self.named:
            return True
        parts = urlsplit(origin)
        if parts.scheme not in {"http", "https"} or parts.netloc != host:
            return False
        return not self._loopback or parts.hostname in _LOOPBACK


class OriginGuard:
    """Answers 403 to a request, on any path, whose Host is not the gateway's or whose Origin is no page that may ask.

    A foreign page reaches a gateway on loopback under a name of its own, led here by its DNS, or under the gateway's.
    """

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            host, origin = headers.get("host", ""), headers.get("origin")
            if not self._origins.knows(host) or not self._origins.allow(origin, host):
                log.warning("refused %s: add it to [gateway] origins if it may use the chat", origin or host)
                await JSONResponse({"error": "origin", "message": REFUSED}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)
