"""How one server wants to be asked: what it has refused is left out or put in another way. Pure."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.servers.transport import ServerError
from pipeline.settings import Think
from pipeline.text.inert import without_control_tokens

Messages = list[dict[str, Any]]
"""Roles and contents; with tools also the calls so far."""
Form = Literal["json_schema", "json_object", "prompt"]

THOUGHT_TOKENS = 3000
"""Added to the answer's budget for a model that thinks: OpenAI's protocol counts thought and answer together."""
_FORMS: dict[Form, Form] = {"json_schema": "json_object", "json_object": "prompt"}
_EFFORTS = ("none", "minimal", "low", "")
"""Values of `reasoning_effort` for a model that shall not think, tried until the server accepts one. "" sends none."""
_FORM_WORDS = re.compile(
    r"response[ _.]?format|json|schema|grammar|guided|structured|strict mode|text\.format", re.IGNORECASE
)
REFUSED = (400, 405, 415, 422, 500, 501)
"""Statuses by which servers say that they can't do what a request asks for."""
_ENDPOINTS = re.compile(r"/(?:chat(?:/completions)?|completions|embeddings|models)/*$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is known of a server and one of its models."""

    url: str
    is_known: bool = False
    """A request has gone well, so the address is right."""
    is_moved: bool = False
    """The address with or without `/v1` has been tried in place of the given one."""
    budget: str = "max_tokens"
    """What the server calls the longest reply."""
    temperature: bool = True
    stop: bool = True
    form: Form = "json_schema"
    thinks: bool = False
    """A reply had a thought."""
    opens_thought: bool = False
    """A streamed thought lacked its opening mark, because the prompt ends with it."""
    effort: str = "none"
    template: bool = True
    """Whether the server accepts arguments for the chat template."""

    def request(
        self,
        model: str,
        messages: Messages,
        *,
        max_tokens: int,
        temperature: float,
        stop: list[str] | None = None,
        schema: dict[str, Any] | None = None,
        think: Think = False,
    ) -> dict[str, Any]:
        """The body of a request.

        Args:
            max_tokens: longest answer, without a thought.
            schema: JSON schema that the answer must fit; None: free text.
            think: whether, or how hard, a model that can think does so.
        """
        body: dict[str, Any] = {"model": model, "messages": messages}
        body[self.budget] = max_tokens + (THOUGHT_TOKENS if self.thinks or think else 0)
        if self.temperature:
            body["temperature"] = temperature
        if stop and self.stop:
            body["stop"] = stop
        if schema and self.form == "json_schema":
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        elif schema:
            body["messages"] = _with_schema(messages, schema)
            if self.form == "json_object":
                body["response_format"] = {"type": "json_object"}
        return body | self._thinking(think)

    def after(self, error: ServerError, body: dict[str, Any]) -> "Dialect":
        """The dialect in which to ask again after `body` was refused with `error`.

        Raises:
            ServerError: `error` itself, when nothing is left to try.
        """
        if error.elsewhere and not self.is_known and not self.is_moved:
            return replace(self, url=other_address(self.url), is_moved=True)
        if error.status not in REFUSED or error.elsewhere:
            raise error
        said = error.said.lower()
        if self.budget in said and self.budget == "max_tokens":
            return replace(self, budget="max_completion_tokens")
        if "temperature" in said and "temperature" in body:
            return replace(self, temperature=False)
        if "reasoning" in said and "reasoning_effort" in body:
            return replace(self, effort=_EFFORTS[_EFFORTS.index(self.effort) + 1])
        if "chat_template" in said and "chat_template_kwargs" in body:
            return replace(self, template=False)
        if re.search(r"\bstop\b", said) and "stop" in body:
            return replace(self, stop=False)
        if "response_format" in body and (_FORM_WORDS.search(said) or not (error.busy or self.is_known)):
            return replace(self, form=_FORMS[self.form])
        if "response_format" in body and not self.is_known:
            return replace(self, form="prompt")  # the server breaks off each time and gives no reason
        raise error

    def learnt(self, *, thinks: bool = False, opens_thought: bool = False) -> "Dialect":
        """This dialect with what a successful request has shown."""
        return replace(
            self, is_known=True, thinks=self.thinks or thinks, opens_thought=self.opens_thought or opens_thought
        )

    def _thinking(self, think: Think) -> dict[str, Any]:
        """Sends nothing for a model that never thought: many servers refuse fields that they do not know."""
        if not think and not self.thinks:
            return {}
        asked: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": bool(think)}} if self.template else {}
        effort = self.effort if not think else think if isinstance(think, str) else ""
        return asked | ({"reasoning_effort": effort} if effort and self.effort else {})


def harmless(messages: Messages) -> Messages:
    """`messages` in which no content ends a turn, for servers that obey control tokens wherever they stand."""
    return [{**message, "content": without_control_tokens(message["content"] or "")} for message in messages]


def server_address(url: str) -> str:
    """`url` without an endpoint at its end; it gets `http://` if it has no scheme."""
    url = url.strip().rstrip("/")
    url = _ENDPOINTS.sub("", url).rstrip("/")
    url = re.sub(r"(/v1)(?:/v1)+$", r"\1", url)
    return url if "://" in url else f"http://{url}"


def other_address(url: str) -> str:
    """`url` without its `/v1`, or with one if it has none."""
    return url.removesuffix("/v1") if url.endswith("/v1") else f"{url}/v1"


def is_about_the_form(error: ServerError) -> bool:
    """Whether the server says that it can't give replies a form. Asking again does not help then."""
    return bool(_FORM_WORDS.search(error.said))


def _with_schema(messages: Messages, schema: dict[str, Any]) -> Messages:
    """Adds the schema in words to the last message. It says "JSON", because some servers demand the word."""
    *before, last = messages
    words = f"Answer with one JSON object and nothing else. It fits this JSON schema:\n{json.dumps(schema)}"
    return [*before, {**last, "content": f"{last['content']}\n\n{words}"}]
