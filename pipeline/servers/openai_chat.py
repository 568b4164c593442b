"""Forms filled in by a model of any OpenAI-compatible server, sitetwin's own engine among them."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_exponential

from pipeline.errors import ModelError, UnreadableError
from pipeline.servers.http import DIRECT, LONGEST_PAUSE, asked_pause
from pipeline.servers.structured import Messages

TRIES = 4
"""When the server is busy or breaks off."""


_growing = wait_exponential(min=1, max=LONGEST_PAUSE)


class _BusyError(ModelError):
    """The same request may go well in a moment, or in the `pause` of seconds that the server asks for."""

    def __init__(self, message: str, pause: float = 0) -> None:
        super().__init__(message)
        self.pause = pause


class OpenAIChat:
    """The model `model` of the server at `url`, which ends with the version, e.g. `https://api.openai.com/v1`.

    Args:
        label: what the model is called in `name`.
    """

    def __init__(
        self,
        model: str,
        url: str,
        api_key: str = "",
        timeout: float = 300,
        label: str = "",
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self.name = label or f"openai:{model}"
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = timeout
        self._takes_schema = True
        self._pause = pause

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        tries = AsyncRetrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(TRIES),
            wait=_pause_after,
            sleep=self._pause,
            reraise=True,
        )
        return await tries(self._reply_once, messages, schema, max_tokens, temperature)

    async def _reply_once(self, messages: Messages, schema: dict[str, Any], max_tokens: int, temperature: float) -> str:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": temperature,
        }
        if self._takes_schema:
            form = {"name": "answer", "schema": schema}
            response = await self._post(body | {"response_format": {"type": "json_schema", "json_schema": form}})
            if response.status_code == httpx.codes.BAD_REQUEST and "response_format" in response.text:
                self._takes_schema = False  # an older server: the prompt alone says what is wanted
        if not self._takes_schema:
            response = await self._post(body)
        if response.is_error:
            raise self._explained(response)
        try:
            choice = response.json()["choices"][0]
            content = choice["message"]["content"] or ""
        except (json.JSONDecodeError, KeyError, IndexError, TypeError):
            raise ModelError(f"what answers at {self._url} is no chat server: mend teacher.url") from None
        if choice.get("finish_reason") == "length":
            raise UnreadableError(f"the answer was cut off after {max_tokens} tokens")
        return content

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        timeout = httpx.Timeout(self._timeout, connect=10)
        try:
            async with httpx.AsyncClient(headers=self._headers, timeout=timeout, mounts=DIRECT) as http:
                return await http.post(f"{self._url}/chat/completions", json=body)
        except httpx.TimeoutException:
            raise ModelError(
                f"{self._url} needed more than {self._timeout:g} s for one answer: raise teacher.timeout_seconds, lower "
                "teacher.concurrency, or choose a smaller teacher.model"
            ) from None
        except httpx.TransportError as error:
            raise _BusyError(f"no server answers at {self._url} ({error}): start it, or mend teacher.url") from None

    def _explained(self, response: httpx.Response) -> ModelError:
        status, text = response.status_code, " ".join(response.text.split())[:300]
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ModelError(f"{self._url} refuses the key ({status}): set SITETWIN_TEACHER__API_KEY")
        if status == httpx.codes.NOT_FOUND:
            return ModelError(f"{self._url} has no model {self.model} ({text}): set teacher.model to one that it has")
        message = f"{self._url} answered {status} for {self.model}: {text}; see that server's log"
        if status == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
            return _BusyError(message, asked_pause(response))
        return ModelError(message)


def _pause_after(state: RetryCallState) -> float:
    """Seconds until the next try."""
    error = state.outcome and state.outcome.exception()
    return max(_growing(state), error.pause if isinstance(error, _BusyError) else 0)
