"""What a reviewer sees: each pair of a data set with what the filter and the owner said of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import BaseModel, ConfigDict

from pipeline.content.documents import Document
from pipeline.dataset.decisions import Decision
from pipeline.dataset.plan import Cut, sources_of
from pipeline.dataset.records import SPLITS, Pair, Rejection, Source, Split
from pipeline.dataset.versions import Rejected, Row
from pipeline.settings import PairKind


@dataclass(frozen=True, slots=True)
class Item:
    """A pair as it stands in the data set, and the owner's last word on it."""

    id: str
    """Of the pair as the teacher wrote it; decisions name it."""
    pair: Pair
    split: Split | None = None
    """None: it was rejected."""
    rejection: Rejection | None = None
    edited: bool = False
    """Whether it stands there in the owner's words."""
    decision: Decision | None = None

    @property
    def question(self) -> str:
        """As the owner wants it."""
        return self._edit.question if self._edit else self.pair.question

    @property
    def answer(self) -> str:
        """As the owner wants it."""
        return self._edit.answer if self._edit else self.pair.answer

    @property
    def waits(self) -> bool:
        """Whether the next build will treat the pair otherwise than this data set does."""
        said = self.decision.action if self.decision else None
        if self.rejection is None:
            same = (self.question, self.answer) == (self.pair.question, self.pair.answer)
            return said == "reject" or (not same if said == "edit" else self.edited)
        if self.rejection.stage == "split":
            # It would stand on two sides, which no word of the owner's changes.
            return False
        return said in {"accept", "edit"} or (said is None and self.rejection.stage == "review")

    @property
    def _edit(self) -> Decision | None:
        return self.decision if self.decision and self.decision.action == "edit" else None


class Wanted(BaseModel):
    """Which pairs are to be shown; an empty value lets all through."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    outcome: str = ""
    """`accepted`, `rejected`, or the stage that rejected it."""
    kind: PairKind | Literal[""] = ""
    split: Split | Literal[""] = ""
    source: str = ""
    """A document's id."""
    decision: Literal["", "open", "decided", "waiting"] = ""
    text: str = ""
    """Words that all stand in question, answer, document or reason, in any case."""


class Choices(BaseModel):
    """What can be asked for, with the number of pairs of each."""

    accepted: int
    stages: dict[str, int]
    kinds: dict[str, int]
    splits: dict[str, int]
    sources: dict[str, int]


def join(rows: Iterable[Row], rejected: Iterable[Rejected]) -> list[Item]:
    """Every pair, in the order of the documents and of the chunks in them; nothing is decided yet."""
    items = [Item(row.original, row.pair, split=row.split, edited=row.pair.id != row.original) for row in rows]
    items += [Item(row.pair.id, row.pair, rejection=row.rejection) for row in rejected]
    return sorted(items, key=lambda item: (item.pair.source, item.pair.chunk_index))


def decided(items: Iterable[Item], decisions: Mapping[str, Decision]) -> list[Item]:
    """The same with the last word on each, by the pair's id."""
    return [replace(item, decision=decisions[item.id]) if item.id in decisions else item for item in items]


def select(items: Iterable[Item], wanted: Wanted, titles: Mapping[str, str]) -> list[Item]:
    """Those that are wanted; `titles` by document id, where a word may stand too."""
    words = wanted.text.casefold().split()

    def fits(item: Item) -> bool:
        return (
            wanted.outcome in {"", *_outcomes(item)}
            and wanted.kind in {"", item.pair.kind}
            and wanted.split in {"", item.split}
            and wanted.source in {"", item.pair.source}
            and _fits_decision(item, wanted.decision)
            and (not words or _holds(item, words, titles))
        )

    return [item for item in items if fits(item)]


def choices(items: Sequence[Item]) -> Choices:
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
    """What pairs were made from, read from the documents as they are now; not for several threads at once."""

    def __init__(self, documents: Iterable[Document], cut: Cut) -> None:
        self._documents = {document.id: document for document in documents}
        self._cut = cut
        self._sources: dict[str, dict[str, Source]] = {}

    @property
    def titles(self) -> dict[str, str]:
        """By document id."""
        return {id: document.title for id, document in self._documents.items()}

    def url(self, document: str) -> str:
        """The document's address; empty when it has none or is gone."""
        found = self._documents.get(document)
        return found.url if found else ""

    def source(self, chunk: str) -> Source | None:
        """The chunk with this id; None when it is gone, for an edit gives a chunk another id."""
        id = document_of(chunk)
        if id not in self._sources:
            found = self._documents.get(id)
            self._sources[id] = {source.chunk: source for source in sources_of(found, self._cut)} if found else {}
        return self._sources[id].get(chunk)


def document_of(chunk: str) -> str:
    """The id of the document that a chunk, by its id, is or was in."""
    return chunk.rpartition("#")[0]


def _outcomes(item: Item) -> set[str]:
    return {"rejected", item.rejection.stage} if item.rejection else {"accepted"}


def _fits_decision(item: Item, wanted: str) -> bool:
    if wanted == "waiting":
        return item.waits
    return not wanted or (item.decision is None) == (wanted == "open")


def _holds(item: Item, words: Sequence[str], titles: Mapping[str, str]) -> bool:
    reason = item.rejection.reason if item.rejection else ""
    source = item.pair.source
    text = "\n".join((item.question, item.answer, source, titles.get(source, ""), reason)).casefold()
    return all(word in text for word in words)
