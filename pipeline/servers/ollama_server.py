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
    """The Ollama server at `url`. An empty `url` means OLLAMA_HOST, and without that Ollama's usual address.

    Args:
        timeout: seconds for one answer, including the time to load the model.

    Raises:
        ServerError: raised by every method that asks the server.
    """

    kind = "Ollama"

    def __init__(
        self, keys: Keys, url: str = "", api_key: str = "", timeout: float = 300, *, tries: int = 1, **how: Any
    ) -> None:
        named = ollama_address(url).rstrip("/").removesuffix("/v1").removesuffix("/api")
        super().__init__(named, keys, api_key, timeout, tries=tries, **how)

    @property
    def address(self) -> str:
        """The server's URL, without `/v1` or `/api`."""
        return self.url

    def models(self) -> "list[ListResponse.Model]":
        """The models that the server has."""
        return list(self.ask("", lambda client: client.list()).models)

    def identity(self, model: str) -> str:
        """A name for `model` and its weights, e.g. `ollama:qwen3:4b-1a2b3c4d5e6f` with the first 12 digits of the digest."""
        wanted = model if ":" in model else f"{model}:latest"
        for known in self.models():
            if known.model == wanted and known.digest:
                return f"ollama:{model}-{known.digest[:12]}"
        raise ServerError(self.missing(model, ""), httpx.codes.NOT_FOUND, for_all=True)

    def ask(self, model: str, question: "Callable[[Client], T]") -> T:
        """What `question` returns, asked again while the server is busy; `model` is named in errors."""

        def once() -> T:
            with self.explaining_for(model):
                return question(self._client)

        return self.again(once)

    def chat(
        self,
        model: str,
        messages: list[dict[str, Any]],
        options: dict[str, Any],
        think: Think | None,
        tools: list[dict[str, Any]] | None = None,
    ) -> "Generator[ChatResponse, None, None]":
        """Yields a reply in pieces. Iterate over it inside `explaining_for`."""
        with closing(self._new_client()) as client:
            yield from client.chat(model, messages, stream=True, options=options, think=think, tools=tools)

    def async_client(self) -> "AsyncClient":
        """A new client for the running event loop."""
        from ollama import AsyncClient

        async def without_key(request: httpx.Request) -> None:
            _without_key(request)

        hooks = {} if self.headers else {"request": [without_key]}
        return AsyncClient(self.url, **self.options, event_hooks=hooks)

    def close(self) -> None:
        """Closes the connections to the server."""
        self._client.close()

    @contextmanager
    def explaining_for(self, model: str) -> Iterator[None]:
        """Turns errors of a request for `model` into ones that name the next step.

        Raises:
            ServerError: instead of any error of httpx or `ollama`.
        """
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
        except (ValueError, TypeError) as error:  # no JSON, or JSON of a shape that `ollama` does not check
            said = " ".join(str(error).split())[:80]
            if self.has_answered:  # a proxy in front of Ollama fails for a moment
                raise ServerError(
                    f"Ollama at {self.url} answered with something else than a reply ({said}): see its log", busy=True
                ) from None
            raise ServerError(
                f"what answers at {self.url} is no Ollama ({said}): mend {self.keys.url}", for_all=True
            ) from None

    def nobody(self, error: Exception) -> str:
        """The error text for a server that does not answer."""
        return f"no Ollama answers at {self.url}: run `ollama serve`, or set {self.keys.url} to where it is"

    def missing(self, model: str, said: str) -> str:
        """The error text for a server that lacks `model`."""
        return f"Ollama at {self.url} has no model {model}: run `ollama pull {model}`"

    def refusal(self, model: str, response: httpx.Response, said: str = "", status: int = 0) -> ServerError:
        """See `Server.refusal`. An unknown path means that the model is missing."""
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
    """Removes the key: `ollama` sends OLLAMA_API_KEY to every server, but the key is meant for ollama.com."""
    request.headers.pop("Authorization", None)
