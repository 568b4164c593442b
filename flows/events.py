"""Reads Langflow's stream of a run into pieces of text and the finished answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from components import wire
from pipeline.chat import Answer
from pipeline.errors import ServiceError

ASSISTANT = "Machine"
NEXT_STEP = "open the flow in the editor and try it in the Playground"


@dataclass
class _Message:
    """One message of the assistant, as far as it has arrived."""

    text: str = ""
    streamed: bool = False
    answer: Answer | None = None


@dataclass
class RunReader:
    """Reads the events of one run in order, and yields the new pieces of text.

    A message that is not streamed gives one piece. A blank line separates several messages, as of a flow with two Chat
    Outputs.
    """

    question: str
    flow: str
    _messages: dict[str, _Message] = field(default_factory=dict)
    _error: str = ""

    def feed(self, line: str) -> Iterator[str]:
        """Yields the text that one line of the stream adds.

        Raises:
            ServiceError: the line is not an event, or it reports that the run failed.
        """
        if not line.strip():
            return
        try:
            event = json.loads(line)
            kind, data = event["event"], event["data"]
        except (json.JSONDecodeError, KeyError, TypeError):
            raise ServiceError(f"Langflow sent something that is not an event ({line[:80]!r}): see its log") from None
        if kind == "error":
            # The error that names the node comes first; a wrapped one for the whole run follows.
            raise ServiceError(one_line(error_text(data), self.flow))
        if kind == "token":
            yield from self._token(str(data["id"]), data["chunk"])
        elif kind == "add_message" and data.get("sender") == ASSISTANT:
            yield from self._message(data)

    def answer(self) -> Answer:
        """The run's answer: the one that Cited Answer checked, or else all texts without sources.

        Raises:
            ServiceError: the flow gave no text.
        """
        texts = [message.text.strip() for message in self._messages.values() if message.text.strip()]
        cited = [message.answer for message in self._messages.values() if message.answer]
        if len(texts) == 1 and cited:
            return cited[0]
        if not texts:
            raise ServiceError(f"the flow {self.flow} ended without an answer: {NEXT_STEP}")
        return Answer(
            question=self.question, mode="base", answer="\n\n".join(texts), citations=[], refused=False, model=self.flow
        )

    def _token(self, message_id: str, chunk: str) -> Iterator[str]:
        message = self._messages.get(message_id)
        if message is None or not message.streamed:
            message = self._open(message_id)
            if self._is_later(message_id):
                yield "\n\n"
        message.streamed = True
        message.text += chunk
        if chunk:
            yield chunk

    def _message(self, data: dict[str, Any]) -> Iterator[str]:
        message_id = str(data.get("id") or data.get("data", {}).get("id") or len(self._messages))
        state = (data.get("properties") or {}).get("state")
        if state == "partial":
            # It opens a stream. Its first piece is sent again as a token.
            return
        known = message_id in self._messages
        message = self._open(message_id)
        message.answer = wire.unpack(data.get("session_metadata")) or message.answer
        # The message's own text includes the sources, for the Playground.
        text = message.answer.answer if message.answer else data.get("text") or ""
        if not known and text:
            if self._is_later(message_id):
                yield "\n\n"
            yield text
        message.text = text or message.text

    def _open(self, message_id: str) -> _Message:
        return self._messages.setdefault(message_id, _Message())

    def _is_later(self, message_id: str) -> bool:
        return next(iter(self._messages)) != message_id


def error_text(data: object) -> str:
    """The message in the data of an error event, which has one of two shapes."""
    if not isinstance(data, dict):
        return str(data)
    text = data.get("text") or data.get("error") or data.get("detail") or ""
    if isinstance(text, str) and "{" in text:
        try:
            # `500: {"message": "Error running graph: Error building Component X: \\n\\nreason"}`
            text = json.loads(text[text.index("{") :])["message"]
        except (ValueError, KeyError, TypeError):
            return str(text)
    return str(text)


def one_line(text: str, flow: str) -> str:
    """An error in one line with a next step. Our own errors have one already; others get one."""
    reason = text.strip().rsplit("\n\n", 1)[-1].replace("\n", " ").strip()
    if not reason:
        return f"the flow {flow} failed without a reason: see Langflow's log"
    return reason if ": " in reason else f"the flow {flow} failed ({reason}): {NEXT_STEP}"
