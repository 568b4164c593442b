"""Merges passages of one document that say the same. Pure: records in, ids out."""

from collections.abc import Callable, Iterable
from functools import cache

GRAM = 16
"""Two texts share words, in any language, if they share this many characters in a row."""
SAID = 0.8
"""A passage says nothing of its own if a better one holds at least this share of its text. Passages that overlap by
less, and short texts under different headings, stay apart."""


def merge_siblings(
    ranked: Iterable[str], document: Callable[[str], str], text: Callable[[str], str], count: int
) -> tuple[list[str], dict[str, str]]:
    """The first `count` passages that say something of their own.

    Args:
        ranked: the ids of passages, best first.
        document: returns the document of a passage, by the passage's id.
        text: returns the text of a passage with its headings, by the passage's id.

    Returns:
        The ids, best first; and for each passage that was merged, the better one that says the same.
    """
    kept: list[str] = []
    merged: dict[str, str] = {}
    siblings: dict[str, list[str]] = {}
    grams = cache(lambda id: _grams(text(id)))
    for id in ranked:
        if len(kept) == count:
            break
        others = siblings.setdefault(document(id), [])
        said = next((other for other in others if _share(grams(id), grams(other)) >= SAID), None)
        if said:
            merged[id] = said
        else:
            kept.append(id)
            others.append(id)
    return kept, merged


def _grams(text: str) -> set[str]:
    plain = " ".join(text.casefold().split())
    return {plain[start : start + GRAM] for start in range(max(1, len(plain) - GRAM + 1))}


def _share(own: set[str], other: set[str]) -> float:
    return len(own & other) / len(own)
