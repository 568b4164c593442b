"""From the tokens of one answer to its text: what is thought, what is said, which tools are called, and where it ends.

Import this after `blas.preload()`.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from mlx_lm.generate import TextStateMachine, make_text_state_machine

from pipeline.engine.stopping import Stops

Kind = Literal["content", "reasoning", "tool"]
Finish = Literal["stop", "length", "tool_calls"]
_KINDS: dict[str, Kind] = {"normal": "content", "reasoning": "reasoning", "tool": "tool"}


class Piece(NamedTuple):
    """Text of an answer; of kind `tool` it is one whole call."""

    kind: Kind
    text: str


class Answer:
    """One answer under way.

    Args:
        tokenizer: mlx-lm's, around the model's own.
        thinks: the prompt ends within a thought.
        stops: strings that end what is said; a thought is not searched for them.
        max_tokens: of what is said; those of a thought are bounded apart.
        calls_tools: whether the request offers tools; what looks like a call is text otherwise.
    """

    def __init__(
        self, tokenizer: Any, *, thinks: bool, stops: Sequence[str], max_tokens: int, calls_tools: bool
    ) -> None:
        self._detokenizer = tokenizer.detokenizer
        self._machine = make_text_state_machine(tokenizer).make_state("reasoning" if thinks else "normal")
        self._stops = Stops(stops)
        self._max_tokens = max_tokens
        self._calls_tools = calls_tools
        self._call = ""
        self._is_behind_thought = thinks
        self._has_called = False
        self.is_thinking = thinks
        self.tokens = 0
        """All of them, the one that ends the answer included."""
        self.thought_tokens = 0
        self.finish: Finish | None = None

    def take(self, token: int, ended: Literal["stop", "length"] | None) -> list[Piece]:
        """What is certain after `token`; `finish` says whether it was the last one.

        Args:
            ended: "stop" when this is the token that ends a turn, "length" when the batch ends here.
        """
        self.tokens += 1
        was_thinking = self.is_thinking
        if ended != "stop":
            self._detokenizer.add_token(token)
        pieces = self._split(self._detokenizer.last_segment)
        # The marks of a thought are part of it.
        self.thought_tokens += was_thinking or self.is_thinking
        if ended is None and self.tokens - self.thought_tokens >= self._max_tokens:
            ended = "length"
        if ended:
            self._detokenizer.finalize()
            pieces += self._split(self._detokenizer.last_segment) + self._end(ended)
        return [piece for piece in pieces if piece.text]

    def _split(self, text: str) -> list[Piece]:
        self._machine, segments = TextStateMachine.split(self._machine, text)
        pieces = []
        for state, part in segments:
            self.is_thinking = state == "reasoning"
            pieces += self._sort(_KINDS[state], part)
        return pieces

    def _sort(self, kind: Kind, text: str) -> list[Piece]:
        if kind == "tool" and self._calls_tools:
            self._call += text
            return []
        pieces = self._called() if kind == "content" else []
        if kind == "reasoning":
            self._is_behind_thought = True
            return [Piece(kind, text)]
        if self._is_behind_thought:
            # The empty line between a thought and what is said.
            text = text.lstrip("\n")
            self._is_behind_thought = not text
        pieces.append(Piece("content", self._stops.feed(text)))
        if self._stops.is_found:
            self.finish = "stop"
        return pieces

    def _called(self) -> list[Piece]:
        call, self._call = self._call, ""
        self._has_called |= bool(call)
        return [Piece("tool", call)]

    def _end(self, ended: Literal["stop", "length"]) -> list[Piece]:
        if self.finish:
            return []
        self._machine, held, state = TextStateMachine.flush(self._machine)
        pieces = self._sort(_KINDS[state], held) if ended == "length" and held else []
        # Some models end their turn where the call ends.
        pieces += self._called() if ended == "stop" else []
        if not self.finish:
            pieces.append(Piece("content", self._stops.close()))
            self.finish = "tool_calls" if self._has_called and ended == "stop" else ended
        return pieces
