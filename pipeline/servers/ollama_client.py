"""The chat's client of an Ollama server. It uses Ollama's own protocol: the OpenAI-compatible one can't switch thoughts off."""

import json
from collections.abc import Iterator
from contextlib import closing
from functools import cached_property
from typing import Any

from pipeline.servers.client import KEYS, EngineClient
from pipeline.servers.dialect import Dialect, Messages
from pipeline.servers.ollama_server import OllamaServer
from pipeline.servers.replies import Piece
from pipeline.servers.transport import ServerError
from pipeline.settings import Think
from pipeline.text.thoughts import MARKS


class OllamaClient(EngineClient):
    """Asks one model of an Ollama server; `base_url` is its address with `/v1`. See EngineClient."""

    def __init__(self, base_url: str, model: str, *, api_key: str = "", timeout: float = 120, **how: Any) -> None:
        super().__init__(base_url, model, api_key=api_key, timeout=timeout, **how)
        self._ollama = OllamaServer(KEYS, base_url, api_key, timeout)
        self._switch: Think | None = self.think

    def _may_open_thought(self, dialect: Dialect) -> bool:
        return super()._may_open_thought(dialect) and self._knows_thoughts

    @cached_property
    def _knows_thoughts(self) -> bool:
        """Whether the model's template has a mark of thoughts. Without one it opens none."""
        try:
            template = self._ollama.ask(self.model, lambda client: client.show(self.model)).template or ""
        except ServerError:
            return True  # The chat that follows says what is wrong. A proxy may forward chats only.
        finally:
            self._ollama.close()  # each chat opens a connection of its own
        return any(mark in template.lower() for mark in MARKS)

    def _pieces(self, dialect: Dialect, body: dict[str, Any]) -> Iterator[Piece]:
        try:
            yield from self._parts(dialect, body)
        except ServerError as error:
            if "think" not in error.said or not self._switch:
                raise
            # The model has no degrees of thinking, or can't think at all.
            self._switch = True if isinstance(self._switch, str) else None
            yield from self._pieces(dialect, body)

    def _parts(self, dialect: Dialect, body: dict[str, Any]) -> Iterator[Piece]:
        options = {"num_predict": body[dialect.budget], "temperature": body["temperature"], "stop": body.get("stop")}
        with (
            self._ollama.explaining_for(self.model),
            closing(
                self._ollama.chat(self.model, _spoken(body["messages"]), options, self._switch, body.get("tools"))
            ) as parts,
        ):
            for part in parts:
                said = part.message
                calls = [call.model_dump() for call in said.tool_calls or ()]
                yield Piece(said.thinking or "", said.content or "", part.done_reason or "", calls)


def _spoken(messages: Messages) -> Messages:
    """OpenAI's messages as Ollama's: the arguments of a call are an object, and a result names its tool."""
    names: dict[str, str] = {}
    spoken = []
    for message in messages:
        changed: dict[str, Any] = {key: message[key] for key in ("role", "content") if key in message}
        if calls := message.get("tool_calls"):
            names |= {call["id"]: call["function"]["name"] for call in calls}
            changed["tool_calls"] = [{"function": _with_object(call["function"])} for call in calls]
        if message["role"] == "tool":
            changed["tool_name"] = names.get(message.get("tool_call_id", ""), "")
        spoken.append(changed)
    return spoken


def _with_object(function: dict[str, Any]) -> dict[str, Any]:
    return {"name": function["name"], "arguments": json.loads(function["arguments"] or "{}")}
