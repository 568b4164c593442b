"""Turns the tokens of one answer into text: what is thought, what is said, which tools are called, and where it ends.

Import this after `blas.preload()`.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from mlx_lm.generate import TextStateMachine, make_text_state_machine

from pipeline.engine.stopping import Stops

Kind = Literal["content", "reasoning", "tool"]
Finish = Literal["stop", "length", "tool_calls"]
_KINDS: dict[str, Kind] = {"normal": "content", "reasoning": "reasoning", "tool": "tool"}


class CompletionPiece(NamedTuple):
    """A piece of an answer's text. A piece of kind `tool` is one whole call."""

    kind: Kind
    text: str


class Completion:
    """One answer while it is generated.

    Args:
        tokenizer: mlx-lm's wrapper around the model's own tokenizer.
        thinks: whether the prompt ends within a thought.
        stops: strings that end the text that is said. They are not looked for in a thought.
        max_tokens: the most tokens that are said. A thought has its own bound.
        calls_tools: whether the request offers tools. If it does not, text that looks like a call stays text.
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
        """All tokens so far, including the one that ends the answer."""
        self.thought_tokens = 0
        """The tokens of the thought, including its marks."""
        self.finish: Finish | None = None
        """Why the answer ended; None while it goes on."""

    def take(self, token: int, ended: Literal["stop", "length"] | None) -> list[CompletionPiece]:
        """The text that is certain after `token`. `finish` is set if it was the last one.

        Args:
            token: the next token.
            ended: "stop" if this token ends the turn, "length" if the batch ends here; None: the answer goes on.
        """
        self.tokens += 1
        was_thinking = self.is_thinking
        if ended != "stop":
            self._detokenizer.add_token(token)
        pieces = self._split(self._detokenizer.last_segment)
        # The marks of a thought count as thought.
        self.thought_tokens += was_thinking or self.is_thinking
        if ended is None and self.tokens - self.thought_tokens >= self._max_tokens:
            ended = "length"
        if ended:
            self._detokenizer.finalize()
            pieces += self._split(self._detokenizer.last_segment) + self._end(ended)
        return [piece for piece in pieces if piece.text]

    def _split(self, text: str) -> list[CompletionPiece]:
        self._machine, segments = TextStateMachine.split(self._machine, text)
        pieces = []
        for state, part in segments:
            self.is_thinking = state == "reasoning"
            pieces += self._sort(_KINDS[state], part)
        return pieces

    def _sort(self, kind: Kind, text: str) -> list[CompletionPiece]:
        if kind == "tool" and self._calls_tools:
            self._call += text
            return []
        pieces = self._called() if kind == "content" else []
        if kind == "reasoning":
            self._is_behind_thought = True
            return [CompletionPiece(kind, text)]
        if self._is_behind_thought:
            # An empty line stands between the thought and the answer.
            text = text.lstrip("\n")
            self._is_behind_thought = not text
        pieces.append(CompletionPiece("content", self._stops.feed(text)))
        if self._stops.is_found:
            self.finish = "stop"
        return pieces

    def _called(self) -> list[CompletionPiece]:
        call, self._call = self._call, ""
        self._has_called |= bool(call)
        return [CompletionPiece("tool", call)]

    def _end(self, ended: Literal["stop", "length"]) -> list[CompletionPiece]:
        if self.finish:
            return []
        self._machine, held, state = TextStateMachine.flush(self._machine)
        pieces = self._sort(_KINDS[state], held) if ended == "length" and held else []
        # Some models end their turn together with the call.
        pieces += self._called() if ended == "stop" else []
        if not self.finish:
            pieces.append(CompletionPiece("content", self._stops.close()))
            self.finish = "tool_calls" if self._has_called and ended == "stop" else ended
        return pieces
