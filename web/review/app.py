"""The local page on which the owner reviews pairs, golden questions or answers one by one. Nothing leaves the machine."""

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

from pipeline.dataset.decisions import Choice, Decision
from pipeline.errors import SitetwinError
from web.app import SafeHeaders
from web.origins import OriginGuard, Origins
from web.review.pairs import PairReview, SameDecision
from web.review.reading import number, read

_HERE = Path(__file__).parent / "static"
_SITE = Path(__file__).parents[1] / "static"
_MOST_BYTES = 200_000
"""Most bytes of one decision; an answer is far shorter."""
_MOST_BYTES_OF_MANY = 4_000_000
"""Most bytes of one decision on many pairs: the ids of some 200,000."""


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
    more = _PairPages(reviewed, pages).routes if isinstance(reviewed, PairReview) else []
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
                    *more,
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
        return await self.answer(self._reviewed.state)

    async def pairs(self, request: Request) -> Response:
        """Those that the query parameters ask for, as JSON."""
        query = dict(request.query_params)
        version = number(query.pop("version", ""))
        return await self.answer(lambda: self._reviewed.listing(version, query))

    async def pair(self, request: Request) -> Response:
        """One of them with its passages, as JSON."""
        version = number(request.query_params.get("version", ""))
        return await self.answer(lambda: self._reviewed.one(version, request.path_params["id"]))

    async def decide(self, request: Request) -> Response:
        """Records the decision in the body (JSON) and answers with the one that it is about."""
        body = await _json(request)
        version = number(request.query_params.get("version", ""))
        said = read(Decision.model_validate_json, body)
        # The time is this machine's, not the browser's.
        decision = Decision(**said.model_dump(exclude={"at"}))
        return await self.answer(lambda: self._reviewed.decide(version, decision))

    async def answer(self, work: Callable[[], dict[str, Any]]) -> Response:
        """Does the work in a thread, alone, and answers with its result as JSON."""

        def alone() -> dict[str, Any]:
            with self._lock:
                return work()

        return JSONResponse(await anyio.to_thread.run_sync(alone), headers={"Cache-Control": "no-store"})


class _PairPages:
    """What only the pairs of a data set have: one decision on many, and two drafts to choose from."""

    def __init__(self, pairs: PairReview, pages: _Pages) -> None:
        self._pairs = pairs
        self._pages = pages
        self.routes = [
            Route("/api/decisions/many", self.decide_many, methods=["POST"]),
            Route("/drafts", self.page),
            Route("/api/drafts", self.drafts),
            Route("/api/choices", self.choose, methods=["POST"]),
        ]

    async def decide_many(self, request: Request) -> Response:
        """Records the decision in the body (JSON) on many pairs."""
        version = number(request.query_params.get("version", ""))
        said = read(SameDecision.model_validate_json, await _json(request, _MOST_BYTES_OF_MANY))
        return await self._pages.answer(lambda: self._pairs.decide_many(version, said))

    async def page(self, request: Request) -> Response:
        """The page with two drafts side by side, as a file."""
        return FileResponse(_HERE / "drafts.html", headers={"Cache-Control": "no-store"})

    async def drafts(self, request: Request) -> Response:
        """Each two drafts that wait for a choice, as JSON."""
        version = number(request.query_params.get("version", ""))
        return await self._pages.answer(lambda: self._pairs.drafts(version))

    async def choose(self, request: Request) -> Response:
        """Records the choice in the body (JSON)."""
        version = number(request.query_params.get("version", ""))
        said = read(Choice.model_validate_json, await _json(request))
        # The time is this machine's, not the browser's.
        choice = Choice(**said.model_dump(exclude={"at"}))
        return await self._pages.answer(lambda: self._pairs.choose(version, choice))


async def _json(request: Request, most: int = _MOST_BYTES) -> bytes:
    """The body, if it says that it is JSON and is not too long."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise HTTPException(415, "a decision is sent as application/json")
    if int(request.headers.get("content-length", most + 1)) > most:
        raise HTTPException(413, "this is too long for a question and an answer")
    return await request.body()


async def _say(request: Request, error: Exception) -> Response:
    """One line for the page to show."""
    status = error.status_code if isinstance(error, HTTPException) else 409
    text = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": text}, status)
