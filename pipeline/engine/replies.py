"""Writes answers in the shapes of OpenAI's protocol. Pure."""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.engine.answer import CompletionPiece
from pipeline.engine.jobs import TokenProbability

Json = dict[str, Any]


@dataclass
class Choice:
    """One answer of a request: everything that came since the last part was sent."""

    index: int
    content: str = ""
    reasoning: str = ""
    calls: list[Json] = field(default_factory=list)
    probabilities: list[Json] = field(default_factory=list)
    finish: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is no text and no call yet."""
        return not (self.content or self.reasoning or self.calls)


@dataclass(frozen=True)
class Usage:
    """The tokens of all answers of a request. The prompt counts once."""

    prompt: int
    cached: int
    completion: int
    reasoning: int

    def json(self) -> Json:
        """The protocol's `usage` object."""
        return {
            "prompt_tokens": self.prompt,
            "completion_tokens": self.completion,
            "total_tokens": self.prompt + self.completion,
            "prompt_tokens_details": {"cached_tokens": self.cached},
            "completion_tokens_details": {"reasoning_tokens": self.reasoning},
        }


class Replies:
    """Writes the replies to one request.

    Args:
        model: the name that the request used.
        is_chat: whether the request is a chat; else it completes a text.
    """

    def __init__(self, model: str, *, is_chat: bool) -> None:
        self._is_chat = is_chat
        self._common = {
            "id": f"{'chatcmpl' if is_chat else 'cmpl'}-{uuid.uuid4()}",
            "created": int(time.time()),
            "model": model,
        }

    def whole(self, choices: Sequence[Choice], usage: Usage) -> Json:
        """The reply to a client that does not stream."""
        kind = "chat.completion" if self._is_chat else "text_completion"
        return {
            **self._common,
            "object": kind,
            "choices": [self._whole_choice(choice) for choice in choices],
            "usage": usage.json(),
        }

    def first(self, index: int) -> Json:
        """The part that opens a streamed answer of a chat."""
        return self._chunk([{"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def part(self, choice: Choice) -> Json:
        """The part with what is new in a streamed answer."""
        if not self._is_chat:
            return self._chunk(
                [{"index": choice.index, "text": choice.content, "logprobs": None, "finish_reason": choice.finish}]
            )
        delta: Json = {}
        if choice.content:
            delta["content"] = choice.content
        if choice.reasoning:
            delta["reasoning_content"] = choice.reasoning
        if choice.calls:
            delta["tool_calls"] = choice.calls
        logprobs = {"content": choice.probabilities, "refusal": None} if choice.probabilities else None
        return self._chunk(
            [{"index": choice.index, "delta": delta, "logprobs": logprobs, "finish_reason": choice.finish}]
        )

    def usage(self, usage: Usage) -> Json:
        """The last part of a stream, for clients that ask for the usage."""
        return {**self._chunk([]), "usage": usage.json()}

    def _chunk(self, choices: list[Json]) -> Json:
        kind = "chat.completion.chunk" if self._is_chat else "text_completion"
        return {**self._common, "object": kind, "choices": choices}

    def _whole_choice(self, choice: Choice) -> Json:
        if not self._is_chat:
            return {"index": choice.index, "text": choice.content, "logprobs": None, "finish_reason": choice.finish}
        message: Json = {"role": "assistant", "content": choice.content or None, "refusal": None}
        if not choice.calls:
            message["content"] = choice.content
        if choice.reasoning:
            message["reasoning_content"] = choice.reasoning
        if choice.calls:
            message["tool_calls"] = choice.calls
        logprobs = {"content": choice.probabilities, "refusal": None} if choice.probabilities else None
        return {"index": choice.index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish}


class Calls:
    """Reads the tool calls in one answer.

    Args:
        parser: mlx-lm's parser for this model. It takes the text of a call and the tools, and returns names and arguments.
        tools: the tools of the request.
    """

    def __init__(self, parser: Callable[[str, Any], Any], tools: list[Json]) -> None:
        self._parser = parser
        self._tools = tools
        self.count = 0
        """The calls that were read."""

    def read(self, text: str) -> list[Json]:
        """The calls in `text`; none if the model wrote something that can't be read."""
        try:
            found = self._parser(text, self._tools)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, SyntaxError):
            return []
        found = found if isinstance(found, list) else [found]
        if not all(isinstance(call, dict) and isinstance(call.get("name"), str) for call in found):
            return []
        first, self.count = self.count, self.count + len(found)
        return [_call(index, call) for index, call in enumerate(found, first)]


def _call(index: int, call: Json) -> Json:
    arguments = call.get("arguments") or {}
    # Some models write the arguments as a text that holds JSON, which is what the protocol wants.
    text = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    number = call.get("id") or f"call_{uuid.uuid4().hex[:24]}"
    return {"index": index, "id": number, "type": "function", "function": {"name": call["name"], "arguments": text}}


def token_json(probability: TokenProbability, text_of: Callable[[int], str]) -> Json:
    """One token with its log-probability. The field `id` is this engine's own addition.

    Args:
        probability: the token and the likeliest tokens in its place.
        text_of: returns a token's text.
    """

    def entry(token: int, logprob: float) -> Json:
        text = text_of(token)
        return {"id": token, "token": text, "logprob": logprob, "bytes": list(text.encode())}

    top = [entry(token, logprob) for token, logprob in probability.top]
    return {**entry(probability.token, probability.logprob), "top_logprobs": top}


def take(choice: Choice, pieces: Sequence[CompletionPiece], calls: Calls) -> None:
    """Adds what an answer has just said to its choice."""
    for kind, text in pieces:
        if kind == "content":
            choice.content += text
        elif kind == "reasoning":
            choice.reasoning += text
        elif found := calls.read(text):
            choice.calls += found
        else:
            choice.content += text


def error_json(message: str, status: int, code: str | None = None) -> Json:
    """The protocol's `error` object."""
    kind = "invalid_request_error" if status < 500 else "server_error"
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}
