"""A second, tolerant reading of front matter that YAML refuses: each `key: value` line as its author meant it."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.content.frontmatter import BrokenError, parse_yaml, split_front_matter
from pipeline.errors import ContentError

_KEY = re.compile(r"(\s*)[\"']?(\w[\w .-]*?)[\"']?[ \t]*[:=](?:[ \t]+(.*)|[ \t]*)")
_ITEM = re.compile(r"\s*-[ \t]+(.*)")
_RULE = re.compile(r"(?:---|\+\+\+)[ \t]*")
_WHO_MAY_SEE = re.compile(
    r"draft|privat|hidden|unlisted|visib|status|noindex|publi(?:c|sh(?:ed)?)(?![A-Za-z_])", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    values: dict[str, Any]
    body: str
    fault: str = ""
    """What is wrong with it and what to do; it was read all the same."""
    doubtful: bool = False
    """Whether it could hold a word on who may see the document that was not understood."""


def read_front_matter(text: str) -> FrontMatter:
    """The front matter of `text`, if need be line by line, and of two blocks one below the other both.

    Raises:
        ContentError: the block never ends, is in a language that is not read, or has no `key: value` line.
    """
    try:
        values, body = split_front_matter(text)
        fault, block = "", ""
    except BrokenError as error:
        values, body, fault, block = {}, error.body, str(error), error.block
    second = _second_block(body) if values or block else None
    if second is not None:
        fault = fault or "front matter stands in two blocks: make one of them"
        block = f"{block or _first_block(text, body)}\n{second[0]}"
        body = second[1]
    if not fault:
        return FrontMatter(values, body)
    lines = _Lines()
    for line in block.split("\n"):
        lines.read(line)
    if not lines.values:
        raise ContentError(fault)
    doubtful = lines.is_doubtful(block)
    private = ", and the document is private until then" if doubtful else ""
    return FrontMatter(lines.values, body, f"{fault}; it was read line by line{private}", doubtful)


def _first_block(text: str, body: str) -> str:
    return text[: len(text) - len(body)]


def _second_block(body: str) -> tuple[str, str] | None:
    """A block of `key: value` lines that `body` begins with, between two rules, and the text below it."""
    found = re.match(r"\s*^---[ \t]*\n((?:[^\n]*\n)*?)---[ \t]*(?:\n|\Z)", body, re.MULTILINE)
    lines = found[1].split("\n") if found else []
    if not found or not any(map(_KEY.fullmatch, lines)):
        return None
    is_prose = not found[1].strip() or re.search(r"\n[ \t]*\n", found[1].strip())
    if is_prose and not all(not line.strip() or _KEY.fullmatch(line) or _ITEM.fullmatch(line) for line in lines):
        return None
    return found[1], body[found.end() :]


@dataclass(slots=True)
class _Lines:
    """What was read so far."""

    values: dict[str, Any] = field(default_factory=dict)
    times: Counter[str] = field(default_factory=Counter)
    last: str = ""
    understood: bool = True

    def read(self, line: str) -> None:
        """Takes in one line of the block; a line that is no `key: value` and no item is not understood."""
        if not line.strip() or line.lstrip().startswith("#") or _RULE.fullmatch(line):
            return
        item, entry = _ITEM.fullmatch(line), _KEY.fullmatch(line)
        before = self.values.get(self.last)
        if item and self.last:
            self.values[self.last] = [*(before if isinstance(before, list) else []), _value(item[1])]
        elif entry and not (entry[1] and self.last and before is None):
            self.last = entry[2]
            self.times[self.last] += 1
            self.values[self.last] = _value(entry[3] or "")
        elif line[0].isspace() and self.last:
            # of a text over several lines, or within the key above
            said = "" if before in (None, "|", ">", "|-", ">-") else f"{before} "
            self.values[self.last] = f"{said}{line.strip()}"
        else:
            self.understood = False

    def is_doubtful(self, block: str) -> bool:
        """Whether a word on who may see the note can have been missed in `block`."""
        read = [key for key in self.times if _WHO_MAY_SEE.search(key)]
        named = sum(len(_WHO_MAY_SEE.findall(key)) for key in read)
        is_twice = any(self.times[key] > 1 for key in read)
        return not self.understood or is_twice or named != len(_WHO_MAY_SEE.findall(block))


def _value(text: str) -> Any:
    text = text.strip()
    try:
        return parse_yaml(f"value: {text}").get("value")
    except ContentError:
        return text.strip("\"'")
