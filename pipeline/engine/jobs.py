"""One answer that the engine is asked for, from the wait for its turn to its end.

Import this after `blas.preload()`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.engine.answer import Answer, Piece


class TokenProbability(NamedTuple):
    token: int
    logprob: float
    """Natural logarithm of the probability."""
    top: list[tuple[int, float]]
    """The likeliest tokens instead, likeliest first."""


class Read(NamedTuple):
    """A piece of the prompt was read."""

    done: int
    total: int


class Said(NamedTuple):
    """A token was chosen; `pieces` is the text that became certain by it."""

    pieces: list[Piece]
    probability: TokenProbability | None


class Ended(NamedTuple):
    """Nothing more comes. `Answer.finish` says why."""


Event = Read | Said | Ended | Exception
"""An exception ends it too."""


@dataclass(eq=False)
class Job:
    """Args:
    prompt: its tokens, at least one.
    system: how many of them other prompts are likely to begin with.
    max_tokens: of thought and answer together.
    top: the most likely tokens that are reported for each; None: no probabilities at all.
    tell: called from the engine's thread with all that happens, an `Ended` or an exception as the last.
    """

    prompt: list[int]
    system: int
    adapter: str | None
    max_tokens: int
    sampler: Any
    processors: Sequence[Any]
    answer: Answer
    top: int | None
    tell: Callable[[Event], None]
    unread: int = field(init=False)
    """Tokens of the prompt that the batch has still to read; 0 once all of it is read."""
    cached: int = 0
    """Tokens of the prompt that were read for earlier requests."""
    is_over: bool = False
    """Answered, refused, or given up by whoever asked."""

    def __post_init__(self) -> None:
        self.unread = len(self.prompt)

    def give_up(self) -> None:
        """From any thread: whoever asked is gone."""
        self.is_over = True

    def end(self, event: Event) -> None:
        """The last word to whoever asked."""
        self.is_over = True
        self.tell(event)
