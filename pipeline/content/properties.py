"""Obsidian's properties as text: for many notes (a film, a person, a place) they are all that is known."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pipeline.content.frontmatter import fold
from pipeline.content.slugs import plain_text
from pipeline.text.words import content_stems, coverage, stems_with_parts

_TOLD_ELSEWHERE = frozenset(
    "title tags tag slug permalink publish published private draft hidden unlisted visibility status".split()
)
"""What the record of a document holds in a field of its own, or what only decides who may see it."""
_LOOKS = frozenset(["cssclass", "cssclasses", "cover", "image", "banner", "icon", "layout", "position"])
_WIKILINK = re.compile(r"\[\[(?:[^\[\]]*\|)?([^\[\]|]+)\]\]")


_DESCRIPTIONS = ("subtitle", "tagline", "description", "summary", "excerpt", "abstract", "lead")
_CAPTIONS = re.compile(r"(?:alt|alttext|caption)$")
_MOST_VALUES = 1000
"""Of one front matter: YAML's anchors make a few lines to millions of values."""


def property_lines(values: Mapping[str, Any]) -> str:
    """One list item for each property that says something in words, also of one within another; "" for none."""
    told: dict[str, list[str]] = {}
    for path, value in _leaves(values):
        if not {part.lower() for part in path} & (_TOLD_ELSEWHERE | _LOOKS):
            told.setdefault(plain_text(" ".join(path)), []).extend(_words(value))
    return "\n".join(f"- {name}: {', '.join(words)}" for name, words in told.items() if words)


def described(values: Mapping[str, Any], body: str) -> str:
    """What a page's front matter says to its readers and `body` doesn't: its description, other names, captions.

    A description in the body's own words is left out: it finds nothing that the body does not, and is the worse answer.
    """
    held = stems_with_parts(body)
    leaves = [(fold(path[-1]), len(path) == 1, path, value) for path, value in _leaves(values)]
    found = [
        *(
            text
            for name in _DESCRIPTIONS
            for key, top, _, value in leaves
            if top and key == name
            for text in _words(value)
        ),
        *(text for key, _, _, value in leaves if _CAPTIONS.search(key) for text in _words(value)),
    ]
    names = [
        text for key, top, _, value in leaves if top and key == "aliases" for text in _words(value) if "/" not in text
    ]
    paragraphs = [text for text in dict.fromkeys(found) if coverage(set(content_stems(text)), held) < 1]
    return "\n\n".join([*paragraphs, *([", ".join(names)] if names else [])])


def _leaves(values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every value that is neither list nor mapping, in order, with the keys that lead to it."""
    waiting: list[tuple[tuple[str, ...], object]] = [
        ((str(key),), value) for key, value in reversed(list(values.items()))
    ]
    for _ in range(_MOST_VALUES):
        if not waiting:
            return
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [((*path, str(key)), inner) for key, inner in reversed(list(value.items()))]
        elif isinstance(value, list):
            waiting += [(path, inner) for inner in reversed(value)]
        else:
            yield path, value


def _words(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield "yes" if value else "no"
    elif isinstance(value, datetime):
        yield value.isoformat(sep=" ", timespec="minutes")
    elif isinstance(value, int | float | date):
        yield str(value)
    elif isinstance(value, str):
        text = plain_text(_WIKILINK.sub(r"\1", value)).strip()
        if text and not re.fullmatch(r"https?://\S+", text):
            yield text
