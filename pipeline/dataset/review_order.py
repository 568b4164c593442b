"""Which pairs the owner sees first: those of which the decisions so far tell least.

A logistic regression learns from the owner's decisions how likely the owner is to accept a pair. The next pairs are those
with a chance near one half (uncertainty sampling; Lewis and Gale, "A Sequential Algorithm for Training Text Classifiers",
1994).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pipeline.dataset.records import Pair
from pipeline.dataset.review import Item
from pipeline.text.words import words

LEAST_DECISIONS = 20
"""Fewer than this teach nothing that can be relied on."""
LEAST_OF_EACH = 5
"""Least number of accepted and of rejected pairs among them."""
_COLUMNS = 2**14
"""Columns that the features are hashed into; a few thousand words seldom share one."""


def learnable(items: Iterable[Item]) -> list[Item]:
    """The items that the owner accepted or rejected; [] if they are too few or too much of one kind.

    An edited pair says neither: the owner wanted it, but not as it was.
    """
    said = [item for item in items if item.decision and item.decision.action in {"accept", "reject"}]
    accepted = sum(map(_is_accepted, said))
    enough = len(said) >= LEAST_DECISIONS and min(accepted, len(said) - accepted) >= LEAST_OF_EACH
    return said if enough else []


def chances(items: Sequence[Item]) -> dict[str, float]:
    """For each item's id the chance, 0 to 1, that the owner accepts the pair; {} as long as the decisions are too few."""
    said = learnable(items)
    if not said:
        return {}
    # Slow to import, and only needed once there are enough decisions.
    from sklearn.feature_extraction import FeatureHasher
    from sklearn.linear_model import LogisticRegression

    hasher = FeatureHasher(_COLUMNS)
    model = LogisticRegression(max_iter=1000)
    model.fit(hasher.transform(map(_features, said)), list(map(_is_accepted, said)))
    found = model.predict_proba(hasher.transform(map(_features, items)))[:, 1]
    return {item.id: float(chance) for item, chance in zip(items, found, strict=True)}


def rated(items: Iterable[Item], chance: Mapping[str, float]) -> list[Item]:
    """The items with their chances, which are given by id."""
    return [replace(item, chance=chance.get(item.id)) for item in items]


def unsure_first(items: Iterable[Item]) -> list[Item]:
    """The rated items without a decision, the least sure first; then the rest in the order in which they come.

    Without chances nothing moves.
    """
    return sorted(items, key=_place)


def _place(item: Item) -> tuple[bool, float]:
    if item.chance is None:
        return False, 0.0
    return item.decision is not None, 0.0 if item.decision else abs(item.chance - 0.5)


def _is_accepted(item: Item) -> bool:
    return item.decision is not None and item.decision.action == "accept"


def _features(item: Item) -> dict[str, float]:
    """What is known of a pair before the owner sees it; the figures from about -1 to 1."""
    pair = item.pair
    return {
        f"stage={item.rejection.stage if item.rejection else ''}": 1.0,
        f"kind={pair.kind}": 1.0,
        "accuracy": (pair.accuracy - 5.5) / 4.5,
        "style": (pair.style - 5.5) / 4.5,
        **_lengths(pair),
        **_weighted("question", pair.question),
        **_weighted("answer", pair.answer),
    }


def _lengths(pair: Pair) -> dict[str, float]:
    # As logarithms: ten words more matter in a short answer. 10 and 40 words are about the usual lengths.
    usual = {"question": (pair.question, 10), "answer": (pair.answer, 40)}
    return {f"length of {name}": math.log((1 + len(words(text))) / most) for name, (text, most) in usual.items()}


def _weighted(name: str, text: str) -> dict[str, float]:
    """Each word of the text once, so weighted that a long text counts as much as a short one."""
    found = set(words(text))
    return {f"{name}:{word}": 1 / math.sqrt(len(found)) for word in found}
