"""What goes into a chat and what comes out; `Answer` is also the JSON of `ask`."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from pydantic import BaseModel

from pipeline.settings import Mode, Visibility


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
    """The passage's own words that the answer rests on."""
    visibility: Visibility = "public"


class Timings(BaseModel):
    retrieve_ms: float = 0.0
    first_token_ms: float = 0.0
    """From the question to the first piece of the answer."""
    total_ms: float = 0.0


class Answer(BaseModel):
    question: str
    mode: Mode
    answer: str
    citations: list[Citation]
    refused: bool
    form: Literal["written", "quoted", "refused"] = "written"
    """The model's own words, sentences of the passages, or neither."""
    why_not: str = ""
    """Why the model's own words were left out or end early; "" when nothing was."""
    rewritten: str = ""
    """The question as a model rewrote it to stand alone, with `chat.rewrite`; "" if none did."""
    not_rewritten: str = ""
    """Why the model's rewriting was left and the rules were used; "" if it wasn't."""
    unsupported: list[str] = []
    """Names, numbers and links of the model's words that no passage holds; `chat.unsupported` says what became of them."""
    answerability: float | None = None
    """How likely the passages answer, 0 to 1, comparable within one collection; None in a mode without passages."""
    model: str
    adapter: str | None = None
    timings: Timings = Timings()


Generate = Callable[[list[dict[str, str]]], Iterator[str]]
"""Chat messages (role, content) to the pieces of the model's reply, as they come."""

Similarity = Callable[[str, Sequence[str]], Sequence[float]]
"""A question and texts to the cosine of each text with the question, -1 to 1."""


class ChatModel(Protocol):
    """A model that answers, such as `pipeline.servers.client.EngineClient`."""

    def generate(self, messages: list[dict[str, str]], *, max_tokens: int, temperature: float) -> Iterator[str]:
        """The pieces of the reply, as they come.

        Raises:
            ModelError: the model can't be had.
        """
        ...
