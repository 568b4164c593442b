"""Reads replies and chunks of OpenAI-compatible servers, with the deviations that real servers have. Pure."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.text.thoughts import split_thought

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Names of the field that holds the thought: of DeepSeek and vLLM, of OpenRouter and Ollama, of others."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; `answer` is the text after the thought."""

    answer: str
    thought: str = ""
    finish: str = ""
    """Why the reply ended: `stop`, `length`, `content_filter` or another word of the server."""
    refusal: str = ""
    """The model's words when it refuses in the field that the protocol has for this."""

    @property
    def is_cut_off(self) -> bool:
        """Whether the reply ended because it reached its longest length."""
        return self.finish == "length"


def read_reply(answer: Any) -> Reply | None:
    """The reply in the JSON of an answer; None if there is none."""
    choice = _choice(answer)
    if choice is None or not isinstance(message := choice.get("message"), dict):
        return None
    thought, text = split_thought(text_of(message.get("content")))
    return Reply(
        answer=text,
        thought=thought or _thought(message),
        finish=str(choice.get("finish_reason") or ""),
        refusal=str(message.get("refusal") or ""),
    )


class Piece(NamedTuple):
    """A piece of a streamed reply. What it lacks is empty."""

    thought: str = ""
    text: str = ""
    """It may hold an inline thought."""
    finish: str = ""
    calls: Any = None
    """What it says of calls of tools, see `CallReader`."""


def read_chunk(chunk: Any) -> Piece:
    """The piece in the JSON of a chunk. Odd chunks (no choices, a null delta) are empty."""
    choice = _choice(chunk)
    if choice is None:
        return Piece()
    delta = choice.get("delta") or choice.get("message")
    delta = delta if isinstance(delta, dict) else {}
    return Piece(
        _thought(delta),
        text_of(delta.get("content")),
        str(choice.get("finish_reason") or ""),
        delta.get("tool_calls"),
    )


def read_whole(answer: Any) -> Piece | None:
    """The whole reply in the JSON of an answer that is not streamed; None if there is none."""
    if (reply := read_reply(answer)) is None:
        return None
    return Piece(reply.thought, reply.answer, reply.finish, read_chunk(answer).calls)


def text_of(content: Any) -> str:
    """The text of a message's content, which is a text or a list of parts. Parts that hold a thought are left out."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "".join(
        part if isinstance(part, str) else str(part.get("text") or "")
        for part in content
        if isinstance(part, str) or (isinstance(part, dict) and part.get("type", "text") in ("text", "output_text"))
    )


def _choice(answer: Any) -> dict[str, Any] | None:
    choices = answer.get("choices") if isinstance(answer, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _thought(message: dict[str, Any]) -> str:
    return next((text for key in _THOUGHTS if isinstance(text := message.get(key), str) and text), "")
