"""A question to a cited answer."""

from collections.abc import Callable, Iterator
from typing import Literal

from pydantic import BaseModel

from pipeline.settings import Mode


class Turn(BaseModel):
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


class Citation(BaseModel):
    """A passage that the answer names as [n]."""

    n: int
    document: str
    title: str
    url: str
    heading: str
    quote: str


class Timings(BaseModel):
    retrieve_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0


class Answer(BaseModel):
    question: str
    mode: Mode
    answer: str
    citations: list[Citation]
    refused: bool
    model: str
    adapter: str | None = None
    timings: Timings


Generate = Callable[[list[dict[str, str]]], Iterator[str]]
"""Chat messages (role, content) to the pieces of the model's reply, as they come."""
