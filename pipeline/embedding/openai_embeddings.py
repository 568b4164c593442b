"""Embeddings of any OpenAI-compatible server."""

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import httpx

from pipeline.embedding.remote_embedder import RefusedTextError
from pipeline.errors import ModelError
from pipeline.servers.http import DIRECT, asked_pause

PAUSES = (0.5, 2.0, 8.0)
"""Seconds before each new try, when a server is busy or broken."""
TIMEOUT_SECONDS = 120


class OpenAIEmbeddings:
    """The model `model` of the server at `url`, which ends with the version, e.g. `https://api.openai.com/v1`.

    Raises:
        ModelError: there is no `url`. Texts are sent nowhere that the owner has not named.
    """

    def __init__(self, model: str, url: str, api_key: str = "", *, pause: Callable[[float], None] = time.sleep) -> None:
        if not url:
            raise ModelError(
                f"the settings name embedder openai:{model} but no server: set [models] embedder_url, e.g. to "
                "https://api.openai.com/v1"
            )
        self.model = model
        self.url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._pause = pause

    def identity(self) -> str:
        return f"openai:{self.model}"

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        response = self._post({"model": self.model, "input": list(texts), "encoding_format": "float"})
        if response.is_error:
            raise self._explain(response)
        try:
            rows = sorted(response.json()["data"], key=lambda row: row["index"])
            return [row["embedding"] for row in rows]
        except (ValueError, KeyError, TypeError):
            raise ModelError(
                f"what answers at {self.url}/embeddings gives no embeddings: mend [models] embedder_url"
            ) from None

    def close(self) -> None:
        self._http.close()

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(headers=self._headers, timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10), mounts=DIRECT)

    def _post(self, body: dict[str, Any]) -> httpx.Response:
        for pause in PAUSES:
            response = self._post_once(body)
            if response.status_code != httpx.codes.TOO_MANY_REQUESTS and not response.is_server_error:
                return response
            self._pause(max(pause, asked_pause(response)))
        return self._post_once(body)

    def _post_once(self, body: dict[str, Any]) -> httpx.Response:
        try:
            return self._http.post(f"{self.url}/embeddings", json=body)
        except httpx.TimeoutException:
            raise ModelError(
                f"{self.url} was silent for {TIMEOUT_SECONDS} s: look at its log, or set [models] embedder to a smaller model"
            ) from None
        except httpx.TransportError as error:
            raise ModelError(
                f"no server answers at {self.url} ({error}): start it, or mend [models] embedder_url"
            ) from None

    def _explain(self, response: httpx.Response) -> ModelError:
        status, text = response.status_code, " ".join(response.text.split())[:300]
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ModelError(f"{self.url} refuses the key ({status}): set SITETWIN_MODELS__EMBEDDER_API_KEY")
        if status == httpx.codes.NOT_FOUND:
            return ModelError(
                f"{self.url} has no embeddings by {self.model} ({text}): set [models] embedder to a model of {self.url}/models"
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return ModelError(f"{self.url} takes no more requests now ({text}): run the command again later")
        refused = status in (httpx.codes.BAD_REQUEST, httpx.codes.REQUEST_ENTITY_TOO_LARGE)
        kind = RefusedTextError if refused else ModelError
        return kind(f"{self.url} answered {status} for embedder {self.model}: {text}; see that server's log")
