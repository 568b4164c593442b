"""Which documents are trained on, and which only test: by document, the same in every build and in evaluation."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from pipeline.content.documents import Document
from pipeline.dataset.records import Split

SHINGLE_WORDS = 5
"""Words in a row whose sets are compared."""
NEAR = 0.5
"""Share of the smaller document's shingles in the larger one from which both count as one text (containment, after
Broder, "On the resemblance and containment of documents", 1997)."""


def alike(documents: Sequence[Document]) -> list[list[str]]:
    """All ids, those of near-duplicates together, each group and all groups in the order of ids."""
    shingles = {document.id: _shingles(document.text) for document in documents}
    holders: dict[int, list[str]] = defaultdict(list)
    for id, own in shingles.items():
        for shingle in own:
            holders[shingle].append(id)
    shared: dict[tuple[str, str], int] = defaultdict(int)
    for ids in holders.values():
        # A phrase of many documents (a licence, a footer) makes none of them a duplicate of another.
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
    """A split for each document's id; `groups` are those of `alike`.

    A document stays where it was `before`. A new one joins its near-duplicates; else it goes, in an order that
    depends on `seed` and its id alone, where its folder lacks most: `held_out` of the documents are not trained on,
    half of them valid and half test. Of three documents and more, none of the three is empty.
    """
    splits: dict[str, Split] = {}
    documents = sum(map(len, groups))
    known = {id: before[id] for group in groups for id in group if id in before}
    for group in groups:
        # What was trained on can't test any more, so near-duplicates of it go there too.
        sides = {known[id] for id in group if id in known}
        for side in ("train", "valid", "test"):
            if side in sides:
                splits |= dict.fromkeys(group, side)
                break
    new = sorted((group for group in groups if group[0] not in splits), key=lambda group: _order(seed, group[0]))
    for group in new:
        splits |= dict.fromkeys(group, _neediest(group[0], splits, held_out, documents))
    return splits


def assign_pairs(ids: Sequence[str], held_out: float, seed: int = 0) -> dict[str, Split]:
    """A split for each pair by chance alone, as if pairs of one document did not tell of each other."""
    ordered = sorted(ids, key=lambda id: _order(seed, id))
    held = round(len(ordered) * held_out)
    return {
        id: "train" if position >= held else "valid" if position % 2 else "test" for position, id in enumerate(ordered)
    }


def _neediest(id: str, splits: Mapping[str, Split], held_out: float, documents: int) -> Split:
    """The split whose share of the folder, then of all, is furthest below what it should be."""
    shares: dict[Split, float] = {"train": 1 - held_out, "valid": held_out / 2, "test": held_out / 2}
    folder = _folder(id)
    here = [split for other, split in splits.items() if _folder(other) == folder]
    everywhere = list(splits.values())
    if documents >= len(shares) and everywhere:
        empty = [split for split in shares if split not in everywhere]
        if empty and len(everywhere) >= documents - len(empty):
            return empty[0]

    def lack(split: Split) -> tuple[float, float]:
        in_folder = shares[split] * (len(here) + 1) - here.count(split)
        in_all = shares[split] * (len(everywhere) + 1) - everywhere.count(split)
        # Folders are often smaller than one over the share, so all together decides among equals.
        return (round(in_folder), in_all)

    return max(shares, key=lack)


def _shingles(text: str) -> set[int]:
    words = text.casefold().split()
    runs: Iterable[tuple[str, ...]] = zip(*(words[start:] for start in range(SHINGLE_WORDS)), strict=False)
    return {hash(run) for run in runs}


def _folder(id: str) -> str:
    """What a document is stratified by: the folder it is in, of an Astro page (`2019/a-post/index.md`) the one above."""
    path = PurePosixPath(id)
    return str(path.parent.parent if path.stem == "index" else path.parent)


def _order(seed: int, id: str) -> str:
    return hashlib.sha256(f"{seed}\0{id}".encode()).hexdigest()
