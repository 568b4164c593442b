"""Glob patterns of the settings, read generously: they decide what stays private."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache


def first_match(path: str, patterns: Iterable[str]) -> str | None:
    """The first of `patterns` that holds for `path` (with slashes, relative to the source), if any.

    `*` and `?` stay inside one segment, `**` crosses them, `{a,b}` are alternatives, `[ab]` is a class or those very
    characters. A pattern without a slash holds at any depth; one that names a folder holds for all below it. Case and
    the way an accent is encoded make no difference, as on a Mac's disk.
    """
    path = unicodedata.normalize("NFC", path)
    return next((pattern for pattern in patterns if _compile(pattern).fullmatch(path)), None)


@lru_cache(maxsize=1024)
def _compile(pattern: str) -> re.Pattern[str]:
    text = unicodedata.normalize("NFC", pattern.strip())
    anchored = "/" in text.rstrip("/")
    text = text.removeprefix("./").strip("/")
    alternatives = "|".join(map(_translate, _expand(text)))
    return re.compile(f"{'' if anchored else '(?:.*/)?'}(?:{alternatives})(?:/.*)?", re.IGNORECASE | re.DOTALL)


def _expand(pattern: str) -> list[str]:
    """Every pattern that `{a,b}` stands for."""
    found = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if not found:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    return [whole for part in found[1].split(",") for whole in _expand(before + part.strip() + after)]


_PARTS = re.compile(
    r"(?P<folders>\*\*/)|(?P<all>\*\*)|(?P<name>\*)|(?P<one>\?)|(?P<set>\[[^\]/]+\])|(?P<other>.)", re.DOTALL
)
_REGEX = {"folders": "(?:.*/)?", "all": ".*", "name": "[^/]*", "one": "[^/]"}


def _translate(pattern: str) -> str:
    return "".join(_part(str(part.lastgroup), part[0]) for part in _PARTS.finditer(pattern))


def _part(group: str, text: str) -> str:
    if group == "set":
        inside = re.escape(text[1:-1].removeprefix("!")).replace(r"\-", "-")
        characters = f"[{'^/' if text[1] == '!' else ''}{inside}]"
        return f"(?:{characters}|{re.escape(text)})"
    return _REGEX.get(group) or re.escape(text)
