"""A model's calls of tools, read from the pieces of a streamed reply as real servers send them. Pure."""

import json
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for the result of a tool."""

    id: str
    name: str
    arguments: str
    """JSON, as the model wrote it."""


class CallReader:
    """Puts the calls of one reply together."""

    def __init__(self) -> None:
        self._calls: dict[int, ToolCall] = {}

    def feed(self, delta: Any) -> None:
        """Take what one chunk of a stream, or a whole message, says of calls: its `tool_calls`."""
        for part in delta if isinstance(delta, list) else []:
            function = part.get("function") if isinstance(part, dict) else None
            if not isinstance(function, dict):
                continue
            index = part.get("index")
            if not isinstance(index, int):
                # Without a number a name begins the next call.
                index = len(self._calls) if function.get("name") else len(self._calls) - 1
            before = self._calls.get(index) or ToolCall("", "", "")
            self._calls[index] = replace(
                before,
                id=before.id or str(part.get("id") or f"call_{index}"),
                name=before.name or str(function.get("name") or ""),
                arguments=before.arguments + _text(function.get("arguments")),
            )

    def calls(self) -> tuple[ToolCall, ...]:
        """The calls so far that name a tool, in their order."""
        named = (call for _, call in sorted(self._calls.items()) if call.name)
        return tuple(replace(call, arguments=call.arguments or "{}") for call in named)


def _text(arguments: Any) -> str:
    """Ollama sends an object where OpenAI's protocol has a text."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
