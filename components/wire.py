"""How an answer's record travels with a Langflow message: in a field that no page shows, beside the text."""

from typing import Any

from pydantic import ValidationError

from pipeline.chat import Answer

KEY = "sitetwin"


def pack(answer: Answer) -> dict[str, Any]:
    """What a message's `session_metadata` gets."""
    return {KEY: answer.model_dump(mode="json")}


def unpack(metadata: object) -> Answer | None:
    """The record in a message's `session_metadata`; None when another node wrote that message."""
    if not isinstance(metadata, dict) or KEY not in metadata:
        return None
    try:
        return Answer.model_validate(metadata[KEY])
    except ValidationError:
        # Written by a flow of an older sitetwin: its text is still an answer.
        return None
