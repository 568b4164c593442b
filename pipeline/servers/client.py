"""A client of any OpenAI-compatible chat server: sitetwin's engine, Ollama, vLLM."""

import json
from collections.abc import Generator

import httpx
from httpx_sse import EventSource, SSEError

from pipeline.errors import ModelError
from pipeline.servers.http import DIRECT

Messages = list[dict[str, str]]


class EngineClient:
    """Asks one model of one server.

    Args:
        base_url: up to and with the version, e.g. `http://127.0.0.1:11434/v1`.
        model: the server's name for it.
        api_key: sent as a bearer token when not empty.
        adapter: of sitetwin's own engine; None: the model as it is.
        timeout: seconds to wait for a connection or the next piece of text.
    """

    def __init__(
        self, base_url: str, model: str, *, adapter: str | None = None, api_key: str = "", timeout: float = 120
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.model = model
        self.adapter = adapter
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = httpx.Timeout(timeout, connect=10)

    def generate(
        self, messages: Messages, *, max_tokens: int = 400, temperature: float = 0.0, stop: list[str] | None = None
    ) -> Generator[str, None, None]:
        """The model's reply, piece by piece. Closing the iterator early ends the generation on the server.

        Raises:
            ModelError: the server can't be reached, refuses the request or breaks off.
        """
        body: dict[str, object] = {
            "model": self.model,
            "messages": messages,
            "max_tokens": max_tokens,
            "temperature": temperature,
            "stream": True,
        }
        if stop:
            body["stop"] = stop
        if self.adapter is not None:
            body["adapters"] = self.adapter
        url = f"{self.base_url}/chat/completions"
        try:
            with (
                httpx.Client(timeout=self._timeout, headers=self._headers, mounts=DIRECT) as http,
                http.stream("POST", url, json=body) as response,
            ):
                if response.is_error:
                    response.read()
                    raise ModelError(self._refusal(response))
                for event in EventSource(response).iter_sse():
                    if event.data == "[DONE]":
                        return
                    for choice in json.loads(event.data)["choices"]:
                        if text := choice["delta"].get("content"):
                            yield text
        except httpx.TimeoutException:
            raise ModelError(
                f"{self.base_url} was silent for {self._timeout.read:g} s: a larger engine.timeout_seconds, or a smaller model"
            ) from None
        except (httpx.TransportError, SSEError) as error:
            raise ModelError(
                f"the model server at {self.base_url} broke off or is not there ({error}): start it, then ask again"
            ) from None

    def _refusal(self, response: httpx.Response) -> str:
        text = " ".join(response.text.split())[:300]
        if response.status_code == httpx.codes.BAD_REQUEST:
            return f"the model server refuses this: {_reason(response) or text}"
        if response.status_code == httpx.codes.NOT_FOUND:
            return f"{self.base_url} does not know the model {self.model!r} ({text}): see {self.base_url}/models, then set models.chat"
        if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return f"{self.base_url} wants a key: set SITETWIN_ENGINE__API_KEY"
        return f"{self.base_url} answered {response.status_code}: {text}; see that server's log"


def _reason(response: httpx.Response) -> str:
    """`error` of mlx_lm.server's JSON, or its message as OpenAI has it; "" when there is none."""
    try:
        error = response.json()["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (json.JSONDecodeError, KeyError, TypeError):
        return ""
