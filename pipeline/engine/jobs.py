"""One answer that the engine is asked for, from its wait for a turn to its end.

Import this after `blas.preload()`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pipeline.engine.answer import Completion, CompletionPiece


class TokenProbability(NamedTuple):
    """The log-probability of one chosen token, and of the likeliest tokens in its place."""

    token: int
    logprob: float
    """The natural logarithm of its probability."""
    top: list[tuple[int, float]]
    """The likeliest tokens in that place with their logarithms, likeliest first."""


class Read(NamedTuple):
    """A piece of the prompt was read: `done` of `total` tokens so far."""

    done: int
    total: int


class Said(NamedTuple):
    """A token was chosen; `pieces` is the text that became certain by it."""

    pieces: list[CompletionPiece]
    probability: TokenProbability | None


class Ended(NamedTuple):
    """Nothing more comes. `Answer.finish` gives the reason."""


Event = Read | Said | Ended | Exception
"""An exception also ends an answer."""


@dataclass(eq=False)
class EngineJob:
    """One answer that the loop is to give.

    Args:
        prompt: the prompt's tokens, at least one.
        system: how many of them other prompts probably begin with.
        adapter: the adapter to answer with; None: the base.
        max_tokens: the most tokens of thought and answer together.
        sampler: chooses a token from log-probabilities (rows, words).
        processors: mlx-lm's logits processors.
        answer: turns the tokens into text.
        top: how many likely tokens to report with each token; None: report no probabilities.
        tell: is called from the engine's thread at each event. An `Ended` or an exception comes last.
    """

    prompt: list[int]
    system: int
    adapter: str | None
    max_tokens: int
    sampler: Any
    processors: Sequence[Any]
    answer: Completion
    top: int | None
    tell: Callable[[Event], None]
    unread: int = field(init=False)
    """The tokens of the prompt that the batch has not read yet."""
    cached: int = 0
    """The tokens of the prompt that were read for earlier requests."""
    is_over: bool = False
    """Whether it is answered, refused, or given up by the client."""

    def __post_init__(self) -> None:
        self.unread = len(self.prompt)

    def give_up(self) -> None:
        """Marks the job as over, because the client is gone. Any thread may call it."""
        self.is_over = True

    def end(self, event: Event) -> None:
        """Marks the job as over and tells the client `event` as the last one."""
        self.is_over = True
        self.tell(event)
