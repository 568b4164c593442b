"""Forms filled in by a model of an Ollama server."""

from contextlib import closing
from functools import cached_property, partial
from typing import Any

from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential

from pipeline.errors import UnreadableError
from pipeline.servers.ollama_server import Keys, OllamaError, OllamaServer
from pipeline.servers.structured import Messages

CONTEXT_TOKENS = 4096
"""Prompt and reply together; the same in every request, as another number has Ollama load the model anew."""
KEEP_ALIVE = "10m"
TRIES = 3
"""When the server breaks off: it may have been started again."""
LONGEST_PAUSE = 20
"""Seconds between them; the first is one."""
KEYS = Keys(
    url="teacher.url",
    model="teacher.model",
    api_key="SITETWIN_TEACHER__API_KEY",
    when_slow="raise teacher.timeout_seconds, lower teacher.concurrency, or set teacher.model to a smaller model",
)


class OllamaChat:
    """The model `model` of the Ollama at `url`, as `OllamaServer` finds it."""

    def __init__(self, model: str, url: str = "", api_key: str = "", timeout: float = 300) -> None:
        self.model = model
        self._server = partial(OllamaServer, KEYS, url, api_key, timeout)

    @cached_property
    def name(self) -> str:
        """With the digest of its weights; asks the server.

        Raises:
            ModelError: no server, or it lacks the model.
        """
        with closing(self._server()) as server:
            return server.identity(self.model)

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        tries = AsyncRetrying(
            retry=retry_if_exception(lambda error: isinstance(error, OllamaError) and error.busy),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(max=LONGEST_PAUSE),
            reraise=True,
        )
        return await tries(self._reply_once, messages, schema, max_tokens, temperature)

    async def _reply_once(self, messages: Messages, schema: dict[str, Any], max_tokens: int, temperature: float) -> str:
        options = {"num_ctx": CONTEXT_TOKENS, "num_predict": max_tokens, "temperature": temperature, "seed": 0}
        server = self._server()
        with server.explaining(self.model):
            async with server.async_client() as client:
                response = await client.chat(
                    self.model, messages, format=schema, options=options, keep_alive=KEEP_ALIVE, think=False
                )
        if response.done_reason == "length":
            raise UnreadableError(f"the answer was cut off after {max_tokens} tokens")
        return response.message.content or ""


def list_models(url: str = "") -> list[str]:
    """The models that the server at `url` has.

    Raises:
        ModelError: no Ollama answers there.
    """
    with closing(OllamaServer(KEYS, url)) as server:
        return [model.model or "" for model in server.models()]
