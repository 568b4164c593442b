"""Calls of tools that a small model writes into its text as JSON, without the marks of its chat template. Pure."""

import json
from collections.abc import Collection
from typing import Any

import json_repair

from pipeline.servers.tool_calls import ToolCall

_FENCE = "```"
_OPENERS = ("{", _FENCE + "json", _FENCE + "\n")


class WrittenCalls:
    """Holds a reply back while it looks like nothing but calls.

    Args:
        names: the tools that the request offers. JSON that names none of them is text.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._held = ""
        self._is_text = not names

    def feed(self, piece: str) -> str:
        """Take a piece of the reply; returns what can be shown now."""
        if self._is_text:
            return piece
        self._held += piece
        start = self._held.lstrip()
        if any(start.startswith(opener) or opener.startswith(start) for opener in _OPENERS):
            return ""
        self._is_text = True
        return self._held

    def close(self) -> tuple[str, tuple[ToolCall, ...]]:
        """The text that was held back, and the calls; one of them is empty."""
        if self._is_text:
            return "", ()
        found: dict[tuple[str, str], ToolCall] = {}
        for record in _objects(self._held):
            name, arguments = record.get("name"), record.get("arguments")
            if isinstance(name, str) and name in self._names and isinstance(arguments, dict):
                text = json.dumps(arguments, ensure_ascii=False)
                # A model that can't stop repeats itself.
                found.setdefault((name, text), ToolCall(f"written_{len(found)}", name, text))
        return ("", tuple(found.values())) if found else (self._held, ())


def _objects(text: str) -> list[dict[str, Any]]:
    """The JSON objects of a reply, in code fences or bare; small models leave out the last bracket."""
    read = json_repair.loads(text)
    return [record for record in (read if isinstance(read, list) else [read]) if isinstance(record, dict)]
