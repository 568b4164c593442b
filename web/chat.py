"""POST /api/chat and GET /api/info, which the widget calls."""

import json
import logging
import math
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any
from urllib.parse import urljoin

from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.chat import Answer, Turn
from pipeline.errors import SitetwinError
from pipeline.settings import Settings
from web.backends import Backend
from web.limits import RateLimit, Slots, visitor_key
from web.question import VisitorQuestion

log = logging.getLogger(__name__)

_TURN_CHARS = 4000
_RETRY_SECONDS = 2
FAILED = "The answer could not be made. The site's owner finds the reason in the gateway's log."

Info = Callable[[], Awaitable[list[str]]]
"""Returns the suggested questions."""


class RefusedRequestError(Exception):
    """A request that gets no answer. `response` has the HTTP status and words for the visitor."""

    def __init__(self, status: int, code: str, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.response = JSONResponse(
            {"error": code, "message": message}, status, {"Retry-After": str(retry_after)} if retry_after else None
        )


class ChatApi:
    """The handlers of the chat's requests.

    Args:
        suggested: returns the questions to suggest.
        limit: allows or refuses a visitor's next question.
    """

    def __init__(self, settings: Settings, backend: Backend, suggested: Info, limit: RateLimit) -> None:
        self._settings = settings
        self._backend = backend
        self._suggested = suggested
        self._limit = limit
        self._slots = Slots(settings.gateway.concurrent_chats)

    async def info(self, request: Request) -> Response:
        """GET /api/info: name, suggested questions, and whether the assistant is ready, as JSON."""
        ready = await self._backend.ready()
        site = self._settings.site
        return JSONResponse(
            {
                "name": site.name,
                "description": site.description,
                "questions": await self._suggested(),
                "ready": ready is True,
                "starting": "" if ready is True else ready,
                "max_question_chars": self._settings.gateway.max_question_chars,
            },
            headers={"Cache-Control": "no-store"},
        )

    async def chat(self, request: Request) -> Response:
        """POST /api/chat: the answer as server-sent events `session`, `token`, `answer` and `error`, or a refusal as JSON."""
        try:
            asked = await self._admit(request)
        except RefusedRequestError as refused:
            return refused.response
        return EventSourceResponse(self._events(asked, str(request.base_url)), sep="\n")

    async def _admit(self, request: Request) -> VisitorQuestion:
        """The question in an admitted request.

        Raises:
            RefusedError: the request is not admitted.
        """
        asked = self._parse(await self._body(request))
        if (ready := await self._backend.ready()) is not True:
            raise RefusedRequestError(503, "starting", f"Still starting: {ready}.", _RETRY_SECONDS)
        if self._slots.full:
            raise RefusedRequestError(
                503, "busy", "Many people are asking just now. Please try again in a moment.", _RETRY_SECONDS
            )
        if wait := math.ceil(self._limit.take(visitor_key(request.client.host if request.client else None))):
            raise RefusedRequestError(
                429, "rate", f"That was a lot of questions in a minute. Please go on in {wait} s.", wait
            )
        return asked

    async def _body(self, request: Request) -> bytes:
        # A character takes at most 12 bytes of JSON: an escaped surrogate pair.
        limit = 12 * (self._settings.gateway.max_question_chars + self._history_turns * _TURN_CHARS) + 4096
        body = bytearray()
        async for piece in request.stream():
            body += piece
            if len(body) > limit:
                raise RefusedRequestError(413, "size", "That is too long for one question. Please shorten it.")
        return bytes(body)

    def _parse(self, body: bytes) -> VisitorQuestion:
        try:
            asked = VisitorQuestion.model_validate_json(body)
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"]) or "body"
            raise RefusedRequestError(
                400, "request", f'{field}: send JSON like {{"question": "…", "session": "<UUID v4>"}}.'
            ) from None
        if len(asked.question) > self._settings.gateway.max_question_chars:
            limit = self._settings.gateway.max_question_chars
            raise RefusedRequestError(413, "size", f"A question may have {limit} characters here. Please shorten it.")
        recent = asked.history[-self._history_turns :] if self._history_turns else []
        asked.history = [Turn(role=turn.role, content=turn.content[:_TURN_CHARS]) for turn in recent]
        return asked

    @property
    def _history_turns(self) -> int:
        return 2 * self._settings.chat.history_turns

    async def _events(self, asked: VisitorQuestion, base: str) -> AsyncIterator[ServerSentEvent]:
        with self._slots.one() as free:
            if not free:
                yield _event("error", message="Many people are asking just now. Please try again in a moment.")
                return
            yield _event("session", session=asked.session)
            try:
                async with aclosing(self._backend.stream(asked)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Answer):
                            yield _event("answer", **_with_links(piece, base))
                        elif piece:
                            yield _event("token", text=piece)
            except SitetwinError as error:
                log.error("%s", error)
                yield _event("error", message=FAILED)
            except Exception:
                log.exception("an answer failed")
                yield _event("error", message=FAILED)


def _event(kind: str, **data: Any) -> ServerSentEvent:
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=kind, sep="\n")


def _with_links(answer: Answer, base: str) -> dict[str, Any]:
    """The answer as JSON with absolute citation addresses. An address that is not http(s) is left out."""
    data = answer.model_dump(mode="json")
    for citation in data["citations"]:
        absolute = urljoin(base, citation["url"]) if citation["url"] else ""
        citation["url"] = absolute if re.match(r"https?://", absolute) else ""
    return data
