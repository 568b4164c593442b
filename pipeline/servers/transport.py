"""The one way to a model server: how it is reached, when it is asked again, and what its errors mean.

It uses httpx and not the `openai` package for two reasons. Importing `openai` takes 0.9 s of CPU, httpx 0.4 s, before
the first word of every `sitetwin ask`. And `openai` sends the environment's OPENAI_ORG_ID, OPENAI_PROJECT_ID and
OPENAI_CUSTOM_HEADERS to any server that is named.
"""

import asyncio
import html
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any, TypedDict, TypeVar

import httpx
from tenacity import AsyncRetrying, RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential

from pipeline.errors import ModelError
from pipeline.servers.http import DIRECT

T = TypeVar("T")

CONNECT_SECONDS = 10
TRIES = 4
"""Tries of one request while the server is busy or breaks off: it may be restarting."""
FAILURES = 3
"""After so many failed requests in a row the server counts as broken for all requests."""
LONGEST_PAUSE = 30.0
"""Longest pause in seconds, even if a server asks for a longer one."""
NOT_IMPLEMENTED = (405, 415, 501)
_MEMORY = re.compile(r"requires more system memory|out of memory|unable to allocate", re.IGNORECASE)
_LENGTH = re.compile(
    r"context[ _](?:length|window|size)|maximum context|too many tokens|prompt is too long", re.IGNORECASE
)
_CREDIT = re.compile(r"insufficient_quota|exceeded your current quota|insufficient (?:balance|credit)", re.IGNORECASE)
_growing = wait_exponential(min=1, max=LONGEST_PAUSE)


@dataclass(frozen=True, slots=True)
class Keys:
    """The names of a server's settings, for errors that say what to set."""

    url: str
    model: str
    api_key: str
    when_slow: str
    """Next step for a model that takes too long."""
    when_long: str = "set it to a model with a longer context"
    """Next step for texts that are longer than the model's context."""


class ServerError(ModelError):
    """The server can't be reached, or refuses.

    Args:
        status: HTTP status of the answer; 0: there was no answer.
        said: the server's own words.
        busy: the same request may succeed in a moment.
        pause: seconds that the server asks to wait before the next try.
        elsewhere: the server does not know this path; it may know another one.
        for_all: every other request would fail too.
    """

    def __init__(
        self,
        message: str,
        status: int = 0,
        said: str = "",
        *,
        busy: bool = False,
        pause: float = 0,
        elsewhere: bool = False,
        for_all: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.said = said
        self.busy = busy
        self.pause = pause
        self.elsewhere = elsewhere
        self.for_all = for_all or elsewhere


class Options(TypedDict):
    """Arguments of every httpx client of one server."""

    headers: dict[str, str]
    timeout: httpx.Timeout
    mounts: dict[str, None]
    verify: ssl.SSLContext


class Server:
    """The server at `url`. The key is sent to this server only; keys of the environment are never sent.

    Args:
        timeout: seconds for one answer, or for the next piece of a streamed one.
        tries: tries of one request while the server is busy.
        pause, pause_async: wait between two tries; take seconds.
    """

    kind = "the server"

    def __init__(
        self,
        url: str,
        keys: Keys,
        api_key: str = "",
        timeout: float = 300,
        *,
        tries: int = TRIES,
        pause: Callable[[float], None] = time.sleep,
        pause_async: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.url = url
        self.keys = keys
        self.timeout = timeout
        self.headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._policy: dict[str, Any] = {
            "retry": retry_if_exception(lambda error: isinstance(error, ServerError) and error.busy),
            "stop": stop_after_attempt(tries),
            "wait": _pause_after,
            "reraise": True,
        }
        self._pause, self._pause_async = pause, pause_async
        self._failures = 0
        self.has_answered = False

    @property
    def options(self) -> Options:
        """Arguments for a new httpx client of this server."""
        timeout = httpx.Timeout(self.timeout, connect=CONNECT_SECONDS)
        return {"headers": self.headers, "timeout": timeout, "mounts": DIRECT, "verify": _certificates()}

    def again(self, question: Callable[[], T]) -> T:
        """What `question` returns, asked again while the server is busy."""
        found: T = Retrying(sleep=self._pause, **self._policy)(question)
        self._went_well()
        return found

    async def again_async(self, question: Callable[[], Awaitable[T]]) -> T:
        """Like `again`, for a coroutine."""
        found: T = await AsyncRetrying(sleep=self._pause_async, **self._policy)(question)
        self._went_well()
        return found

    def may_skip(self, error: ServerError) -> bool:
        """Whether other requests may succeed after `error`: fewer than FAILURES requests have failed in a row."""
        self._failures += 1
        return not error.for_all and self._failures < FAILURES

    def _went_well(self) -> None:
        self._failures, self.has_answered = 0, True

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Turns errors of the connection into ones that name the next step.

        Raises:
            ServerError: instead of any error of httpx.
        """
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise ServerError(
                f"{self.url} is no address: write {self.keys.url} as http://HOST:PORT", for_all=True
            ) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, ConnectionError) as error:
            raise ServerError(self.nobody(error), busy=self.has_answered, for_all=True) from None
        except httpx.TimeoutException:
            raise ServerError(
                f"{self.kind} at {self.url} needed more than {self.timeout:g} s for one answer: {self.keys.when_slow}"
            ) from None
        except httpx.HTTPError as error:
            raise ServerError(
                f"{self.kind} at {self.url} broke off ({error or type(error).__name__}): see its log, then run this again",
                busy=True,
            ) from None

    def nobody(self, error: Exception) -> str:
        """The error text for a server that does not answer."""
        return f"no server answers at {self.url} ({error}): start it, or mend {self.keys.url}"

    def missing(self, model: str, said: str) -> str:
        """The error text for a server that lacks `model`; `said` are its own words."""
        return f"{self.url} has no model {model} ({said}): set {self.keys.model} to one of {self.url}/models"

    def refusal(self, model: str, response: httpx.Response, said: str = "", status: int = 0) -> ServerError:
        """The error for a refusing response whose body has been read, with the next step.

        Args:
            said, status: message and status of an error inside a successful answer; else the response's own are used.
        """
        status = status or response.status_code
        said = said or words(response)
        names_model = "model" in said.lower() or model.lower() in said.lower()
        if response.is_redirect:
            onward = response.headers.get("Location", "nowhere")
            return ServerError(
                f"{self.url} sends on to {onward}: set {self.keys.url} to that server", status, said, for_all=True
            )
        if status == httpx.codes.UNAUTHORIZED or (status == httpx.codes.FORBIDDEN and not names_model):
            wants = f"refuses the key ({status})" if self.headers else f"wants a key ({status})"
            return ServerError(
                f"{self.kind} at {self.url} {wants}: set {self.keys.api_key}", status, said, for_all=True
            )
        if status == httpx.codes.NOT_FOUND and names_model:
            return ServerError(self.missing(model, said), status, said, for_all=True)
        if status in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
            return ServerError(self.no_path(said), status, said, elsewhere=True)
        if _MEMORY.search(said):
            return ServerError(
                f"{model} does not fit into memory ({said}): set {self.keys.model} to a smaller model, or end what else runs",
                status,
                said,
                for_all=True,
            )
        if _CREDIT.search(said):
            return ServerError(
                f"the account at {self.url} has no credit left ({said}): add some", status, said, for_all=True
            )
        if _LENGTH.search(said):
            return ServerError(
                f"the text is longer than {model} takes ({said}): {self.keys.when_long}",
                status,
                said,
            )
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return ServerError(
                f"{self.url} takes no more requests now ({said}): run the command again later",
                status,
                said,
                busy=True,
                pause=asked_pause(response),
                for_all=True,
            )
        if status == httpx.codes.BAD_REQUEST:
            return ServerError(f"{self.kind} at {self.url} refuses this: {said}", status, said)
        return ServerError(
            f"{self.kind} at {self.url} answered {status} for {model}: {said}; see its log",
            status,
            said,
            busy=status >= httpx.codes.INTERNAL_SERVER_ERROR and status not in NOT_IMPLEMENTED,
            pause=asked_pause(response),
        )

    def no_path(self, said: str) -> str:
        """The error text for a server that knows no such path; `said` are its own words."""
        return (
            f"{self.url} knows no such path, with /v1 or without ({said}): mend {self.keys.url}, or set {self.keys.model} to "
            "a model that it has"
        )

    def no_server(self, said: str) -> str:
        """The error text for an address at which something else answers; `said` are its words."""
        return f"what answers at {self.url} is no model server ({said}): mend {self.keys.url}"


@cache
def _certificates() -> ssl.SSLContext:
    """Read once per process: reading them takes 30 ms, and each request may have a client of its own."""
    return httpx.create_ssl_context()


def words(response: httpx.Response) -> str:
    """An answer's error message, or else its text, in one line of at most 300 characters."""
    try:
        text = error_text(response.json()) or response.text
    except ValueError:
        text = html.unescape(re.sub(r"<(?:style|script).*?</|<[^>]*>", " ", response.text, flags=re.DOTALL))
    return " ".join(text.split())[:300] or "nothing"


def error_text(answer: Any) -> str:
    """The message of an error by OpenAI, mlx-lm, FastAPI or Ollama; "" if `answer` is no error."""
    if not isinstance(answer, dict):
        return ""
    error = answer.get("error") or answer.get("detail") or (answer.get("message") if "choices" not in answer else "")
    if isinstance(error, dict):
        return " ".join(str(error[key]) for key in ("message", "param", "code") if error.get(key)) or str(error)
    if isinstance(error, list):
        return "; ".join(
            f"{'.'.join(map(str, entry.get('loc', ())))}: {entry.get('msg', '')}"
            if isinstance(entry, dict)
            else str(entry)
            for entry in error
        )
    return str(error or "")


def asked_pause(response: httpx.Response) -> float:
    """Seconds that a busy server asks to wait, at most LONGEST_PAUSE; 0 if it asks for none."""
    asked = response.headers.get("Retry-After", "")
    try:
        seconds = float(asked)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(asked).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        except ValueError:
            return 0.0
    return min(max(seconds, 0.0), LONGEST_PAUSE)


def _pause_after(state: RetryCallState) -> float:
    """Seconds until the next try."""
    error = state.outcome and state.outcome.exception()
    return max(_growing(state), error.pause if isinstance(error, ServerError) else 0)
