"""Assigns documents to the splits. The assignment is the same in every build and in evaluation."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from pipeline.content.documents import Document
from pipeline.dataset.records import Split

SHINGLE_WORDS = 5
"""Words of one shingle."""
NEAR = 0.5
"""Two documents are near-duplicates if the larger one contains this share of the smaller one's shingles (containment,
after Broder, "On the resemblance and containment of documents", 1997)."""


def alike(documents: Sequence[Document]) -> list[list[str]]:
    """The ids of all documents in groups of near-duplicates, sorted by id."""
    shingles = {document.id: _shingles(document.text) for document in documents}
    holders: dict[int, list[str]] = defaultdict(list)
    for id, own in shingles.items():
        for shingle in own:
            holders[shingle].append(id)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for ids in holders.values():
        # A phrase that many documents share (a licence, a footer) does not make them near-duplicates.
        if 1 < len(ids) <= 10:
            for position, one in enumerate(ids):
                for other in ids[position + 1 :]:
                    shared[one, other] += 1
    leader = {document.id: document.id for document in documents}

    def head(id: str) -> str:
        while leader[id] != id:
            id = leader[id]
        return id

    for (one, other), count in shared.items():
        if count >= NEAR * min(len(shingles[one]), len(shingles[other])):
            first, second = sorted((head(one), head(other)))
            leader[second] = first
    groups: dict[str, list[str]] = defaultdict(list)
    for id in sorted(leader):
        groups[head(id)].append(id)
    return list(groups.values())


def assign(
    groups: Sequence[Sequence[str]], before: Mapping[str, Split], held_out: float, seed: int = 0
) -> dict[str, Split]:
    """A split for each document's id.

    A document keeps its split of `before`, and a new one joins its near-duplicates. The others are taken in an order
    that depends only on `seed` and their ids. Each goes to the split that its folder lacks most. With three or more
    documents no split stays empty.

    Args:
        groups: near-duplicates, see `alike`.
        before: splits of the former data set, by document id.
        held_out: share of the documents that are not trained on, half of them valid and half test.
    """
    splits: dict[str, Split] = {}
    in_all: Counter[Split] = Counter()
    in_folder: dict[str, Counter[Split]] = defaultdict(Counter)

    def put(group: Sequence[str], split: Split) -> None:
        for id in group:
            splits[id] = split
            in_all[split] += 1
            in_folder[_folder(id)][split] += 1

    documents = sum(map(len, groups))
    known = {id: before[id] for group in groups for id in group if id in before}
    for group in groups:
        # A document that was trained on can't be tested on, nor can its near-duplicates.
        sides = {known[id] for id in group if id in known}
        for side in ("train", "valid", "test"):
            if side in sides:
                put(group, side)
                break
    new = sorted((group for group in groups if group[0] not in splits), key=lambda group: _order(seed, group[0]))
    for group in new:
        put(group, _neediest(in_folder[_folder(group[0])], in_all, held_out, documents))
    return splits


def assign_pairs(ids: Sequence[str], held_out: float, seed: int = 0) -> dict[str, Split]:
    """A random split for each pair's id. Pairs of one document may be in two splits, so a test may repeat training."""
    ordered = sorted(ids, key=lambda id: _order(seed, id))
    held = round(len(ordered) * held_out)
    return {
        id: "train" if position >= held else "valid" if position % 2 else "test" for position, id in enumerate(ordered)
    }


def _neediest(in_folder: Counter[Split], in_all: Counter[Split], held_out: float, documents: int) -> Split:
    """The split that is furthest below its share in the folder, then in all documents."""
    shares: dict[Split, float] = {"train": 1 - held_out, "valid": held_out / 2, "test": held_out / 2}
    if documents >= len(shares) and in_all:
        empty = [split for split in shares if not in_all[split]]
        if empty and in_all.total() >= documents - len(empty):
            return empty[0]

    def lack(split: Split) -> tuple[float, float]:
        of_folder, of_all = (shares[split] * (placed.total() + 1) - placed[split] for placed in (in_folder, in_all))
        # Many folders are too small for a valid or test document of their own, so all documents break ties.
        return (round(of_folder), of_all)

    return max(shares, key=lack)


def _shingles(text: str) -> set[int]:
    words = text.casefold().split()
    runs: Iterable[tuple[str, ...]] = zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)
    return {hash(run) for run in runs}


def _folder(id: str) -> str:
    """The folder by which a document is stratified: its own, or for `2019/a-post/index.md` the one above."""
    path = PurePosixPath(id)
    return str(path.parent.parent if path.stem == "index" else path.parent)


def _order(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed}\0{id}".encode()).hexdigest()
