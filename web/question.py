"""What a visitor asks."""

from typing import Annotated
from uuid import uuid4

from pydantic import BaseModel, Field, StringConstraints

from flows.conversations import VISITOR
from pipeline.chat import Turn

_UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"


class VisitorQuestion(BaseModel):
    """The fields that a visitor may send; others are ignored."""

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    session: Annotated[str, StringConstraints(pattern=_UUID4)] = Field(default_factory=lambda: str(uuid4()))
    history: list[Turn] = Field(default_factory=list)

    @property
    def conversation(self) -> str:
        """The name of the conversation where its turns are kept."""
        return f"{VISITOR}{self.session}"
