"""Forms filled in by a model of an Ollama server."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from pipeline.servers.dialect import THOUGHT_TOKENS, Messages, harmless
from pipeline.servers.ollama_server import OllamaServer
from pipeline.servers.openai_chat import checked
from pipeline.servers.replies import Reply
from pipeline.servers.structured import RefusedFormError
from pipeline.servers.transport import TRIES, Keys, ServerError
from pipeline.settings import Think
from pipeline.text.thoughts import split_thought

if TYPE_CHECKING:
    from ollama import ChatResponse

CONTEXT_TOKENS = 4096
"""For prompt and reply together. Every request uses the same number: another one makes Ollama load the model again."""
KEEP_ALIVE = "10m"
KEYS = Keys(
    url="teacher.url",
    model="teacher.model",
    api_key="SITETWIN_TEACHER__API_KEY",
    when_slow="raise teacher.timeout_seconds, lower teacher.concurrency, or set teacher.model to a smaller model",
    when_long="lower index.chunk_chars",
)


class OllamaChat:
    """A structured model of an Ollama server. See `OllamaServer` for how `url` is read.

    Args:
        timeout: seconds for one answer.
        think: whether a model that can think first does so.
        pause: waits between two tries; takes seconds.
    """

    def __init__(
        self,
        model: str,
        url: str = "",
        api_key: str = "",
        timeout: float = 300,
        *,
        think: Think = False,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self._think: Think | None = think
        self._thinks = bool(think)
        self._server = partial(OllamaServer, KEYS, url, api_key, timeout)
        self._waiting = self._server(tries=TRIES, pause_async=pause)

    @cached_property
    def name(self) -> str:
        """Server, model and the digest of its weights; asks the server.

        Raises:
            ModelError: no server answers, or it lacks the model.
        """
        with closing(self._server()) as server:
            return server.identity(self.model)

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        """See StructuredModel."""
        ask = partial(self._reply_once, messages, schema, max_tokens, temperature)
        try:
            response = await self._waiting.again_async(ask)
        except ServerError as error:
            if "think" in error.said and self._think:  # the model can't think, or has no degrees of thinking
                self._think = True if isinstance(self._think, str) else None
                return await self.reply(messages, schema, max_tokens=max_tokens, temperature=temperature)
            if self._waiting.may_skip(error):
                raise RefusedFormError(str(error)) from None
            raise
        thought, answer = split_thought(response.message.content or "")
        thought = response.message.thinking or thought
        self._thinks |= bool(thought.strip())
        return checked(Reply(answer, thought, response.done_reason or ""), max_tokens, self._think)

    async def _reply_once(
        self, messages: Messages, schema: dict[str, Any], max_tokens: int, temperature: float
    ) -> "ChatResponse":
        room = THOUGHT_TOKENS if self._thinks else 0
        options = {
            "num_ctx": CONTEXT_TOKENS + room,
            "num_predict": max_tokens + room,
            "temperature": temperature,
            "seed": 0,
        }
        with self._waiting.explaining_for(self.model):
            async with self._waiting.async_client() as client:
                response: ChatResponse = await client.chat(
                    self.model,
                    harmless(messages),
                    format=schema,
                    options=options,
                    keep_alive=KEEP_ALIVE,
                    think=self._think,
                )
                return response


def list_models(url: str = "") -> list[str]:
    """The names of the models that the server at `url` has.

    Raises:
        ModelError: no Ollama answers there.
    """
    with closing(OllamaServer(KEYS, url)) as server:
        return [model.model or "" for model in server.models()]
