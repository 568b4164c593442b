"""Passages of one document that say the same, made one. Pure: records in, ids out."""

from collections.abc import Callable, Iterable
from functools import cache

GRAM = 16
"""Characters that two texts must share in a row to count as the same words, in any language."""
SAID = 0.8
"""A passage says nothing of its own when a better one holds this part of it. Windows that overlap by less than that,
and short texts under different headings, stay apart."""


def merge_siblings(
    ranked: Iterable[str], document: Callable[[str], str], text: Callable[[str], str], count: int
) -> tuple[list[str], dict[str, str]]:
    """The first `count` of `ranked` (best first) that say something of their own.

    Args:
        document: the document of a passage, by its id.
        text: what a passage says with its headings, by its id; asked only where a document has several passages.

    Returns: their ids, best first, and of each passage left out on the way the better one that says it.
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
