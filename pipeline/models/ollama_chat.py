"""Forms filled in by a model of an Ollama server."""

import os
from functools import cached_property
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from pipeline.errors import ModelError, UnreadableError
from pipeline.models.structured import Messages

CONTEXT_TOKENS = 4096
"""Prompt and reply together; the same in every request, as another number has Ollama load the model anew."""
KEEP_ALIVE = "10m"
PORT = 11434
TRIES = 3
"""When the server breaks off: it may have been started again."""
_MEMORY = ("requires more system memory", "out of memory", "unable to allocate")


class _BusyError(ModelError):
    """The same request may go well in a moment."""


class OllamaChat:
    """The model `model` of the Ollama at `url`; without one at OLLAMA_HOST, else at Ollama's usual address."""

    def __init__(self, model: str, url: str = "", timeout: float = 300) -> None:
        self.model = model
        self._url = url
        self._timeout = timeout

    @cached_property
    def name(self) -> str:
        """With the digest of its weights; asks the server.

        Raises:
            ModelError: no server, or it lacks the model.
        """
        wanted = self.model if ":" in self.model else f"{self.model}:latest"
        digests = {known.model: known.digest for known in list_models(self._url)}
        if wanted not in digests:
            raise self._missing()
        return f"ollama:{self.model}-{(digests[wanted] or '')[:12]}"

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(TRIES),
            wait=wait_exponential(min=1, max=20),
            reraise=True,
        )
        return await tries(self._reply_once, messages, schema, max_tokens, temperature)

    async def _reply_once(self, messages: Messages, schema: dict[str, Any], max_tokens: int, temperature: float) -> str:
        from ollama import AsyncClient, ResponseError

        options = {"num_ctx": CONTEXT_TOKENS, "num_predict": max_tokens, "temperature": temperature, "seed": 0}
        timeout = httpx.Timeout(self._timeout, connect=10)
        try:
            async with AsyncClient(self._url or None, timeout=timeout) as client:
                response = await client.chat(
                    self.model, messages, format=schema, options=options, keep_alive=KEEP_ALIVE, think=False
                )
        except ResponseError as error:
            raise self._explained(error.status_code, error.error) from None
        except httpx.TimeoutException:
            raise ModelError(
                f"Ollama needed more than {self._timeout:g} s for one answer: raise teacher.timeout_seconds, lower "
                "teacher.concurrency, or choose a smaller teacher.model"
            ) from None
        except (ConnectionError, httpx.TransportError):
            raise _BusyError(_no_server(self._url)) from None
        if response.done_reason == "length":
            raise UnreadableError(f"the answer was cut off after {max_tokens} tokens")
        return response.message.content or ""

    def _explained(self, status: int, text: str) -> ModelError:
        text = " ".join(text.split())[:300]
        if status == httpx.codes.NOT_FOUND:
            return self._missing()
        if any(words in text.lower() for words in _MEMORY):
            return ModelError(
                f"{self.model} does not fit into memory ({text}): choose a smaller teacher.model, or end what else runs"
            )
        kind = _BusyError if status >= httpx.codes.INTERNAL_SERVER_ERROR else ModelError
        return kind(f"Ollama answered {status} for {self.model}: {text}; see its log")

    def _missing(self) -> ModelError:
        return ModelError(f"Ollama at {address(self._url)} has no model {self.model}: run `ollama pull {self.model}`")


def list_models(url: str = "") -> list[Any]:
    """The models that the server at `url` has, each with `model` (its name) and `digest`.

    Raises:
        ModelError: no Ollama answers there.
    """
    from ollama import Client

    try:
        with Client(url or None, timeout=httpx.Timeout(30, connect=10)) as client:
            return list(client.list().models)
    except (ConnectionError, httpx.TransportError):
        raise ModelError(_no_server(url)) from None


def address(url: str) -> str:
    return url or os.environ.get("OLLAMA_HOST") or f"http://127.0.0.1:{PORT}"


def openai_url(url: str = "") -> str:
    """Where the server at `url` speaks like OpenAI's."""
    named = address(url).rstrip("/")
    if "://" not in named:  # OLLAMA_HOST may be a name alone, or one with a port
        named = f"http://{named}"
        named = named if httpx.URL(named).port else f"{named}:{PORT}"
    return f"{named}/v1"


def _no_server(url: str) -> str:
    return f"no Ollama answers at {address(url)}: run `ollama serve`, or set teacher.url to where it is"
