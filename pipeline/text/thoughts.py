"""Splits the reply of a thinking model into its thought and its answer. Pure; works on a stream piece by piece."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

MARKS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<longcat_think>": "</longcat_think>",
    "<seed:think>": "</seed:think>",
    "<|think:start|>": "<|think:end|>",
    "<|open|>think<|sep|>": "<|close|>think<|sep|>",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|channel>thought": "<channel|>",
    "<|channel|>analysis<|message|>": "<|channel|>final<|message|>",
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
}
"""The mark that opens a thought and the one that closes it, in lower case: Qwen, DeepSeek, Gemma, gpt-oss and others."""


class ThoughtPart(NamedTuple):
    """The text that has just become certain; either field may be empty."""

    thought: str
    answer: str


class ThoughtSplitter:
    """Separates thought from answer in a reply that comes in pieces, wherever the pieces are cut.

    A thought stands before the answer. A mark within the answer is text, as in an answer about such marks.

    Args:
        opened: the prompt has opened the thought, so the reply begins within it.
        unsure: the prompt may have opened it. Everything is held back until a mark closes the thought or the reply ends.
            A mark whose opening mark stands before it is text.
    """

    def __init__(self, *, opened: bool = False, unsure: bool = False) -> None:
        self._held = ""
        self._closers: tuple[str, ...] = tuple(MARKS.values()) if opened else ()
        self._unsure = unsure and not opened
        self._is_answer = False
        self._line = "\n"
        self.thought = ""
        """The whole thought so far."""
        self.lacks_opener = False
        """Whether the reply began within a thought, as a closing mark without an opening one shows."""

    def feed(self, piece: str) -> ThoughtPart:
        """The text that is certain once `piece` has come."""
        self._held += piece
        before, answer = len(self.thought), ""
        while self._held and not self._is_answer and self._step():
            pass
        if self._is_answer:
            answer, self._held = self._held, ""
            self._watch(answer)
        return ThoughtPart(self.thought[before:], answer)

    def close(self, *, in_thought: bool = False) -> ThoughtPart:
        """The text that was held back; call it at the end of the reply.

        Args:
            in_thought: whether a reply that may have begun within a thought has ended within it.
        """
        held, self._held = self._held, ""
        self.lacks_opener |= in_thought and self._unsure
        if self._closers or (in_thought and self._unsure):
            self.thought += held
            return ThoughtPart(held, "")
        return ThoughtPart("", held.lstrip() if self.thought else held)

    def _step(self) -> bool:
        """Reads the held text once; True if the state has changed, so that the rest must be read again."""
        if self._closers:
            return self._think()
        begin = self._held.lstrip()
        small = begin.lower()
        if opener := next((mark for mark in MARKS if small.startswith(mark)), None):
            self._held, self._closers, self._unsure = begin[len(opener) :], (MARKS[opener],), False
            return True
        if not begin or any(mark.startswith(small) for mark in MARKS):
            return False
        if self._unsure:
            return self._search()
        if self.thought:
            self._held = begin  # the empty line between thought and answer
        self._is_answer = True
        return True

    def _think(self) -> bool:
        small = self._held.lower()
        at, closer = _first(small, self._closers)
        if closer:
            self.thought += self._held[:at]
            self._held, self._closers = self._held[at + len(closer) :], ()
            return True
        certain = len(small) - max(_overlap(small, closer) for closer in self._closers)
        self.thought += self._held[:certain]
        self._held = self._held[certain:]
        return False

    def _search(self) -> bool:
        """Looks for a closing mark in a reply that may have begun within a thought; whether there is one."""
        small = self._held.lower()
        at, closer = _first(
            small, tuple(closer for opener, closer in MARKS.items() if not _opens(opener, small, closer))
        )
        if closer:
            self.thought += self._held[:at]
            self._held, self._unsure, self.lacks_opener = self._held[at + len(closer) :], False, True
        return bool(closer)

    def _watch(self, answer: str) -> None:
        self._line = (self._line + answer).lower()
        self.lacks_opener |= any(f"\n{closer}" in self._line for closer in MARKS.values())
        self._line = self._line[self._line.rfind("\n") :][:80] if "\n" in self._line else ""


def split_thought(reply: str, *, opened: bool = False) -> ThoughtPart:
    """Splits a whole `reply`. A closing mark at the begin of a line ends a thought that has no opening mark.

    Args:
        opened: as for `ThoughtSplitter`.
    """
    splitter = ThoughtSplitter(opened=opened)
    first, last = splitter.feed(reply), splitter.close()
    if opened or not splitter.lacks_opener:
        return ThoughtPart(splitter.thought, first.answer + last.answer)
    return split_thought(reply, opened=True)


def answers(pieces: Iterable[str], *, opened: bool = False) -> Iterator[str]:
    """The answer of a streamed reply, piece by piece, without the thought.

    Args:
        pieces: the reply as it comes.
        opened: as for `ThoughtSplitter`.
    """
    splitter = ThoughtSplitter(opened=opened)
    for piece in pieces:
        if text := splitter.feed(piece).answer:
            yield text
    if text := splitter.close().answer:
        yield text


def _first(text: str, marks: tuple[str, ...]) -> tuple[int, str]:
    """The index of the first of `marks` in `text`, and that mark; (-1, "") if there is none."""
    found = [(at, mark) for mark in marks if (at := text.find(mark)) >= 0]
    return min(found, default=(-1, ""))


def _opens(opener: str, text: str, closer: str) -> bool:
    """Whether `opener` stands before the first `closer` in `text`."""
    return -1 < text.find(opener) < text.find(closer)


def _overlap(text: str, mark: str) -> int:
    """The number of characters at the end of `text` that may begin `mark`."""
    return next((n for n in range(min(len(mark) - 1, len(text)), 0, -1) if text.endswith(mark[:n])), 0)
