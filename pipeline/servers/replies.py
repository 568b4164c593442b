"""What servers that speak OpenAI's protocol put into a reply or a chunk of one, as they really do it. Pure."""

from dataclasses import dataclass
from typing import Any

from pipeline.text.thoughts import split_thought

_THOUGHTS = ("reasoning_content", "reasoning", "thinking")
"""Names of the field that holds the thought: DeepSeek's and vLLM's, OpenRouter's and Ollama's, others'."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole reply; `answer` is what stands after the thought."""

    answer: str
    thought: str = ""
    finish: str = ""
    """Why it ended: `stop`, `length`, `content_filter` or another word of the server's."""
    refusal: str = ""
    """The model's words when it refuses by the protocol."""

    @property
    def is_cut_off(self) -> bool:
        return self.finish == "length"


def read_reply(answer: Any) -> Reply | None:
    """A whole reply; None when `answer` holds none."""
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


def read_chunk(chunk: Any) -> tuple[str, str, str]:
    """Thought, text and finish reason of a piece of a streamed reply, each "" where it has none.

    The text may hold an inline thought. Odd chunks (no choices, a null delta) are empty.
    """
    choice = _choice(chunk)
    if choice is None:
        return "", "", ""
    delta = choice.get("delta") or choice.get("message")
    delta = delta if isinstance(delta, dict) else {}
    return _thought(delta), text_of(delta.get("content")), str(choice.get("finish_reason") or "")


def text_of(content: Any) -> str:
    """Content that is a text, or a list of parts of which some are text; parts that hold a thought are left out."""
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
