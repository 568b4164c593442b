"""Embeddings of an Ollama server."""

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import httpx

from pipeline.errors import ModelError
from pipeline.models.remote_embedder import RefusedTextError

if TYPE_CHECKING:
    from ollama import Client

T = TypeVar("T")

KEEP_ALIVE = "30m"
"""How long Ollama holds the model after the last text, so that a visitor rarely waits until it is loaded."""
TIMEOUT_SECONDS = 300
"""For one request: the first one waits for the model to be loaded."""
SUGGESTED = "nomic-embed-text"


class OllamaEmbeddings:
    """The model `model` of the Ollama at `url`; without one at OLLAMA_HOST, else at Ollama's usual address."""

    def __init__(self, model: str, url: str = "", api_key: str = "") -> None:
        self.model = model
        self._url = url
        self._api_key = api_key

    def identity(self) -> str:
        wanted = self.model if ":" in self.model else f"{self.model}:latest"
        for known in self._ask(lambda client: client.list()).models:
            if known.model == wanted and known.digest:
                return f"ollama:{self.model}-{known.digest[:12]}"
        raise self._missing()

    def vectors(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if not self._embeds:
            raise ModelError(
                f"{self.model} of Ollama is no embedding model: run `ollama pull {SUGGESTED}`, then set [models] "
                f'embedder = "ollama:{SUGGESTED}"'
            )
        return self._ask(
            lambda client: client.embed(self.model, list(texts), truncate=True, keep_alive=KEEP_ALIVE)
        ).embeddings

    def close(self) -> None:
        self._client.close()

    @cached_property
    def _embeds(self) -> bool:
        capabilities = self._ask(lambda client: client.show(self.model)).capabilities
        return capabilities is None or "embedding" in capabilities  # none: a server too old to tell

    @cached_property
    def _client(self) -> "Client":
        from ollama import Client

        headers = {"Authorization": f"Bearer {self._api_key}"} if self._api_key else None
        return Client(self._url or None, headers=headers, timeout=httpx.Timeout(TIMEOUT_SECONDS, connect=10))

    @property
    def _address(self) -> str:
        return self._url or os.environ.get("OLLAMA_HOST") or "http://127.0.0.1:11434"

    def _ask(self, question: "Callable[[Client], T]") -> T:
        from ollama import ResponseError

        try:
            return question(self._client)
        except ResponseError as error:
            raise self._explain(error.status_code, error.error) from None
        except httpx.TimeoutException:
            raise ModelError(
                f"Ollama at {self._address} was silent for {TIMEOUT_SECONDS} s: look at its log, or set [models] embedder "
                "to a smaller model"
            ) from None
        except (ConnectionError, httpx.TransportError):
            raise ModelError(
                f"no Ollama at {self._address}: run `ollama serve`, or set [models] embedder_url to where it is"
            ) from None
        except ValueError as error:
            raise ModelError(
                f"what answers at {self._address} is no Ollama ({' '.join(str(error).split())[:80]}): mend [models] embedder_url"
            ) from None

    def _explain(self, status: int, text: str) -> ModelError:
        text = " ".join(text.split())[:300]
        if status == httpx.codes.NOT_FOUND:
            return self._missing()
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return ModelError(f"Ollama at {self._address} wants a key: set SITETWIN_MODELS__EMBEDDER_API_KEY")
        kind = RefusedTextError if status == httpx.codes.BAD_REQUEST else ModelError
        return kind(f"Ollama at {self._address} answered {status} for {self.model}: {text}; see its log")

    def _missing(self) -> ModelError:
        return ModelError(f"Ollama at {self._address} has no model {self.model}: run `ollama pull {self.model}`")
