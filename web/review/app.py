"""The local page on which the owner reviews pairs or golden questions one by one. Nothing leaves the machine."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.dataset.decisions import Decision
from pipeline.errors import SitetwinError
from web.app import SafeHeaders
from web.origins import OriginGuard, Origins
from web.review.reading import number, read

_HERE = Path(__file__).parent / "static"
_SITE = Path(__file__).parents[1] / "static"
_MOST_BYTES = 200_000
"""Most bytes of one decision; an answer is far shorter."""


class Reviewed(Protocol):
    """What is reviewed. Every method returns what the page gets as JSON."""

    def state(self) -> dict[str, Any]:
        """The number of the newest set of them, and a number that changes with each decision."""

    def listing(self, version: int | None, query: dict[str, str]) -> dict[str, Any]:
        """Those that the query asks for, with counts, choices, and the words in which the page speaks of them.

        Raises:
            HTTPException: the query can't be read.
        """

    def one(self, version: int | None, id: str) -> dict[str, Any]:
        """One of them, whole.

        Raises:
            HTTPException: 404, if there is none with this id.
        """

    def decide(self, version: int | None, decision: Decision) -> dict[str, Any]:
        """Records the decision and returns the one that it is about as it is now.

        Raises:
            HTTPException: 404, if there is none with this id.
        """


def create_app(reviewed: Reviewed, token: str) -> Starlette:
    """The review page at `/<token>/`. Without the token nothing is served.

    Args:
        reviewed: what is reviewed.
        token: a new secret for each start.
    """
    pages = _Pages(reviewed)
    return Starlette(
        routes=[
            Mount(
                f"/{token}",
                routes=[
                    Route("/", pages.page),
                    Route("/api/state", pages.state),
                    Route("/api/pairs", pages.pairs),
                    Route("/api/pairs/{id}", pages.pair),
                    Route("/api/decisions", pages.decide, methods=["POST"]),
                ],
            ),
            Mount("/static", StaticFiles(directory=_SITE)),
            Mount("/review", StaticFiles(directory=_HERE)),
        ],
        middleware=[
            Middleware(SafeHeaders),
            Middleware(OriginGuard, origins=Origins([], "127.0.0.1")),
        ],
        exception_handlers={HTTPException: _say, SitetwinError: _say},
    )


class _Pages:
    """The page's handlers. They work in a thread, one request at a time, because one person reviews."""

    def __init__(self, reviewed: Reviewed) -> None:
        self._reviewed = reviewed
        self._lock = threading.Lock()

    async def page(self, request: Request) -> Response:
        """The page itself, as a file."""
        return FileResponse(_HERE / "review.html", headers={"Cache-Control": "no-store"})

    async def state(self, request: Request) -> Response:
        """Whether anything has changed, as JSON."""
        return await self._answer(self._reviewed.state)

    async def pairs(self, request: Request) -> Response:
        """Those that the query parameters ask for, as JSON."""
        query = dict(request.query_params)
        version = number(query.pop("version", ""))
        return await self._answer(lambda: self._reviewed.listing(version, query))

    async def pair(self, request: Request) -> Response:
        """One of them with its passages, as JSON."""
        version = number(request.query_params.get("version", ""))
        return await self._answer(lambda: self._reviewed.one(version, request.path_params["id"]))

    async def decide(self, request: Request) -> Response:
        """Records the decision in the body (JSON) and answers with the one that it is about."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "a decision is sent as application/json")
        if int(request.headers.get("content-length", _MOST_BYTES + 1)) > _MOST_BYTES:
            raise HTTPException(413, "this is too long for a question and an answer")
        body = await request.body()
        version = number(request.query_params.get("version", ""))
        said = read(Decision.model_validate_json, body)
        # The time is this machine's, not the browser's.
        decision = Decision(**said.model_dump(exclude={"at"}))
        return await self._answer(lambda: self._reviewed.decide(version, decision))

    async def _answer(self, work: Callable[[], dict[str, Any]]) -> Response:
        def alone() -> dict[str, Any]:
            with self._lock:
                return work()

        return JSONResponse(await anyio.to_thread.run_sync(alone), headers={"Cache-Control": "no-store"})


async def _say(request: Request, error: Exception) -> Response:
    """One line for the page to show."""
    status = error.status_code if isinstance(error, HTTPException) else 409
    text = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": text}, status)
