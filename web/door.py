"""Whether a request for an answer is admitted: the site is ready, and the visitor and all visitors ask within limits."""

import math

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pipeline.settings import GatewaySettings
from web.backends import Backend
from web.limits import RateLimit, Slots, visitor_key

RETRY_SECONDS = 2
FAILED = "The answer could not be made. The site's owner finds the reason in the gateway's log."
BUSY = "Many people are asking just now. Please try again in a moment."
_FRAME_BYTES = 4096
"""Most bytes of a request's JSON beside the text."""


class RefusedRequestError(Exception):
    """A request that gets no answer. `response` has the HTTP status and words for the visitor."""

    def __init__(self, status: int, code: str, message: str, retry_after: int = 0) -> None:
        super().__init__(message)
        self.response = JSONResponse(
            {"error": code, "message": message}, status, {"Retry-After": str(retry_after)} if retry_after else None
        )


class Door:
    """Admits questions, whichever page they come from.

    Args:
        backend: says whether the site is ready.
        limit: allows or refuses a visitor's next question.
    """

    def __init__(self, settings: GatewaySettings, backend: Backend, limit: RateLimit) -> None:
        self._settings = settings
        self._backend = backend
        self._limit = limit
        self.slots = Slots(settings.concurrent_chats)

    async def admit(self, request: Request, questions: int = 1) -> None:
        """Counts the request as so many questions of its visitor.

        Raises:
            RefusedRequestError: the site is starting or busy, or the visitor has asked too much.
        """
        if (ready := await self._backend.ready()) is not True:
            raise RefusedRequestError(503, "starting", f"Still starting: {ready}.", RETRY_SECONDS)
        if self.slots.full:
            raise RefusedRequestError(503, "busy", BUSY, RETRY_SECONDS)
        visitor = visitor_key(request.client.host if request.client else None)
        if wait := math.ceil(self._limit.take(visitor, questions)):
            raise RefusedRequestError(
                429, "rate", f"That was a lot of questions in a minute. Please go on in {wait} s.", wait
            )

    def check_length(self, question: str) -> None:
        """Raises RefusedRequestError if the question is too long."""
        if len(question) > (limit := self._settings.max_question_chars):
            raise RefusedRequestError(413, "size", f"A question may have {limit} characters here. Please shorten it.")


async def refuse(request: Request, error: Exception) -> Response:
    """The response to a request that raised RefusedRequestError."""
    assert isinstance(error, RefusedRequestError)
    return error.response


async def body(request: Request, chars: int) -> bytes:
    """The request's body: JSON with at most `chars` characters of text.

    Raises:
        RefusedRequestError: it is longer than that can be.
    """
    # A character takes at most 12 bytes of JSON: an escaped surrogate pair.
    limit = 12 * chars + _FRAME_BYTES
    found = bytearray()
    async for piece in request.stream():
        found += piece
        if len(found) > limit:
            raise RefusedRequestError(413, "size", "That is too long for one question. Please shorten it.")
    return bytes(found)
