"""Where the lines of a component's content stand once its tags are gone."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate

_BEGINNING = re.compile(r"[ \t]*(?:(?:[-*+>]|\d{1,9}[.)])[ \t]+)*")


@dataclass(slots=True)
class _Open:
    """A tag that is not closed yet."""

    name: str
    column: int | None
    """Where it stands in its line; None when words stand before it, so that it moves nothing."""
    first: int
    """The first line below it."""
    title: int | None
    """The line of the words that the tag itself shows."""
    least: int | None = None
    """The least indent of the lines in it so far."""


class Layout:
    """Text without its tags, line by line. What a tag encloses is indented as the tag was, whatever its own indent."""

    def __init__(self) -> None:
        self._lines = [""]
        self._pieces: list[str] = []
        """Of the last line, joined when it ends."""
        self._before: str | None = ""
        """The last line so far, while it is white space and marks of lists and quotes."""
        self._open: list[_Open] = []
        self._names: Counter[str] = Counter()
        self._shifts: list[tuple[int, int, int]] = []
        """From which line to which, exclusive, and how many characters to the left."""
        self._titles: list[tuple[int, int]] = []
        """Lines of titles, and their indent where it is less than the tag's."""

    def add(self, text: str) -> None:
        """Takes in more text; its line ends end lines."""
        first, *rest = text.split("\n")
        self._continue(first)
        for line in rest:
            self._end_line()
            self._continue(line)

    def open(self, name: str, words: str, space: str, *, closed: bool) -> None:
        """A tag begins that shows `words` and is set off by `space`; `closed`: it encloses nothing."""
        column = None if self._before is None else len(self._before)
        title = len(self._lines) - 1 if words and column is not None else None
        self.add(space + words if column is None else words + "\n\n" + " " * column if words else "")
        if not closed:
            self._names[name] += 1
            self._open.append(_Open(name, column, len(self._lines), title))

    def close(self, name: str) -> None:
        """The innermost open tag of this name ends, and those in it."""
        while self._names[name]:
            tag = self._open.pop()
            self._names[tag.name] -= 1
            self._leave(tag)
            if tag.name == name:
                break

    def text(self) -> str:
        """All of it."""
        for tag in reversed(self._open):
            self._leave(tag)
        self._end_line()
        lines = self._lines[:-1]
        changes = Counter[int]()
        for start, end, shift in self._shifts:
            changes[start] += shift
            changes[end] -= shift
        for line, indent in self._titles:
            lines[line] = " " * indent + lines[line].lstrip()
        shifts = accumulate(changes[number] for number in range(len(lines)))
        return "\n".join(_moved(line, shift) for line, shift in zip(lines, shifts, strict=True))

    def _continue(self, text: str) -> None:
        self._pieces.append(text)
        if self._before is not None:
            self._before = self._before + text if _BEGINNING.fullmatch(self._before + text) else None

    def _end_line(self) -> None:
        line = "".join(self._pieces)
        self._lines[-1] = line
        if self._open and line.strip():
            self._lower(self._open[-1], len(line) - len(line.lstrip()), len(self._lines) - 1)
        self._lines.append("")
        self._pieces, self._before = [], ""

    def _lower(self, tag: _Open, indent: int, line: int) -> None:
        if line >= tag.first and (tag.least is None or indent < tag.least):
            tag.least = indent

    def _leave(self, tag: _Open) -> None:
        end = len(self._lines) - (self._before is not None)
        if tag.column is not None and tag.least is not None:
            if tag.least > tag.column:
                self._shifts.append((tag.first, end, tag.least - tag.column))
            elif tag.title is not None:
                self._titles.append((tag.title, tag.least))
        if self._open and tag.least is not None:
            parent = self._open[-1]
            parent.least = tag.least if parent.least is None else min(parent.least, tag.least)


def _moved(line: str, shift: int) -> str:
    return line[min(shift, len(line) - len(line.lstrip())) :] if shift else line
