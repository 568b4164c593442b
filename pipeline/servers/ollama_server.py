"""An Ollama server: where it is, which models it has, and what to do when it refuses."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from pipeline.servers.transport import Keys, Server, ServerError
from pipeline.settings import Think, ollama_address

if TYPE_CHECKING:
    from ollama import AsyncClient, ChatResponse, Client, ListResponse

T = TypeVar("T")


class OllamaServer(Server):
    """The server at `url`; without one at OLLAMA_HOST, else at Ollama's usual address.

    Args:
        timeout: seconds for one answer, the time in which the model is loaded included.

    Raises:
        ServerError: by every method that asks it.
    """

    kind = "Ollama"

    def __init__(
        self, keys: Keys, url: str = "", api_key: str = "", timeout: float = 300, *, tries: int = 1, **how: Any
    ) -> None:
        named = ollama_address(url).rstrip("/").removesuffix("/v1").removesuffix("/api")
        super().__init__(named, keys, api_key, timeout, tries=tries, **how)

    @property
    def address(self) -> str:
        return self.url

    def models(self) -> "list[ListResponse.Model]":
        return list(self.ask("", lambda client: client.list()).models)

    def identity(self, model: str) -> str:
        """Names `model` and its weights."""
        wanted = model if ":" in model else f"{model}:latest"
        for known in self.models():
            if known.model == wanted and known.digest:
                return f"ollama:{model}-{known.digest[:12]}"
        raise ServerError(self.missing(model, ""), httpx.codes.NOT_FOUND, for_all=True)

    def ask(self, model: str, question: "Callable[[Client], T]") -> T:
        def once() -> T:
            with self.explaining_for(model):
                return question(self._client)

        return self.again(once)

    def chat(
        self, model: str, messages: list[dict[str, str]], options: dict[str, Any], think: Think | None
    ) -> "Generator[ChatResponse, None, None]":
        """A reply in pieces. To be iterated within `explaining_for`."""
        with closing(self._new_client()) as client:
            yield from client.chat(model, messages, stream=True, options=options, think=think)

    def async_client(self) -> "AsyncClient":
        """A new one, for the event loop that runs."""
        from ollama import AsyncClient

        async def without_key(request: httpx.Request) -> None:
            _without_key(request)

        hooks = {} if self.headers else {"request": [without_key]}
        return AsyncClient(self.url, **self.options, event_hooks=hooks)

    def close(self) -> None:
        self._client.close()

    @contextmanager
    def explaining_for(self, model: str) -> Iterator[None]:
        """Errors of a request for `model` get their next step."""
        from ollama import ResponseError

        try:
            with self.explaining():
                yield
        except ResponseError as error:
            cause = error.__context__  # the answer itself, with its headers
            response = (
                cause.response
                if isinstance(cause, httpx.HTTPStatusError)
                else httpx.Response(max(error.status_code, httpx.codes.INTERNAL_SERVER_ERROR), text=error.error)
            )
            raise self.refusal(model, response) from None
        except (ValueError, TypeError) as error:  # no JSON, or JSON of another shape, which `ollama` does not check
            said = " ".join(str(error).split())[:80]
            if self.has_answered:  # what stands before it is in trouble for a moment
                raise ServerError(
                    f"Ollama at {self.url} answered with something else than a reply ({said}): see its log", busy=True
                ) from None
            raise ServerError(
                f"what answers at {self.url} is no Ollama ({said}): mend {self.keys.url}", for_all=True
            ) from None

    def nobody(self, error: Exception) -> str:
        return f"no Ollama answers at {self.url}: run `ollama serve`, or set {self.keys.url} to where it is"

    def missing(self, model: str, said: str) -> str:
        return f"Ollama at {self.url} has no model {model}: run `ollama pull {model}`"

    def refusal(self, model: str, response: httpx.Response, said: str = "", status: int = 0) -> ServerError:
        error = super().refusal(model, response, said, status)
        if error.elsewhere and "page" not in error.said:
            return ServerError(self.missing(model, ""), error.status, error.said, for_all=True)
        return error

    @cached_property
    def _client(self) -> "Client":
        return self._new_client()

    def _new_client(self) -> "Client":
        from ollama import Client

        hooks = {} if self.headers else {"request": [_without_key]}
        return Client(self.url, **self.options, event_hooks=hooks)


def _without_key(request: httpx.Request) -> None:
    """`ollama` sends OLLAMA_API_KEY of the environment to every server; it is meant for ollama.com."""
    request.headers.pop("Authorization", None)
