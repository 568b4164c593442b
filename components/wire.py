"""Sends an answer's record with a Langflow message, in a field that no page shows."""

from typing import Any

from pydantic import ValidationError

from pipeline.chat import Answer

KEY = "sitetwin"


def pack(answer: Answer) -> dict[str, Any]:
    """The entry with `answer` for a message's `session_metadata`."""
    return {KEY: answer.model_dump(mode="json")}


def unpack(metadata: object) -> Answer | None:
    """The record in a message's `session_metadata`; None if another node wrote the message."""
    if not isinstance(metadata, dict) or KEY not in metadata:
        return None
    try:
        return Answer.model_validate(metadata[KEY])
    except ValidationError:
        # A flow of an older sitetwin wrote it. Its text is still an answer.
        return None
