"""MyST, the Markdown of Sphinx and Jupyter Book: directives and roles leave their words, code stays code.

https://myst-parser.readthedocs.io/en/latest/syntax/roles-and-directives.html
"""

import re
from dataclasses import dataclass, field

from pipeline.content.formats.rst import read

_FENCE = re.compile(r"([ \t]*)(`{3,}|~{3,}|:{3,})[ \t]*(?:\{([\w:+.-]+)\}[ \t]*(.*))?[ \t]*")
_OPTION = re.compile(r"[ \t]*:[\w-]+:.*")
_ROLE = re.compile(r"\{[\w:+.-]+\}(`+)((?:(?!\n[ \t]*\n)[^`]){1,2000}?)\1(?!`)")
_EXPLICIT = re.compile(r"(.+?)\s*<[^<>]+>", re.DOTALL)
_PLAIN = re.compile(r"[ \t]*(`{3,}|~{3,})[^`]*")
_UNSHOWN = re.compile(r"\([^\s()]+\)=[ \t]*|% .*|\+\+\+.*")
"""A label, a note to the author, the border of a block."""
_CODE = {"code", "code-block", "code-cell", "sourcecode", "parsed-literal", "prompt", "math"}
_DROPPED = {
    "toctree",
    "contents",
    "image",
    "index",
    "include",
    "literalinclude",
    "meta",
    "raw",
    "currentmodule",
    "only",
}
_OWN_TITLE = set(
    "versionadded versionchanged deprecated figure table list-table csv-table epigraph glossary tab-set tabs grid"
    " grid-item grid-item-card card card-carousel div container centered rst-class button-ref button-link".split()
)
"""Directives whose name says nothing to readers."""


@dataclass(slots=True)
class _Open:
    """A directive that is not closed yet."""

    fence: str
    kind: str
    """`text`, `code` (whose lines stay as they are), `rst` or `drop`."""
    indent: str
    closing: str = ""
    """The line that ends it, without its indent."""
    heads: bool = True
    """Whether only options were met so far."""
    lines: list[str] = field(default_factory=list)
    """Of reStructuredText."""


@dataclass(slots=True)
class _Text:
    """What was read so far, in stretches of prose and of code."""

    stretches: list[tuple[bool, list[str]]] = field(default_factory=lambda: [(True, [])])

    def add(self, *lines: str, prose: bool = True) -> None:
        if self.stretches[-1][0] != prose:
            self.stretches.append((prose, []))
        self.stretches[-1][1].extend(lines)

    def __str__(self) -> str:
        joined = ((prose, "\n".join(lines)) for prose, lines in self.stretches if lines)
        return "\n".join(_ROLE.sub(_role, text) if prose else text for prose, text in joined)


def drop_directives(text: str) -> str:
    """`text` without MyST's marks: an admonition's title is bold, a code block an ordinary fence."""
    said = _Text()
    opened: list[_Open] = []
    for line in text.split("\n"):
        mark, inner = _FENCE.fullmatch(line), opened[-1] if opened else None
        if inner and mark and not mark[3] and not mark[4] and mark[2].startswith(inner.fence):
            _close(opened.pop(), said)
        elif inner and inner.kind != "text":
            _take(inner, line, said)
        elif inner and inner.heads and (_OPTION.fullmatch(line) or not line.strip()):
            continue
        elif mark and mark[3]:
            opened.append(_Open(mark[2], _kind(mark[3]), mark[1]))
            _begin(opened[-1], mark[3], (mark[4] or "").strip(), said)
        elif plain := _PLAIN.fullmatch(line):
            opened.append(_Open(plain[1], "code", line[: len(line) - len(line.lstrip())], plain[1], heads=False))
            said.add(line, prose=False)
        else:
            if inner:
                inner.heads = False
            said.add("" if _UNSHOWN.fullmatch(line) else line)
    for left in reversed(opened):
        said.add(*left.lines)
    return str(said)


def _take(block: _Open, line: str, said: _Text) -> None:
    """A line of code, of reStructuredText or of what is dropped."""
    block.heads = block.heads and bool(_OPTION.fullmatch(line))
    if not block.heads and block.kind == "rst":
        block.lines.append(line)
    elif not block.heads and block.kind == "code":
        said.add(line, prose=False)


def _kind(name: str) -> str:
    return "code" if name in _CODE else "rst" if name == "eval-rst" else "drop" if name in _DROPPED else "text"


def _begin(block: _Open, name: str, words: str, said: _Text) -> None:
    if block.kind == "code":
        block.closing = "$$" if name == "math" else block.fence
        said.add(block.indent + ("$$" if name == "math" else f"{block.fence}{words}"), prose=False)
    elif block.kind == "text":
        shown = words if words or name in _OWN_TITLE else name.rpartition(":")[2].replace("-", " ").capitalize()
        said.add("", *([f"{block.indent}**{shown}**", ""] if shown else []))


def _close(block: _Open, said: _Text) -> None:
    if block.kind == "rst":
        said.add("", *read("\n".join(block.lines).encode()).body.split("\n"), "", prose=False)
    elif block.kind == "code":
        said.add(f"{block.indent}{block.closing}", prose=False)
    else:
        said.add("")


def _role(role: re.Match[str]) -> str:
    explicit = _EXPLICIT.fullmatch(role[2])
    if explicit:
        return explicit[1]
    is_prose = re.match(r"\{(?:ref|doc|numref|term|abbr|sub|sup|kbd|guilabel|menuselection|any|eq|cite)", role[0])
    return role[2].lstrip("~!/") if is_prose else f"`{role[2].lstrip('~!')}`"
