"""POST /api/chat and GET /api/info, which the widget calls."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

from pydantic import ValidationError
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.chat import Answer, Turn
from pipeline.errors import SitetwinError
from pipeline.settings import Settings
from web.backends import Backend
from web.door import BUSY, FAILED, Door, RefusedRequestError, body
from web.events import event, with_links
from web.question import VisitorQuestion

log = logging.getLogger(__name__)

_TURN_CHARS = 4000

Info = Callable[[], Awaitable[list[str]]]
"""Returns the suggested questions."""


class ChatApi:
    """The handlers of the chat's requests.

    Args:
        suggested: returns the questions to suggest.
        door: admits a visitor's next question, or does not.
    """

    def __init__(self, settings: Settings, backend: Backend, suggested: Info, door: Door) -> None:
        self._settings = settings
        self._backend = backend
        self._suggested = suggested
        self._door = door

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
        asked = await self._admit(request)
        return EventSourceResponse(self._events(asked, str(request.base_url)), sep="\n")

    async def _admit(self, request: Request) -> VisitorQuestion:
        """The question in an admitted request.

        Raises:
            RefusedRequestError: the request is not admitted.
        """
        most = self._settings.gateway.max_question_chars + self._history_turns * _TURN_CHARS
        asked = self._parse(await body(request, most))
        await self._door.admit(request)
        return asked

    def _parse(self, body: bytes) -> VisitorQuestion:
        try:
            asked = VisitorQuestion.model_validate_json(body)
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"]) or "body"
            raise RefusedRequestError(
                400, "request", f'{field}: send JSON like {{"question": "…", "session": "<UUID v4>"}}.'
            ) from None
        self._door.check_length(asked.question)
        recent = asked.history[-self._history_turns :] if self._history_turns else []
        asked.history = [Turn(role=turn.role, content=turn.content[:_TURN_CHARS]) for turn in recent]
        return asked

    @property
    def _history_turns(self) -> int:
        return 2 * self._settings.chat.history_turns

    async def _events(self, asked: VisitorQuestion, base: str) -> AsyncIterator[ServerSentEvent]:
        with self._door.slots.one() as free:
            if not free:
                yield event("error", message=BUSY)
                return
            yield event("session", session=asked.session)
            try:
                async with aclosing(self._backend.stream(asked)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Answer):
                            yield event("answer", **with_links(piece.model_dump(mode="json"), base))
                        elif piece:
                            yield event("token", text=piece)
            except SitetwinError as error:
                log.error("%s", error)
                yield event("error", message=FAILED)
            except Exception:
                log.exception("an answer failed")
                yield event("error", message=FAILED)
