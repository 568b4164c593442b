"""An Ollama server: where it is, which models it has, and what to do when it refuses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import httpx

from pipeline.errors import ModelError
from pipeline.servers.http import DIRECT
from pipeline.settings import ollama_address

if TYPE_CHECKING:
    from ollama import AsyncClient, Client, ListResponse

T = TypeVar("T")

CONNECT_SECONDS = 10
_MEMORY = ("requires more system memory", "out of memory", "unable to allocate")


@dataclass(frozen=True, slots=True)
class Keys:
    """What the settings call a server and its model, for errors that say what to set."""

    url: str
    model: str
    api_key: str
    when_slow: str
    """What to do about a model that needs too long."""


class OllamaError(ModelError):
    """The server can't be reached, or refuses.

    Args:
        status: of its answer; 0: it gave none.
        busy: the same request may go well in a moment.
    """

    def __init__(self, message: str, status: int = 0, *, busy: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.busy = busy


class OllamaServer:
    """The server at `url`; without one at OLLAMA_HOST, else at Ollama's usual address.

    Args:
        timeout: seconds for one answer, the time in which the model is loaded included.

    Raises:
        OllamaError: by every method that asks it.
    """

    def __init__(self, keys: Keys, url: str = "", api_key: str = "", timeout: float = 300) -> None:
        self.keys = keys
        self.address = ollama_address(url)
        self.timeout = timeout
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else None

    def models(self) -> "list[ListResponse.Model]":
        return list(self.ask("", lambda client: client.list()).models)

    def identity(self, model: str) -> str:
        """Names `model` and its weights."""
        wanted = model if ":" in model else f"{model}:latest"
        for known in self.models():
            if known.model == wanted and known.digest:
                return f"ollama:{model}-{known.digest[:12]}"
        raise self._missing(model)

    def ask(self, model: str, question: "Callable[[Client], T]") -> T:
        with self.explaining(model):
            return question(self._client)

    def async_client(self) -> "AsyncClient":
        """A new one, for the event loop that runs."""
        from ollama import AsyncClient

        return AsyncClient(self.address, headers=self._headers, timeout=self._timeout, mounts=DIRECT)

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def explaining(self, model: str) -> Iterator[None]:
        """Errors of a request for `model` get their next step."""
        from ollama import ResponseError

        try:
            yield
        except ResponseError as error:
            raise self._explained(model, error.status_code, " ".join(error.error.split())[:300]) from None
        except httpx.TimeoutException:
            raise OllamaError(
                f"Ollama at {self.address} needed more than {self.timeout:g} s for one answer: {self.keys.when_slow}"
            ) from None
        except (ConnectionError, httpx.TransportError):
            raise OllamaError(
                f"no Ollama answers at {self.address}: run `ollama serve`, or set {self.keys.url} to where it is",
                busy=True,
            ) from None
        except ValueError as error:
            raise OllamaError(
                f"what answers at {self.address} is no Ollama ({' '.join(str(error).split())[:80]}): mend {self.keys.url}"
            ) from None

    @cached_property
    def _client(self) -> "Client":
        from ollama import Client

        return Client(self.address, headers=self._headers, timeout=self._timeout, mounts=DIRECT)

    @property
    def _timeout(self) -> httpx.Timeout:
        return httpx.Timeout(self.timeout, connect=CONNECT_SECONDS)

    def _explained(self, model: str, status: int, text: str) -> OllamaError:
        if status == httpx.codes.NOT_FOUND:
            return self._missing(model)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            return OllamaError(f"Ollama at {self.address} wants a key: set {self.keys.api_key}", status)
        if any(words in text.lower() for words in _MEMORY):
            return OllamaError(
                f"{model} does not fit into memory ({text}): set {self.keys.model} to a smaller model, or end what else "
                "runs",
                status,
            )
        return OllamaError(
            f"Ollama at {self.address} answered {status} for {model}: {text}; see its log",
            status,
            busy=status >= httpx.codes.INTERNAL_SERVER_ERROR,
        )

    def _missing(self, model: str) -> OllamaError:
        return OllamaError(
            f"Ollama at {self.address} has no model {model}: run `ollama pull {model}`", httpx.codes.NOT_FOUND
        )
