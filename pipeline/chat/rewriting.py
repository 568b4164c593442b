"""A model rewrites a later turn of a conversation as a question that stands alone."""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.chat.records import Generate, Turn
from pipeline.errors import SitetwinError
from pipeline.text.inert import inert
from pipeline.text.words import content_stems

_log = logging.getLogger(__name__)

FAILED = "the model failed, as the log tells"
"""Visitors read this; the error itself may name a server."""
PROMPT = "Rewrite the last message as one question that stands alone, in its language. Do not answer it."
SHOWN_CHARS = 300
"""So much of each earlier message is shown: the first words of an answer say what it is about."""
LONGEST = 3
"""A rewriting may be so many times as long as the last question and the one before it together."""
_LABEL = re.compile(r"^\W*(?:rewritten |standalone |new )?(?:question|message|query)\W*:\s*", re.IGNORECASE)
_QUOTES = "\"'“”„«»`* "


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What a model made of a question."""

    question: str = ""
    """The question that stands alone; "" if the model's can't be used."""
    why_not: str = ""
    """Why it can't be used."""


NOT_REWRITTEN = Rewriting()


def rewritten(question: str, history: Sequence[Turn], generate: Generate) -> Rewriting:
    """Asks the model for the last question as it stands alone. A failure is logged and told in the record, never raised.

    Args:
        history: the turns before it, oldest first; at least one is the visitor's.
        generate: asks the model for a short reply. It is stopped as soon as the reply is too long.
    """
    *_, before = [turn.content for turn in history if turn.role == "user"]
    most = LONGEST * (len(before) + len(question))
    said = ""
    try:
        pieces = generate(_messages(question, history))
        for piece in pieces:
            said += piece
            if len(said) > most or "\n" in said.strip():
                break
        if close := getattr(pieces, "close", None):
            close()
    except SitetwinError as error:
        _log.warning("the question was not rewritten: %s", error)
        return Rewriting(why_not=FAILED)
    line = next(iter(said.strip().splitlines()), "")
    found = _LABEL.sub("", line).strip(_QUOTES)
    return Rewriting(found) if not (fault := _fault(found, question, history, most)) else Rewriting(why_not=fault)


def _fault(found: str, question: str, history: Sequence[Turn], most: int) -> str:
    if not found:
        return "the model's rewriting is empty"
    if len(found) > most:
        return f"the model's rewriting is longer than {LONGEST} times the question and the one before it"
    told = " ".join([question, *(turn.content for turn in history)])
    if not set(content_stems(found)) & set(content_stems(told)):
        return f"the model's rewriting shares no word with the conversation: {found}"
    return ""


def _messages(question: str, history: Sequence[Turn]) -> list[dict[str, str]]:
    """One message, so that the conversation is material and not a conversation with the model."""
    speaker = {"user": "Visitor", "assistant": "Answer"}
    lines = [f"{speaker[turn.role]}: {_line(turn.content)}" for turn in history]
    talk = "\n".join([*lines, f"Last message: {_line(question)}"])
    return [{"role": "user", "content": f"<conversation>\n{talk}\n</conversation>\n\n{PROMPT}"}]


def _line(text: str) -> str:
    return " ".join(inert(text, ("conversation",)).split())[:SHOWN_CHARS]
