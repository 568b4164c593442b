"""The local page on which the owner reviews the pairs. Nothing leaves the machine."""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import anyio
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from pipeline.content.documents import Document
from pipeline.dataset import review, versions
from pipeline.dataset.decisions import Decision, decisions_file, read_decisions, record_decisions
from pipeline.dataset.plan import Cut
from pipeline.errors import SitetwinError
from pipeline.settings import Settings
from web.app import SafeHeaders
from web.origins import OriginGuard, Origins

_HERE = Path(__file__).parent / "static"
_SITE = Path(__file__).parents[1] / "static"
_MOST_BYTES = 200_000
"""Most bytes of one decision; an answer is far shorter."""
_Result = TypeVar("_Result")


def create_app(
    settings: Settings,
    read_documents: Callable[[], Iterable[Document]],
    cut: Cut,
    token: str,
    version: int | None = None,
) -> Starlette:
    """The review page at `/<token>/`. Without the token no pair is served.

    Args:
        read_documents: returns the current documents, to show the text that a pair was made from.
        cut: cuts a document into chunks.
        token: a new secret for each start.
        version: number of the data set to show; None: the newest one each time the page is loaded.
    """
    pages = _Review(settings, read_documents, cut, version)
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


class _Review:
    """The page's handlers. They work in a thread, one request at a time, because one person reviews."""

    def __init__(
        self,
        settings: Settings,
        read_documents: Callable[[], Iterable[Document]],
        cut: Cut,
        version: int | None,
    ) -> None:
        self._settings = settings
        self._read_documents = read_documents
        self._cut = cut
        self._pinned = version
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    async def page(self, request: Request) -> Response:
        """The page itself, as a file."""
        return FileResponse(_HERE / "review.html", headers={"Cache-Control": "no-store"})

    async def state(self, request: Request) -> Response:
        """What the page begins with: versions, counts and choices, as JSON."""
        return await self._answer(self._state)

    async def pairs(self, request: Request) -> Response:
        """The pairs that the query parameters ask for, as JSON."""
        query = dict(request.query_params)
        version = _number(query.pop("version", ""))
        wanted = _read(review.Wanted.model_validate, query)
        return await self._answer(lambda: self._pairs(version, wanted))

    async def pair(self, request: Request) -> Response:
        """One pair with its passages, as JSON."""
        version = _number(request.query_params.get("version", ""))
        return await self._answer(lambda: self._pair(version, request.path_params["id"]))

    async def decide(self, request: Request) -> Response:
        """Records the decision in the body (JSON) and answers with the pair as it is now."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise HTTPException(415, "a decision is sent as application/json")
        if int(request.headers.get("content-length", _MOST_BYTES + 1)) > _MOST_BYTES:
            raise HTTPException(413, "this is too long for a question and an answer")
        body = await request.body()
        version = _number(request.query_params.get("version", ""))
        said = _read(Decision.model_validate_json, body)
        # The time is this machine's, not the browser's.
        decision = Decision(**said.model_dump(exclude={"at"}))
        return await self._answer(lambda: self._decide(version, decision))

    async def _answer(self, work: Callable[[], dict[str, Any]]) -> Response:
        def alone() -> dict[str, Any]:
            with self._lock:
                return work()

        return JSONResponse(await anyio.to_thread.run_sync(alone), headers={"Cache-Control": "no-store"})

    def _state(self) -> dict[str, Any]:
        """The newest data set, and a number that changes with each decision."""
        file = decisions_file(self._settings)
        return {
            "newest": max(versions.versions(self._settings), default=0),
            "pinned": self._pinned is not None,
            "stamp": file.stat().st_size if file.exists() else 0,
        }

    def _pairs(self, version: int | None, wanted: review.Wanted) -> dict[str, Any]:
        loaded = self._load(version)
        # Read before the decisions, so that a decision in between is noticed at the next request.
        state = self._state()
        items = loaded.items(self._decisions())
        titles = loaded.texts.titles
        found = review.choices(items).model_dump()
        found["sources"] = [
            {"id": id, "title": titles.get(id, id), "count": count} for id, count in found["sources"].items()
        ]
        return {
            **state,
            **_counts(items),
            "version": loaded.card.version,
            "visibility": loaded.card.visibility,
            "teacher": loaded.card.teacher,
            "total": len(items),
            "choices": found,
            "pairs": [_line(item) for item in review.select(items, wanted, titles)],
        }

    def _pair(self, version: int | None, id: str) -> dict[str, Any]:
        loaded = self._load(version)
        return self._whole(loaded, loaded.item(id, self._decisions()))

    def _whole(self, loaded: "_Loaded", item: review.Item) -> dict[str, Any]:
        return {
            **_line(item),
            "answer": item.answer,
            "pair": item.pair.model_dump(),
            "split": item.split,
            "rejection": item.rejection.model_dump() if item.rejection else None,
            "sources": [loaded.source(chunk) for chunk in item.pair.chunks],
        }

    def _decide(self, version: int | None, decision: Decision) -> dict[str, Any]:
        loaded = self._load(version)
        loaded.item(decision.pair, {})
        record_decisions(decisions_file(self._settings), [decision])
        # Read before the decisions, as above.
        state, decisions = self._state(), self._decisions()
        item = loaded.item(decision.pair, decisions)
        return {**state, **_counts(loaded.items(decisions)), "pair": self._whole(loaded, item)}

    def _decisions(self) -> dict[str, Decision]:
        return read_decisions(decisions_file(self._settings))

    def _load(self, version: int | None) -> "_Loaded":
        folder = versions.version_folder(self._settings, self._pinned or version)
        if self._loaded is None or self._loaded.folder != folder:
            self._loaded = _Loaded(folder, review.Texts(self._read_documents(), self._cut))
        return self._loaded


class _Loaded:
    """A data set, and the documents at the time it was opened. A data set never changes."""

    def __init__(self, folder: Path, texts: review.Texts) -> None:
        self.folder = folder
        self.texts = texts
        self.card = versions.read_card(folder)
        self._items = review.join(versions.read_rows(folder), versions.read_rejected(folder))
        self._by_id = {item.id: item for item in self._items}

    def items(self, decisions: dict[str, Decision]) -> list[review.Item]:
        """All pairs of the version with what was decided of them."""
        return review.decided(self._items, decisions)

    def item(self, id: str, decisions: dict[str, Decision]) -> review.Item:
        """One pair by its id, with what was decided of it.

        Raises:
            HTTPException: 404, if the version has no such pair.
        """
        if id not in self._by_id:
            raise HTTPException(404, f"data set {self.card.version} has no such pair: load the page again")
        return review.decided([self._by_id[id]], decisions)[0]

    def source(self, chunk: str) -> dict[str, Any]:
        """The chunk that a pair was made from, as JSON; its text is None if the note is gone."""
        document = review.document_of(chunk)
        found = self.texts.source(chunk)
        return {
            "document": document,
            "title": self.texts.titles.get(document, document),
            "url": self.texts.url(document),
            "heading": found.heading if found else "",
            "text": found.text if found else None,
        }


def _line(item: review.Item) -> dict[str, Any]:
    """The fields of a pair that the list shows."""
    return {
        "id": item.id,
        "question": item.question,
        "accepted": item.rejection is None,
        "decision": item.decision.action if item.decision else None,
        "waits": item.waits,
    }


def _counts(items: Sequence[review.Item]) -> dict[str, int]:
    return {
        "decided": sum(item.decision is not None for item in items),
        "waiting": sum(item.waits for item in items),
    }


def _read(parse: Callable[[Any], _Result], given: Any) -> _Result:
    try:
        return parse(given)
    except ValidationError as error:
        raise HTTPException(422, error.errors()[0]["msg"]) from None


def _number(text: str) -> int | None:
    if text and not text.isdecimal():
        raise HTTPException(422, "version is a number")
    return int(text) if text else None


async def _say(request: Request, error: Exception) -> Response:
    """One line for the page to show."""
    status = error.status_code if isinstance(error, HTTPException) else 409
    text = error.detail if isinstance(error, HTTPException) else str(error)
    return JSONResponse({"error": text}, status)
