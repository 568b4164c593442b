"""The gateway's web application: pages, widget and chat."""

import hashlib
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import anyio
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.chat.records import ChatModel
from pipeline.errors import SitetwinError
from pipeline.settings import Settings
from web.backends import Backend
from web.chat import ChatApi
from web.compare import CompareApi
from web.door import Door, RefusedRequestError, refuse
from web.guides import Guides
from web.limits import RateLimit
from web.origins import OriginGuard, Origins
from web.pages import Pages

log = logging.getLogger(__name__)

_TIDY_SECONDS = 600
_STATIC = Path(__file__).parent / "static"
_WORDS = Path(__file__).parent / "words"
"""The words of the chat, English to each other language."""
_NO_WORDS = "const WORDS = { en: [] };"
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data: https:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)


class SafeHeaders:
    """Adds security headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
                headers.setdefault("Content-Security-Policy", _POLICY)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _widget() -> bytes:
    """The chat's script with its words in each language that there is a table for."""
    tables = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(_WORDS.glob("*.json"))}
    english = sorted(next(iter(tables.values())))
    # a list for each language, in the order of the English words: visitors load them all
    lists = {"en": english} | {code: [words[word] for word in english] for code, words in tables.items()}
    script = (_STATIC / "sitetwin.js").read_text(encoding="utf-8")
    filled = json.dumps(lists, ensure_ascii=False, separators=(",", ":"))
    return script.replace(_NO_WORDS, f"const WORDS = {filled};").encode()


async def _prepare(backend: Backend) -> None:
    try:
        await backend.prepare()
    except SitetwinError as error:
        log.warning("%s", error)


async def _tidy(backend: Backend) -> None:
    while True:
        await anyio.sleep(_TIDY_SECONDS)
        try:
            await backend.tidy()
        except SitetwinError as error:
            log.warning("%s", error)
        except Exception:
            log.exception("old conversations were not forgotten")


def create_app(
    settings: Settings,
    backend: Backend,
    clock: Callable[[], float] = monotonic,
    *,
    owner_key: str = "",
    connect: Callable[[str | None], ChatModel] | None = None,
) -> Starlette:
    """The gateway's application.

    Args:
        backend: answers the visitors' questions.
        clock: seconds, for the limit of questions per minute.
        owner_key: whoever sends it is the owner; empty: nobody is.
        connect: the model of the page `/compare`, for tests; None: the one that each system names.

    Raises:
        SettingsError: an entry of `gateway.origins` is not an origin.
    """
    pages = Pages(settings, Guides(settings))
    door = Door(settings.gateway, backend, RateLimit(settings.gateway.questions_per_minute, clock))
    api = ChatApi(settings, backend, pages.suggested, door)
    comparing = CompareApi(settings, door, owner_key, connect)
    origins = Origins(settings.gateway.origins, settings.gateway.host)
    static = StaticFiles(directory=_STATIC)

    script = _widget()
    headers = {
        # Pages of other origins that are cross-origin isolated may load it too.
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "no-cache",
        "ETag": f'"{hashlib.sha256(script).hexdigest()[:16]}"',
    }

    async def widget(request: Request) -> Response:
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(script, media_type="text/javascript", headers=headers)

    async def health(request: Request) -> Response:
        return PlainTextResponse("ok")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_prepare, backend)
            tasks.start_soon(_tidy, backend)
            yield
            tasks.cancel_scope.cancel()
        await backend.aclose()

    return Starlette(
        routes=[
            Route("/", pages.landing),
            Route("/sitetwin.js", widget),
            Route("/healthz", health),
            Route("/sitetwin/help", pages.help),
            Route("/api/info", api.info),
            Route("/api/chat", api.chat, methods=["POST"]),
            Route("/api/compare", comparing.info),
            Route("/api/compare", comparing.ask, methods=["POST"]),
            Route("/api/compare/vote", comparing.vote, methods=["POST"]),
            Route("/compare", pages.compare),
            Mount("/static", static),
            Route("/{path:path}", pages.page),
        ],
        lifespan=lifespan,
        exception_handlers={RefusedRequestError: refuse},
        middleware=[
            Middleware(SafeHeaders),
            Middleware(OriginGuard, origins=origins),
            Middleware(
                CORSMiddleware,
                allow_origins=origins.named,
                allow_methods=["GET", "POST"],
                allow_headers=["Content-Type"],
                expose_headers=["Retry-After"],
            ),
        ],
    )
