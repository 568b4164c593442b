"""Langflow's own server behind a guard, for `uvicorn --factory flows.guard:create_app`.

Langflow listens on loopback only. Other accounts of the machine can still reach it there. So can a page in the owner's
browser, under its own origin or, by rebinding DNS, under its own name. The guard therefore admits only requests that name
this machine, come from no other page, and have the owner's key or cookie.
"""

import gc
from collections.abc import Iterable

import httpx
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from components.audience import visit
from components.help import HELP_PATH
from flows.client import VISITOR_HEADER
from flows.desk import COOKIE, COOKIE_SECONDS, OPEN_PATH, Desk
from flows.server import base_url, credentials, directory
from pipeline.processes.guard import own_hosts
from pipeline.settings import load_settings
from pipeline.surroundings import keep_private

# Without this policy the editor's page asks three hosts for fonts and counters, and other pages can frame it.
POLICY = "connect-src 'self'; font-src 'self' data:; style-src 'self' 'unsafe-inline'; frame-ancestors 'self'; form-action 'self'"

HEALTH_PATHS = ("/health", "/health_check")
LANGFLOWS_COOKIE = "refresh_token_lf"
NO_KEY = (
    "The editor opens by the link that `sitetwin up` shows. It works once; `sitetwin flows open` makes another one."
)
LOGIN_FAILED = (
    "Langflow does not take the password in .sitetwin/langflow/credentials.json: run `sitetwin flows pull`, end "
    "`sitetwin up`, delete .sitetwin/langflow, and start again."
)


class LoopbackGuard:
    """Answers 403 to a request with a foreign Host or Origin.

    It adds a content security policy to Langflow's answers, so that the editor's page asks this machine only.
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


class DeskGuard:
    """Answers 401 to a request without the owner's key or cookie, except for the server's health.

    For a link of `desk` the guard logs the owner in at Langflow, with the password that nobody types.
    """

    def __init__(self, app: ASGIApp, desk: Desk, base_url: str, help_url: str) -> None:
        self.app = app
        self.desk = desk
        self.base_url = base_url
        self.help_url = help_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refusal = await self._instead(HTTPConnection(scope))
        if refusal is None:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no key"})
        else:
            await refusal(scope, receive, send)

    async def _instead(self, asked: HTTPConnection) -> Response | None:
        """The guard's own answer to a request; None if Langflow shall answer."""
        path, method = asked.scope["path"], asked.scope.get("method")
        if path in HEALTH_PATHS and method == "GET":
            return None
        if path == OPEN_PATH and method == "GET" and self.desk.redeem(asked.query_params.get("key", "")):
            return await self._logged_in("/")
        cookie = asked.cookies.get(COOKIE, "")
        if not self.desk.knows(api_key=asked.headers.get("x-api-key", ""), cookie=cookie):
            return PlainTextResponse(NO_KEY, status_code=401)
        if path == OPEN_PATH:
            return RedirectResponse("/", 303)
        if path == HELP_PATH:
            return RedirectResponse(self.help_url, 303)
        is_page = method == "GET" and "text/html" in asked.headers.get("accept", "")
        if cookie and is_page and LANGFLOWS_COOKIE not in asked.cookies:
            # Langflow's session ends after some days. The owner's cookie opens a new one.
            return await self._logged_in(f"/{path.lstrip('/')}?{asked.url.query}".rstrip("?"))
        return None

    async def _logged_in(self, target: str) -> Response:
        secrets = self.desk.credentials
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url=self.base_url) as client:
            session = await client.post(
                "/api/v1/login", data={"username": secrets.username, "password": secrets.password}
            )
        if session.is_error:
            return PlainTextResponse(LOGIN_FAILED, status_code=502)
        response = RedirectResponse(target, 303)
        for cookie in session.headers.get_list("set-cookie"):
            response.headers.append("set-cookie", cookie)
        response.set_cookie(COOKIE, self.desk.cookie, max_age=COOKIE_SECONDS, httponly=True, samesite="strict")
        response.headers["referrer-policy"] = "no-referrer"
        return response


class VisitorMark:
    """Runs what the gateway asks for a visitor as a visit, so that no node opens private text for it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and VISITOR_HEADER in HTTPConnection(scope).headers:
            with visit():
                await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def forbid_stdio_servers() -> None:
    """Forbid flows and users of the editor to start a program as MCP server. Call it before Langflow is imported."""
    from lfx.base.mcp import security

    # Langflow's own switches still allow docker, and do not apply to the administrator.
    security.ALLOWED_MCP_COMMANDS = frozenset()


def create_app() -> ASGIApp:
    """Langflow with its editor behind the guards. SITETWIN_CONFIG names the settings."""
    settings = load_settings()
    keep_private(settings.state)
    # Importing Langflow makes millions of objects that stay. Collecting garbage meanwhile would take a sixth of the start.
    gc.disable()
    if not settings.langflow.stdio_servers:
        forbid_stdio_servers()
    from langflow.main import setup_app

    app = setup_app()
    gc.freeze()
    gc.enable()
    desk = Desk(directory(settings), credentials(settings))
    help_url = f"{settings.gateway.own_url}{HELP_PATH}"
    guarded = DeskGuard(VisitorMark(app), desk, base_url(settings), help_url)
    return LoopbackGuard(guarded, own_hosts(settings.langflow.port))
