"""Obsidian's properties as text: for many notes (a film, a person, a place) they are all that is known."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from pipeline.content.slugs import plain_text

_TOLD_ELSEWHERE = frozenset(
    "title tags tag slug permalink publish published private draft hidden unlisted visibility status".split()
)
"""What the record of a document holds in a field of its own, or what only decides who may see it."""
_LOOKS = frozenset(["cssclass", "cssclasses", "cover", "image", "banner", "icon", "layout", "position"])
_WIKILINK = re.compile(r"\[\[(?:[^\[\]]*\|)?([^\[\]|]+)\]\]")


def property_lines(values: Mapping[str, Any]) -> str:
    """One list item for each property that says something in words; "" for none."""
    lines = []
    for key, value in values.items():
        words = [text for item in (value if isinstance(value, list) else [value]) for text in _words(item)]
        if words and str(key).lower() not in _TOLD_ELSEWHERE | _LOOKS:
            lines.append(f"- {plain_text(str(key))}: {', '.join(words)}")
    return "\n".join(lines)


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
