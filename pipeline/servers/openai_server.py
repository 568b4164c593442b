"""A server that speaks OpenAI's protocol, asked in the dialect that it understands."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar

import httpx

from pipeline.servers.dialect import Dialect, is_about_the_form, server_address
from pipeline.servers.transport import Keys, Server, ServerError, error_text, words

T = TypeVar("T")
Body = dict[str, Any]


class OpenAIServer(Server):
    """The OpenAI-compatible server at `url`, which may end in `/v1`, in an endpoint, or in neither.

    Raises:
        ServerError: raised by every method that asks the server.
    """

    def __init__(self, url: str, model: str, keys: Keys, *args: Any, **how: Any) -> None:
        super().__init__(server_address(url), keys, *args, **how)
        self.model = model
        self.dialect = Dialect(self.url)

    def post(self, path: str, body: Callable[[Dialect], Body], read: Callable[[Any], T | None]) -> T:
        """Sends a request and returns what `read` finds in the JSON of the answer.

        Args:
            path: endpoint, e.g. `chat/completions`.
            body: makes the body for a dialect; an empty body sends a GET.
            read: takes the answer's JSON; returns None if the JSON holds no result.
        """
        dialect = self.dialect
        while True:
            sent, now = body(dialect), dialect

            def once(sent: Body = sent, now: Dialect = now) -> T:
                with self.explaining():
                    response = self._http.request("POST" if sent else "GET", f"{now.url}/{path}", json=sent or None)
                return self.answer(now, sent, response, read)

            try:
                found = self.again(once)
            except ServerError as error:
                dialect = dialect.after(error, sent)
                continue
            self.learn(dialect)
            return found

    async def post_async(self, path: str, body: Callable[[Dialect], Body], read: Callable[[Any], T | None]) -> T:
        """Like `post`, without blocking the event loop."""
        dialect = self.dialect
        while True:
            sent, now = body(dialect), dialect

            async def once(sent: Body = sent, now: Dialect = now) -> T:
                with self.explaining():
                    async with httpx.AsyncClient(**self.options) as http:
                        response = await http.post(f"{now.url}/{path}", json=sent)
                return self.answer(now, sent, response, read)

            try:
                found = await self.again_async(once)
            except ServerError as error:
                dialect = dialect.after(error, sent)
                continue
            self.learn(dialect)
            return found

    def models(self) -> list[str]:
        """Names of the models that the server has."""

        def listed(answer: Any) -> list[str] | None:
            try:
                return [str(model["id"]) for model in answer["data"] or []]
            except (KeyError, TypeError):
                return None

        return self.post("models", lambda dialect: {}, listed)

    def learn(self, dialect: Dialect, *, thinks: bool = False, opens_thought: bool = False) -> None:
        """Remembers the `dialect` of a successful request, and what parallel requests have learnt of the model's thoughts."""
        self.dialect = dialect.learnt(
            thinks=thinks or self.dialect.thinks, opens_thought=opens_thought or self.dialect.opens_thought
        )

    def answer(self, dialect: Dialect, sent: Body, response: httpx.Response, read: Callable[[Any], T | None]) -> T:
        """What `read` finds in a response whose body has been read.

        Raises:
            ServerError: the response is an error, is empty, or comes from another kind of server.
        """
        if not response.is_success:
            raise self.refused(sent, response)
        try:
            answer = response.json()
        except ValueError:
            raise self._strange(dialect, response) from None
        found = read(answer)
        if found is not None:
            return found
        if said := error_text(answer):
            raise self._refused_within(dialect, sent, response, answer, said)
        if isinstance(answer, dict) and ("choices" in answer or dialect.is_known):
            raise ServerError(
                f"{self.model} at {self.url} gave an empty reply: see that server's log",
                response.status_code,
                busy=True,
            )
        raise self._strange(dialect, response)

    def refused(self, sent: Body, response: httpx.Response) -> ServerError:
        """The error for a response with an error status."""
        error = self.refusal(self.model, response)
        if "response_format" in sent and is_about_the_form(error):
            error.busy = False
        return error

    def close(self) -> None:
        """Closes the connections to the server."""
        self._http.close()

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(**self.options)

    def _refused_within(
        self, dialect: Dialect, sent: Body, response: httpx.Response, answer: Body, said: str
    ) -> ServerError:
        """The error for an error message that came with a status of success."""
        error = answer.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        if "endpoint" in said.lower() and not dialect.is_known:  # LM Studio's words
            return ServerError(self.no_path(said), response.status_code, said, elsewhere=True)
        status = code if isinstance(code, int) and 400 <= code < 600 else httpx.codes.INTERNAL_SERVER_ERROR
        found = self.refusal(self.model, response, said, status)
        if "response_format" in sent and is_about_the_form(found):
            found.busy = False
        return found

    def _strange(self, dialect: Dialect, response: httpx.Response) -> ServerError:
        """The error for a web page or JSON of another kind. Another server sent it, or a proxy that fails for a moment."""
        said = words(response)
        if dialect.is_known:
            return ServerError(
                f"{self.url} answered with something else than a reply ({said}): see its log",
                response.status_code,
                said,
                busy=True,
            )
        return ServerError(self.no_server(said), response.status_code, said, elsewhere=True)
