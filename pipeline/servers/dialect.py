"""How one server wants to be asked: what it has refused is left out or said in other words. Pure."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.servers.transport import ServerError
from pipeline.settings import Think

Messages = list[dict[str, str]]
Form = Literal["json_schema", "json_object", "prompt"]

THOUGHT_TOKENS = 3000
"""On top of the answer's budget, for a model that thinks all the same; servers that speak OpenAI's protocol count both."""
_FORMS: dict[Form, Form] = {"json_schema": "json_object", "json_object": "prompt"}
_EFFORTS = ("none", "minimal", "low", "")
"""What a model is asked that is not to think, until the server takes one; "": nothing."""
_FORM_WORDS = re.compile(
    r"response[ _.]?format|json|schema|grammar|guided|structured|strict mode|text\.format", re.IGNORECASE
)
_REFUSED = (400, 405, 415, 422, 500, 501)
"""Statuses of servers that can't do what a request asks for."""
_ENDPOINTS = re.compile(r"/(?:chat(?:/completions)?|completions|embeddings|models)/*$")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What is known of a server and one of its models."""

    url: str
    is_known: bool = False
    """A request has gone well, so the address is right."""
    is_moved: bool = False
    budget: str = "max_tokens"
    """What the server calls the longest reply."""
    temperature: bool = True
    stop: bool = True
    form: Form = "json_schema"
    thinks: bool = False
    """A reply had a thought."""
    opens_thought: bool = False
    """A streamed thought lacked its opening mark, as the prompt has it."""
    effort: str = "none"
    template: bool = True
    """Whether it takes arguments of the chat template."""

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
            max_tokens: of the answer, without a thought.
            schema: given, the answer is to be JSON that fits it.
            think: what a model that thinks is asked to do about it.
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
        """How to ask again after `body` was refused.

        Raises:
            ServerError: `error` itself, as nothing is left to try.
        """
        if error.elsewhere and not self.is_known and not self.is_moved:
            return replace(self, url=other_address(self.url), is_moved=True)
        if error.status not in _REFUSED or error.elsewhere:
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
            return replace(self, form="prompt")  # it breaks off each time, and says nothing of use
        raise error

    def learnt(self, *, thinks: bool = False, opens_thought: bool = False) -> "Dialect":
        """After a request has gone well."""
        return replace(
            self, is_known=True, thinks=self.thinks or thinks, opens_thought=self.opens_thought or opens_thought
        )

    def _thinking(self, think: Think) -> dict[str, Any]:
        """Nothing for a model that never thought, as many servers refuse what they do not know."""
        if not think and not self.thinks:
            return {}
        asked: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": bool(think)}} if self.template else {}
        effort = self.effort if not think else think if isinstance(think, str) else ""
        return asked | ({"reasoning_effort": effort} if effort and self.effort else {})


def server_address(url: str) -> str:
    """`url` without an endpoint at its end; http where no scheme is named."""
    url = url.strip().rstrip("/")
    url = _ENDPOINTS.sub("", url).rstrip("/")
    url = re.sub(r"(/v1)(?:/v1)+$", r"\1", url)
    return url if "://" in url else f"http://{url}"


def other_address(url: str) -> str:
    """The same server with its version, or without it."""
    return url.removesuffix("/v1") if url.endswith("/v1") else f"{url}/v1"


def is_about_the_form(error: ServerError) -> bool:
    """A server that can't bring replies into a form says so; asking again does not help."""
    return bool(_FORM_WORDS.search(error.said))


def _with_schema(messages: Messages, schema: dict[str, Any]) -> Messages:
    """The last message says in words what is wanted; JSON is named, as some servers want it so."""
    *before, last = messages
    words = f"Answer with one JSON object and nothing else. It fits this JSON schema:\n{json.dumps(schema)}"
    return [*before, {**last, "content": f"{last['content']}\n\n{words}"}]
