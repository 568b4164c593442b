"""The pairs of a data set for the reviewer, with the filter's reasons and the owner's decisions."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.content.documents import Document
from pipeline.dataset.decisions import Decision
from pipeline.dataset.plan import Cut, sources_of
from pipeline.dataset.records import SPLITS, Pair, PairSource, Rejection, Split
from pipeline.dataset.versions import DatasetRow, Rejected
from pipeline.settings import PairKind


@dataclass(frozen=True, slots=True)
class Item:
    """A pair of the data set, and the owner's last decision on it."""

    id: str
    """Id of the pair as the teacher wrote it; decisions refer to it."""
    pair: Pair
    split: Split | None = None
    """None: the pair was rejected."""
    rejection: Rejection | None = None
    edited: bool = False
    """Whether the data set has the pair in the owner's words."""
    decision: Decision | None = None
    chance: float | None = None
    """The chance, 0 to 1, that the owner accepts the pair; None as long as too little was decided."""

    @property
    def question(self) -> str:
        """The question, as edited if the owner has edited it."""
        return self._edit.question if self._edit else self.pair.question

    @property
    def answer(self) -> str:
        """The answer, as edited if the owner has edited it."""
        return self._edit.answer if self._edit else self.pair.answer

    @property
    def waits(self) -> bool:
        """Whether the next build will treat the pair differently from this data set."""
        said = self.decision.action if self.decision else None
        if self.rejection is None:
            same = (self.question, self.answer) == (self.pair.question, self.pair.answer)
            return said == "reject" or (not same if said == "edit" else self.edited)
        if self.rejection.stage == "split":
            # Its documents are in two splits, which no decision changes.
            return False
        return said in {"accept", "edit"} or (said is None and self.rejection.stage == "review")

    @property
    def _edit(self) -> Decision | None:
        return self.decision if self.decision and self.decision.action == "edit" else None


class Wanted(BaseModel):
    """Which pairs to show. An empty value shows all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: str = ""
    """`accepted`, `rejected`, or the stage that rejected it."""
    kind: PairKind | Literal[""] = ""
    split: Split | Literal[""] = ""
    source: str = ""
    """A document's id."""
    decision: Literal["", "open", "decided", "waiting"] = ""
    text: str = ""
    """Words that question, answer, document and reason must contain together; case does not matter."""
    chance: str = Field("", pattern=r"^((min|max)-\d{1,2})?$")
    """`min-90`: a chance of at least 90 %; `max-10`: of at most 10 %."""
    order: Literal["", "notes"] = ""
    """`notes`: in the order of the notes; else the least sure first, if enough was decided."""


class Choices(BaseModel):
    """The values to choose from, with the number of pairs for each."""

    accepted: int
    stages: dict[str, int]
    kinds: dict[str, int]
    splits: dict[str, int]
    sources: dict[str, int]


def join(rows: Iterable[DatasetRow], rejected: Iterable[Rejected]) -> list[Item]:
    """All pairs as items without decisions, sorted by document and chunk."""
    items = [Item(row.original, row.pair, split=row.split, edited=row.pair.id != row.original) for row in rows]
    items += [Item(row.pair.id, row.pair, rejection=row.rejection) for row in rejected]
    return sorted(items, key=lambda item: (item.pair.source, item.pair.chunk_index))


def decided(items: Iterable[Item], decisions: Mapping[str, Decision]) -> list[Item]:
    """The items with their decisions, which are given by pair id."""
    return [replace(item, decision=decisions[item.id]) if item.id in decisions else item for item in items]


def select(items: Iterable[Item], wanted: Wanted, titles: Mapping[str, str]) -> list[Item]:
    """The items that `wanted` asks for. `titles`, by document id, are searched for words too."""
    words = wanted.text.casefold().split()

    def fits(item: Item) -> bool:
        return (
            wanted.outcome in {"", *_outcomes(item)}
            and wanted.kind in {"", item.pair.kind}
            and wanted.split in {"", item.split}
            and wanted.source in {"", item.pair.source}
            and _fits_decision(item, wanted.decision)
            and _fits_chance(item, wanted.chance)
            and (not words or _holds(item, words, titles))
        )

    return [item for item in items if fits(item)]


def choices(items: Sequence[Item]) -> Choices:
    """The values that `items` have, with their numbers."""
    stages = Counter(item.rejection.stage for item in items if item.rejection)
    splits = Counter(item.split for item in items if item.split)
    return Choices(
        accepted=len(items) - stages.total(),
        stages=dict(stages.most_common()),
        kinds=dict(Counter(item.pair.kind for item in items).most_common()),
        splits={split: splits[split] for split in SPLITS},
        sources=dict(sorted(Counter(item.pair.source for item in items).items())),
    )


class Texts:
    """The sources of pairs, taken from the current documents. Not thread-safe."""

    def __init__(self, documents: Iterable[Document], cut: Cut) -> None:
        self._documents = {document.id: document for document in documents}
        self._cut = cut
        self._sources: dict[str, dict[str, PairSource]] = {}

    @property
    def titles(self) -> dict[str, str]:
        """Titles by document id."""
        return {id: document.title for id, document in self._documents.items()}

    def url(self, document: str) -> str:
        """The address of the document with this id; "" if it has none or is gone."""
        found = self._documents.get(document)
        return found.url if found else ""

    def source(self, chunk: str) -> PairSource | None:
        """The chunk with this id; None if it is gone. An edit gives a chunk a new id."""
        id = document_of(chunk)
        if id not in self._sources:
            found = self._documents.get(id)
            self._sources[id] = {source.chunk: source for source in sources_of(found, self._cut)} if found else {}
        return self._sources[id].get(chunk)


def document_of(chunk: str) -> str:
    """The id of a chunk's document, from the chunk's id."""
    return chunk.rpartition("#")[0]


def _outcomes(item: Item) -> set[str]:
    return {"rejected", item.rejection.stage} if item.rejection else {"accepted"}


def _fits_decision(item: Item, wanted: str) -> bool:
    if wanted == "waiting":
        return item.waits
    return not wanted or (item.decision is None) == (wanted == "open")


def _fits_chance(item: Item, wanted: str) -> bool:
    if not wanted:
        return True
    bound, _, percent = wanted.partition("-")
    if item.chance is None:
        return False
    return item.chance >= int(percent) / 100 if bound == "min" else item.chance <= int(percent) / 100


def _holds(item: Item, words: Sequence[str], titles: Mapping[str, str]) -> bool:
    reason = item.rejection.reason if item.rejection else ""
    source = item.pair.source
    text = "\n".join((item.question, item.answer, source, titles.get(source, ""), reason)).casefold()
    return all(word in text for word in words)
