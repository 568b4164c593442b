"""Masks what is others': names, numbers, addresses and links."""

import functools
import re
from collections.abc import Iterable

from pipeline.dataset.filters import redacted
from pipeline.dataset.voice.said import MASK

_LINK = re.compile(r"(?:https?://|www\.)[^\s<>\"”)]+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w.])@\w[\w.-]*(?:@[\w.-]+)?\w")
_NUMBER = re.compile(r"(?<![\w•])\+?\d(?:[ /.-]?\d){6,}(?!\w)")
"""Seven digits and more: a telephone, an account, an order."""
_MASKS = re.compile(r"•{3,}(?:[ ,]*•{3,})*")


def masked(text: str, others: Iterable[str]) -> str:
    """`text` with links, @names, long numbers, addresses, secrets and the names of `others` masked."""
    text = encodable(text)
    for pattern in (_LINK, _MENTION, *_of_names(frozenset(others))):
        text = pattern.sub(MASK, text)
    text = _NUMBER.sub(MASK, redacted(text))
    return _MASKS.sub(MASK, text)


def encodable(text: str) -> str:
    """`text` with `?` for half a character, which JSON and names of files may hold and UTF-8 can't."""
    return text.encode("utf-8", "replace").decode("utf-8")


@functools.lru_cache(maxsize=100)
def _of_names(others: frozenset[str]) -> tuple[re.Pattern[str], ...]:
    """Patterns of whole names in any case, and of their parts as they are written.

    Kept, because each message of a chat has the same.
    """
    whole = {name.strip() for name in others if len(name.strip()) > 1}
    parts = {part for name in whole for part in re.findall(r"[^\W\d_]{3,}", name) if part[:1].isupper()}
    patterns = []
    if whole:
        patterns.append(re.compile(rf"(?<!\w)(?:{_any(whole)})(?!\w)", re.IGNORECASE))
    if parts:
        patterns.append(re.compile(rf"(?<!\w)(?:{_any(parts)})(?=(?:['’]?s)?(?!\w))"))
    return tuple(patterns)


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
