"""Two drafts side by side: answers to one question, or to near questions about one passage, for the owner to choose from."""

import functools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from itertools import combinations

from pipeline.dataset.review import Item
from pipeline.text.detecting import main_language
from pipeline.text.words import content_stems, words

NOT_SHOWN = frozenset({"split", "relevance", "privacy"})
"""Stages whose pairs are no draft: a choice about them trains nothing, or nobody should see their answers again."""
NEAR = 0.5
"""The least share that two questions have in common of their words with a meaning of their own (Jaccard index)."""


def drafts(items: Iterable[Item], chosen: Collection[frozenset[str]]) -> list[tuple[Item, Item]]:
    """Each two items of which the owner may choose the better answer, the questions most alike first.

    Both rest on one chunk, are of one kind, and have not the same answer. Pairs that the owner rejected are left out.

    Args:
        items: with their decisions.
        chosen: ids of each two pairs that the owner has compared already.
    """
    by_place: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in items:
        if _is_draft(item):
            for chunk in item.pair.chunks:
                by_place[item.pair.kind, chunk].append(item)
    found = {
        frozenset((one.id, other.id)): (likeness, one, other)
        for place in by_place.values()
        for likeness, one, other in _near(place)
    }
    ranked = sorted(
        (two for ids, two in found.items() if ids not in chosen), key=lambda two: (-two[0], two[1].id, two[2].id)
    )
    return [(one, other) for _, one, other in ranked]


def _is_draft(item: Item) -> bool:
    refused = item.rejection is not None and item.rejection.stage in NOT_SHOWN
    return not refused and not (item.decision and item.decision.action == "reject")


def _near(place: list[Item]) -> Iterator[tuple[float, Item, Item]]:
    for one, other in combinations(place, 2):
        # What is trained on must not be compared with what is tested.
        apart = one.split is not None and other.split is not None and one.split != other.split
        if apart or words(one.answer) == words(other.answer):
            continue
        likeness = _likeness(one.question, other.question)
        if likeness >= NEAR:
            yield likeness, one, other


def _likeness(question: str, other: str) -> float:
    """The Jaccard index of what the two questions are about, 0 to 1; 1 for the same words."""
    if words(question) == words(other):
        return 1.0
    a, b = _subject(question), _subject(other)
    return len(a & b) / len(a | b) if a | b else 0.0


@functools.lru_cache(maxsize=20_000)
def _subject(question: str) -> frozenset[str]:
    """The stems of the question's content words. Kept, because each look at the list asks for them."""
    return frozenset(content_stems(question, main_language(question) or "en"))
