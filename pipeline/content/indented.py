"""Blocks of Markdown's dialects whose text stands indented below a line of their own: their marks and the indent go.

Admonitions and tabs of Python-Markdown (`!!! note "Title"`, `??? tip`, `=== "Linux"`), and, of Markdown Extra and all that
follow it, footnotes (`[^1]: text`) and definitions (`:   text`). To plain Markdown what is indented below them is code.
"""

import re
from dataclasses import dataclass, field

_MARK = re.compile(
    r"(?:(?P<kind>!!!|\?\?\?\+?|===[!+]?)[ \t]+(?P<call>.+?)|\[\^(?P<label>[^\[\]\s]+)\]:[ \t]*(?P<note>.*)"
    r"|:[ \t]{1,8}(?P<meaning>\S.*?))[ \t]*"
)
_CALL = re.compile(r"(?P<type>[\w-]+(?:[ \t]+[\w-]+)*)?[ \t]*(?:\"(?P<title>.*)\"|'(?P<single>.*)')?")
_FENCE = re.compile(r"(?:[-*+>]|\d+[.)])?[ \t]*(`{3,}|~{3,})([^`\n]*)")
_ITEM = re.compile(r"(?:[-*+]|\d+[.)])[ \t]")
_NO_TERM = ("#", "|", ">", "`" * 3, "~" * 3)
_WIDTH = 4


@dataclass(slots=True)
class _DrawnOut:
    lines: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    """Of the footnotes whose text was met."""
    _depths: list[int] = field(default_factory=list)
    """How many blocks each line stands in."""
    _opened: list[int] = field(default_factory=list)
    """The columns of the blocks around the next line, outermost first."""
    _fence: str = ""
    _in_list: bool = False

    def read(self, line: str) -> None:
        """Takes in the next line."""
        column = len(line) - len(line.lstrip(" "))
        while self._opened and line.strip() and line[0] != "\t" and column < self._opened[-1] + _WIDTH:
            self._opened.pop()
            self._fence = ""
        for _ in self._opened:
            line = line[1:] if line[:1] == "\t" else line.removeprefix(" " * _WIDTH)
        inner = line.lstrip(" \t")
        fence = _FENCE.fullmatch(inner)
        if self._fence:
            is_end = fence and fence[1].startswith(self._fence) and not fence[2].strip()
            self._fence = "" if is_end else self._fence
        elif fence:
            self._fence = fence[1]
        else:
            is_code = len(line) - len(inner) >= _WIDTH and not self._in_list
            mark = None if is_code else _MARK.fullmatch(inner)
            if mark and self._begins(mark, line[: len(line) - len(inner)]):
                self._opened.append(column)
                if first := mark["note"] or mark["meaning"]:
                    self.read(" " * (column + _WIDTH) + first)  # it may be a block's own line too
                return
            if inner and not line[0].isspace():
                self._in_list = bool(_ITEM.match(line))
        self._add(line)

    def _begins(self, mark: re.Match[str], indent: str) -> bool:
        """Writes what stands for the line of `mark`, if it begins a block."""
        if mark["kind"]:
            title = _title(mark["kind"], mark["call"])
            if title is None:
                return False
            self._add(f"{indent}{title}" if title else "")
            self._add("")
        elif mark["label"]:
            self.labels.add(mark["label"])
            self._add("")
        else:
            place = len(self.lines) - (2 if self.lines and not self.lines[-1].strip() else 1)
            term = self.lines[place].strip() if place >= 0 else ""
            if not term or term.startswith(_NO_TERM):
                return False
            if self._depths[place] == len(self._opened):
                self.lines[place:] = [self.lines[place] + ("" if term[-1] in ":.?!" else ":")]
                del self._depths[place + 1 :]
            else:  # another meaning of the same term
                self._add("")
        return True

    def _add(self, line: str) -> None:
        self.lines.append(line)
        self._depths.append(len(self._opened))


def draw_out(text: str) -> tuple[str, frozenset[str]]:
    """`text` with the words of such blocks at the margin of their line, and the labels of its footnotes.

    An admonition's and a tab's title is bold, a footnote is a paragraph, a definition stands below `its term:`.
    """
    drawn = _DrawnOut()
    for line in text.split("\n"):
        drawn.read(line)
    return "\n".join(drawn.lines), frozenset(drawn.labels)


def drop_references(text: str, labels: frozenset[str]) -> str:
    """`text`, Markdown whose code is masked, without the marks such as `[^1]` that lead to the footnotes `labels`."""
    return re.sub(r"\[\^([^\[\]\s]+)\]", lambda mark: "" if mark[1] in labels else mark[0], text) if labels else text


def _title(kind: str, call: str) -> str | None:
    """The bold title that `!!! note "Title"` shows, "" for none; None where the line is no such mark."""
    found = _CALL.fullmatch(call)
    if not found or (kind.startswith("=") and (found["type"] or call[0] not in "\"'")):
        return None
    own = found["title"] if found["title"] is not None else found["single"]
    shown = found["type"].split()[0].capitalize() if own is None else own.strip()
    return f"**{shown}**" if shown else ""
