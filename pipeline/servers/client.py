"""A client of any OpenAI-compatible chat server: sitetwin's engine, Ollama, vLLM."""

import json
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import httpx
from httpx_sse import EventSource

from pipeline.errors import ModelError, UnreadableError
from pipeline.servers.dialect import REFUSED, Dialect, Messages, harmless
from pipeline.servers.openai_server import OpenAIServer
from pipeline.servers.replies import Piece, read_chunk, read_whole
from pipeline.servers.tool_calls import CallReader, ToolCall
from pipeline.servers.transport import Keys, ServerError, error_text
from pipeline.servers.written_calls import WrittenCalls
from pipeline.settings import Think
from pipeline.text.inert import with_control_tokens
from pipeline.text.thoughts import ThoughtSplitter

KEYS = Keys(
    url="engine.url",
    model="models.chat",
    api_key="SITETWIN_ENGINE__API_KEY",
    when_slow="set a larger engine.timeout_seconds, or models.chat to a smaller model",
    when_long="lower retrieval.passages, or set models.chat to a model with a longer context",
)
_THINKERS = re.compile(r"(?:^|[-_/:. ])(?:r1|qwq|thinking|reasoner|reasoning)(?:$|[-_/:. ])", re.IGNORECASE)
"""Names of models whose prompt often opens the thought. If their reply is cut off, all of it may be a thought."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known of an answer when its text has come."""

    is_cut_off: bool
    """Whether it was cut off at the most tokens."""
    calls: tuple[ToolCall, ...] = ()
    """The tools whose results the model wants before it goes on."""


class EngineClient:
    """Asks one model of one server. Remembers what that server refuses.

    Args:
        base_url: up to and with the version, e.g. `http://127.0.0.1:11434/v1`.
        model: the server's name for it.
        api_key: sent as a bearer token when not empty.
        adapter: name of an adapter of sitetwin's own engine; None: the model without one.
        timeout: seconds to wait for a connection or the next piece of text.
        think: whether a model that can think first does so.
        is_ours: whether it is sitetwin's own engine. That sends thoughts in a field of their own and spells control tokens
            as text. The prompt of another server may open the thought, so that the reply begins within it. The first
            complete reply shows this. Until then, replies are held back to their end.
        keys: the names of its settings, for errors.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        *,
        adapter: str | None = None,
        api_key: str = "",
        timeout: float = 120,
        think: Think = False,
        is_ours: bool = False,
        keys: Keys = KEYS,
    ) -> None:
        self._is_ours = self._splits_thoughts = is_ours
        self._server = OpenAIServer(base_url, model, keys, api_key, timeout)
        self.base_url = self._server.url
        self.api_key = api_key
        self.model = model
        self.adapter = adapter
        self.think = think

    def generate(
        self, messages: Messages, *, max_tokens: int = 400, temperature: float = 0.0, stop: list[str] | None = None
    ) -> Generator[str, None, bool]:
        """The model's answer without its thought, piece by piece. Closing the iterator early ends the request on the server.

        Args:
            max_tokens: longest answer, without a thought.
            stop: texts that end the answer.

        Returns:
            Whether it was cut off at `max_tokens`.

        Raises:
            UnreadableError: the reply was a thought alone.
            ModelError: the server can't be reached, refuses the request or breaks off.
        """
        ending = yield from self._answer(messages, (), max_tokens=max_tokens, temperature=temperature, stop=stop)
        return ending.is_cut_off

    def generate_with_tools(
        self,
        messages: list[dict[str, Any]],
        tools: Sequence[dict[str, Any]],
        *,
        max_tokens: int = 400,
        temperature: float = 0.0,
        stop: list[str] | None = None,
    ) -> Generator[str, None, Ending]:
        """Like `generate`, for a model that may call tools.

        Args:
            messages: as in OpenAI's protocol, with the calls so far and their results.
            tools: what the model may call, as in OpenAI's protocol.

        Raises:
            ModelError: as for `generate`, or the model can't call tools.
        """
        answer = self._answer(messages, tools, max_tokens=max_tokens, temperature=temperature, stop=stop)
        reader = WrittenCalls([tool["function"]["name"] for tool in tools])
        try:
            with closing(answer):
                while True:
                    if text := reader.feed(next(answer)):
                        yield text
        except StopIteration as end:
            ending: Ending = end.value
            text, written = reader.close()
            if text:
                yield text
            return replace(ending, calls=ending.calls or written)
        except ServerError as error:
            if error.status not in REFUSED or "tool" not in error.said.lower():
                raise
            raise ModelError(
                f"{self.model} can't call tools, because its chat template has no place for them: set models.chat to a model "
                "that can, such as one of Qwen 3, or ask it without tools"
            ) from None

    def _answer(
        self, messages: list[dict[str, Any]], tools: Sequence[dict[str, Any]], **how: Any
    ) -> Generator[str, None, Ending]:
        dialect = self._server.dialect
        messages = messages if self._is_ours else harmless(messages)
        while True:
            body = dialect.request(self.model, messages, think=self.think, **how)
            body["stream"] = True
            if tools:
                body["tools"] = list(tools)
            if self.adapter is not None:
                body["adapters"] = self.adapter
                # An adapter goes on from the prompt that it was trained with, where no thought is open.
                body["chat_template_kwargs"] = {"enable_thinking": bool(self.think)}
            try:
                ending, has_answered, has_thought = yield from self._stream(dialect, body)
            except ServerError as error:
                dialect = dialect.after(error, body)
                continue
            if has_answered or ending.calls or not has_thought:
                return ending
            if dialect.thinks or self.think:
                advice = "set models.think = false" if self.think else "set models.chat to a model that does not think"
                raise UnreadableError(f"{self.model} used all its tokens to think and gave no answer: {advice}")
            dialect = self._server.dialect  # it now knows that the model thinks

    def _stream(self, dialect: Dialect, body: dict[str, Any]) -> Generator[str, None, tuple[Ending, bool, bool]]:
        """Yields the answer's pieces. Returns how it ended, whether there was an answer, and whether there was a thought."""
        is_unsure = self._may_open_thought(dialect)
        splitter: ThoughtSplitter | None = None
        has_answered = has_thought = False
        finish = ""
        calls = CallReader()
        for thought, text, ending, delta in self._pieces(dialect, body):
            finish = ending or finish
            calls.feed(delta)
            has_thought |= bool(thought)
            # A server that sends the thought apart does not open another one in the text.
            splitter = splitter or (ThoughtSplitter(unsure=is_unsure and not has_thought) if text else None)
            if splitter and (answer := splitter.feed(with_control_tokens(text)).answer):
                has_answered |= bool(answer.strip())
                yield answer
        splitter = splitter or ThoughtSplitter()
        is_thinker = dialect.opens_thought or bool(_THINKERS.search(self.model))
        if answer := splitter.close(in_thought=is_thinker and finish == "length").answer:
            has_answered |= bool(answer.strip())
            yield answer
        has_thought |= bool(splitter.thought.strip())
        # A reply that was cut off may have ended within a hidden thought.
        self._splits_thoughts |= finish != "length"
        self._server.learn(dialect, thinks=has_thought, opens_thought=splitter.lacks_opener)
        return Ending(finish == "length", calls.calls()), has_answered, has_thought

    def _may_open_thought(self, dialect: Dialect) -> bool:
        """Whether the prompt may end within a thought, as far as is known before the reply."""
        return dialect.opens_thought or not self._splits_thoughts

    def _pieces(self, dialect: Dialect, body: dict[str, Any]) -> Iterator[Piece]:
        """Yields the reply's pieces.

        Raises:
            ServerError: it has a status only if nothing has been answered yet.
        """
        server = self._server
        with (
            server.explaining(),
            httpx.Client(**server.options) as http,
            http.stream("POST", f"{dialect.url}/chat/completions", json=body) as response,
        ):
            if "event-stream" not in response.headers.get("Content-Type", ""):
                response.read()
                yield server.answer(dialect, body, response, read_whole)
                return
            if not response.is_success:
                response.read()
                raise server.refused(body, response)
            for event in EventSource(response).iter_sse():
                if event.data.strip() == "[DONE]":
                    return
                yield read_chunk(self._chunk(event.data))

    def _chunk(self, data: str) -> Any:
        try:
            chunk = json.loads(data or "{}")
        except ValueError:
            raise ServerError(f"{self.base_url} sent a reply that is not JSON: see its log, then ask again") from None
        if isinstance(chunk, dict) and not chunk.get("choices") and (said := error_text(chunk)):
            raise ServerError(f"{self.base_url} broke off ({' '.join(said.split())[:300]}): ask again")
        return chunk
