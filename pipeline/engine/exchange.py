"""One request and its answers. The loop's thread reports events; the thread of the connection collects them here.

Import this after `blas.preload()`.
"""

import time
from collections.abc import Callable, Generator, Iterator
from queue import Empty, Queue

from pipeline.engine.asking import jobs_of
from pipeline.engine.base import Base
from pipeline.engine.jobs import Ended, EngineJob, Event, Read, Said
from pipeline.engine.protocol import ChatRequest, CompletionRequest, RequestError
from pipeline.engine.replies import Calls, Choice, Json, Replies, Usage, take, token_json
from pipeline.errors import ModelError

LOOK_SECONDS = 0.25
"""Seconds between two checks whether the client is still connected."""
SIGNS = 4
"""A request that waits hears so many times that the engine moves, in the time after which a client would give it up."""


class GoneError(Exception):
    """The client has closed the connection."""


class Exchange:
    """Puts the jobs of one request and collects their answers.

    Args:
        base: the model.
        request: the request, already parsed.
        put: hands a job to the loop.
        is_gone: tells whether the client has closed the connection.
        still_seconds: tells for how many seconds nothing in the engine has moved.
        stall_seconds: the seconds without a move after which the engine is stalled. A client waits about as long.

    Raises:
        RequestError: the request is refused.
    """

    def __init__(
        self,
        base: Base,
        request: CompletionRequest,
        put: Callable[[EngineJob], None],
        is_gone: Callable[[], bool],
        still_seconds: Callable[[], float],
        stall_seconds: float,
    ) -> None:
        self._base = base
        self._request = request
        self._is_gone = is_gone
        self._still_seconds = still_seconds
        self._stall_seconds = stall_seconds
        self._events: Queue[tuple[int, Event]] = Queue()
        self._jobs = jobs_of(base, request, lambda number, event: self._events.put((number, event)))
        is_chat = isinstance(request, ChatRequest)
        tools = request.tools if isinstance(request, ChatRequest) else []
        self._replies = Replies(request.model or base.name, is_chat=is_chat)
        self._is_chat = is_chat
        self._choices = [Choice(job) for job in range(request.n)]
        self._calls = [Calls(base.tokenizer.tool_parser, tools) for _ in self._jobs]
        for job in self._jobs:
            put(job)

    def whole(self) -> Json:
        """The reply to a client that does not stream.

        Raises:
            RequestError: the loop refuses the request, e.g. because the adapter is broken.
            GoneError: the client is gone; nothing more is generated.
        """
        for _ in self._heard():
            pass
        return self._replies.whole(self._choices, self._usage())

    def parts(self) -> Generator[Json | None, None, None]:
        """The parts of a streamed reply; None while it waits for its turn or reads the prompt. Raises as `whole` does."""
        opened: set[int] = set()
        for number in self._heard():
            if number is None:
                yield None
                continue
            choice = self._choices[number]
            if choice.is_empty and not choice.finish:
                yield None
                continue
            if self._is_chat and number not in opened:
                opened.add(number)
                yield self._replies.first(number)
            yield self._replies.part(choice)
            self._choices[number] = Choice(number)
        if self._request.stream_options and self._request.stream_options.include_usage:
            yield self._replies.usage(self._usage())

    def _heard(self) -> Iterator[int | None]:
        """The number of an answer at each of its events, until all answers have ended; None now and then while all wait."""
        left = len(self._jobs)
        try:
            while left:
                heard = self._next()
                if heard is None:
                    yield None
                    continue
                number, event = heard
                if isinstance(event, Exception):
                    raise _refusal(event) from None
                self._take(number, event)
                left -= isinstance(event, Ended)
                yield number
        finally:
            for job in self._jobs:
                job.give_up()

    def _next(self) -> tuple[int, Event] | None:
        """The next event; None if there was none for a while although the engine moves, as others have their turn."""
        until = time.monotonic() + self._stall_seconds / SIGNS
        while True:
            if self._is_gone():
                raise GoneError
            try:
                return self._events.get(timeout=min(LOOK_SECONDS, self._stall_seconds / SIGNS))
            except Empty:
                if time.monotonic() >= until and self._still_seconds() < self._stall_seconds:
                    return None

    def _take(self, number: int, event: Read | Said | Ended) -> None:
        choice = self._choices[number]
        if isinstance(event, Said):
            take(choice, event.pieces, self._calls[number])
            if event.probability:
                choice.probabilities.append(token_json(event.probability, self._base.text_of))
        elif isinstance(event, Ended):
            finish = self._jobs[number].answer.finish
            # A call that can't be read was said as text.
            choice.finish = "stop" if finish == "tool_calls" and not self._calls[number].count else finish

    def _usage(self) -> Usage:
        answers = [job.answer for job in self._jobs]
        return Usage(
            prompt=len(self._jobs[0].prompt),
            cached=self._jobs[0].cached,
            completion=sum(answer.tokens for answer in answers),
            reasoning=sum(answer.thought_tokens for answer in answers),
        )


def _refusal(error: Exception) -> Exception:
    """A ModelError of the loop is the request's fault. Any other exception is the engine's."""
    return RequestError(str(error)) if isinstance(error, ModelError) else error
