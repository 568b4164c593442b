"""Forms filled in by a model of any OpenAI-compatible server, sitetwin's own engine among them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pipeline.errors import UnreadableError
from pipeline.servers.dialect import Dialect, Messages, harmless
from pipeline.servers.openai_server import OpenAIServer
from pipeline.servers.replies import Reply, read_reply
from pipeline.servers.structured import CutOffError, RefusedFormError
from pipeline.servers.transport import Keys, ServerError
from pipeline.settings import Think
from pipeline.text.inert import with_control_tokens

KEYS = Keys(
    url="teacher.url",
    model="teacher.model",
    api_key="SITETWIN_TEACHER__API_KEY",
    when_slow="raise teacher.timeout_seconds, lower teacher.concurrency, or set teacher.model to a smaller model",
    when_long="lower index.chunk_chars, or set teacher.model to a model with a longer context",
)


class OpenAIChat:
    """A structured model of an OpenAI-compatible server; `url` is e.g. `https://api.openai.com/v1`.

    Args:
        timeout: seconds for one answer.
        label: value of `name`; empty: `openai:` and the model's name.
        think: whether a model that can think first does so.
        keys: settings to name in errors.
        pause: waits between two tries; takes seconds.
    """

    def __init__(
        self,
        model: str,
        url: str,
        api_key: str = "",
        timeout: float = 300,
        label: str = "",
        *,
        think: Think = False,
        keys: Keys = KEYS,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.model = model
        self.name = label or f"openai:{model}"
        self._think = think
        self._server = OpenAIServer(url, model, keys, api_key, timeout, pause_async=pause)

    async def reply(self, messages: Messages, schema: dict[str, Any], *, max_tokens: int, temperature: float) -> str:
        """See StructuredModel."""

        def body(dialect: Dialect) -> dict[str, Any]:
            return dialect.request(
                self.model,
                harmless(messages),
                max_tokens=max_tokens,
                temperature=temperature,
                schema=schema,
                think=self._think,
            )

        try:
            reply = await self._server.post_async("chat/completions", body, read_reply)
        except ServerError as error:
            if self._server.may_skip(error):
                raise RefusedFormError(str(error)) from None
            raise
        self._server.learn(self._server.dialect, thinks=bool(reply.thought.strip()))
        return checked(reply, max_tokens, self._think)


def checked(reply: Reply, max_tokens: int, think: Think | None) -> str:
    """The answer of a complete reply.

    Raises:
        CutOffError: the reply reached `max_tokens`.
        RefusedError: the model or the server's filter refuses.
        UnreadableError: the reply holds no answer.
    """
    if reply.refusal:
        raise RefusedFormError(f"the model refuses (“{reply.refusal[:120]}”)")
    if reply.finish == "content_filter":
        raise RefusedFormError("the server's own filter withholds the answer")
    if reply.thought and not reply.answer.strip():
        advice = "set models.think = false" if think else "choose a model that does not think"
        kind = CutOffError if reply.is_cut_off else UnreadableError
        raise kind(f"the reply is a thought without an answer: {advice}")
    if reply.is_cut_off:
        raise CutOffError(f"the answer was cut off after {max_tokens} tokens")
    return with_control_tokens(reply.answer)
