"""What the review page shows of a data set: its pairs, with the filter's reasons and the owner's decisions."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from starlette.exceptions import HTTPException

from pipeline.content.documents import Document
from pipeline.dataset import review, versions
from pipeline.dataset.decisions import (
    Choice,
    Decision,
    choices_file,
    decisions_file,
    read_compared,
    read_decisions,
    record_choices,
    record_decisions,
)
from pipeline.dataset.drafts import drafts
from pipeline.dataset.plan import Cut
from pipeline.dataset.review_order import chances, learnable, rated, unsure_first
from pipeline.settings import Settings
from web.review.reading import read

WORDS: dict[str, str] = {}
"""The page is written for pairs, so it needs no other words."""


class SameDecision(BaseModel):
    """One decision on many pairs."""

    action: Literal["accept", "reject", "undo"]
    pairs: list[str] = []
    """Ids of the pairs; for `undo` the time says which."""
    at: datetime | None = None
    """When the decisions were made that `undo` takes back."""


class PairReview:
    """The pairs of one data set.

    Args:
        settings: the site's settings.
        read_documents: returns the current documents, to show the text that a pair was made from.
        cut: cuts a document into chunks.
        version: number of the data set to show; None: the newest one each time the page is loaded.
    """

    def __init__(
        self,
        settings: Settings,
        read_documents: Callable[[], Iterable[Document]],
        cut: Cut,
        version: int | None = None,
    ) -> None:
        self._settings = settings
        self._read_documents = read_documents
        self._cut = cut
        self._pinned = version
        self._loaded: _Loaded | None = None

    def state(self) -> dict[str, Any]:
        """The newest data set, and a number that changes with each decision."""
        file = decisions_file(self._settings)
        return {
            "newest": max(versions.versions(self._settings), default=0),
            "pinned": self._pinned is not None,
            "stamp": file.stat().st_size if file.exists() else 0,
        }

    def listing(self, version: int | None, query: dict[str, str]) -> dict[str, Any]:
        """The pairs that `query` asks for, with all counts and choices."""
        wanted = read(review.Wanted.model_validate, query)
        loaded = self._load(version)
        # Read before the decisions, so that a decision in between is noticed at the next request.
        state = self.state()
        decisions = self._decisions()
        items = loaded.rated(decisions)
        titles = loaded.texts.titles
        found = review.choices(items).model_dump()
        found["sources"] = [
            {"id": id, "title": titles.get(id, id), "count": count} for id, count in found["sources"].items()
        ]
        rejected = len(items) - found["accepted"]
        found["outcomes"] = [
            ("accepted", f"accepted ({found['accepted']})"),
            ("rejected", f"rejected ({rejected})"),
            *((stage, f"rejected by {stage} ({count})") for stage, count in found["stages"].items()),
        ]
        card = loaded.card
        fitting = review.select(items, wanted, titles)
        if not wanted.order:
            fitting = unsure_first(fitting)
        newest = (
            "" if self._pinned is None or state["newest"] == card.version else f", not the newest ({state['newest']})"
        )
        return {
            **state,
            **_counts(items),
            "version": card.version,
            "title": f"data set {card.version}{newest}",
            "words": WORDS,
            "visibility": card.visibility,
            "teacher": card.teacher,
            "total": len(items),
            "choices": found,
            "pairs": [_line(item) for item in fitting],
            # Of how many decisions the chances are learned; 0: of too few.
            "learned": len(learnable(items)),
            "many": True,
            "drafts": len(loaded.drafts(decisions, self._compared())),
        }

    def one(self, version: int | None, id: str) -> dict[str, Any]:
        """One pair with its passages."""
        loaded = self._load(version)
        return self._whole(loaded, loaded.item(id, self._decisions()))

    def decide(self, version: int | None, decision: Decision) -> dict[str, Any]:
        """Records the decision and returns the pair as it is now."""
        loaded = self._load(version)
        loaded.item(decision.pair, {})
        record_decisions(decisions_file(self._settings), [decision])
        # Read before the decisions, as above.
        state, decisions = self.state(), self._decisions()
        item = loaded.item(decision.pair, decisions)
        return {**state, **_counts(loaded.items(decisions)), "pair": self._whole(loaded, item)}

    def decide_many(self, version: int | None, said: SameDecision) -> dict[str, Any]:
        """Records one decision on all pairs of which the owner has said nothing yet, or takes such a one back.

        All have the same time, by which they are taken back together.
        """
        loaded, decisions = self._load(version), self._decisions()
        at = datetime.now(UTC)
        if said.action == "undo":
            ids = [id for id, decision in decisions.items() if decision.at == said.at]
        else:
            ids = [loaded.item(id, {}).id for id in said.pairs if id not in decisions]
        record_decisions(decisions_file(self._settings), [Decision(pair=id, action=said.action, at=at) for id in ids])
        state = self.state()
        return {**state, **_counts(loaded.items(self._decisions())), "pairs": ids, "at": at.isoformat()}

    def drafts(self, version: int | None) -> dict[str, Any]:
        """Each two drafts that wait for the owner's choice, with the passage of the first."""
        loaded = self._load(version)
        found = loaded.drafts(self._decisions(), self._compared())
        return {
            "version": loaded.card.version,
            "drafts": [
                {"sides": [_draft(one), _draft(other)], "sources": [loaded.source(chunk) for chunk in one.pair.chunks]}
                for one, other in found
            ],
        }

    def choose(self, version: int | None, choice: Choice) -> dict[str, Any]:
        """Records the choice between two pairs of the data set."""
        loaded = self._load(version)
        for id in (choice.better, choice.worse):
            loaded.item(id, {})
        record_choices(choices_file(self._settings), [choice])
        return {"chosen": len(self._compared())}

    def _compared(self) -> set[frozenset[str]]:
        return {frozenset((one.better, one.worse)) for one in read_compared(choices_file(self._settings))}

    def _whole(self, loaded: "_Loaded", item: review.Item) -> dict[str, Any]:
        pair, rejection = item.pair, item.rejection
        return {
            **_line(item),
            "answer": item.answer,
            "pair": pair.model_dump(),
            "split": item.split,
            "outcome": f"Rejected by {rejection.stage}" if rejection else "Accepted",
            "marks": [
                pair.kind,
                *([item.split] if item.split else []),
                f"accuracy {pair.accuracy}",
                f"style {pair.style}",
                *([f"chance {item.chance:.0%}"] if item.chance is not None else []),
            ],
            "rejection": rejection.model_dump() if rejection else None,
            "sources": [loaded.source(chunk) for chunk in pair.chunks],
        }

    def _decisions(self) -> dict[str, Decision]:
        return read_decisions(decisions_file(self._settings))

    def _load(self, version: int | None) -> "_Loaded":
        folder = versions.version_folder(self._settings, self._pinned or version)
        if self._loaded is None or self._loaded.folder != folder:
            self._loaded = _Loaded(folder, review.Texts(self._read_documents(), self._cut))
        return self._loaded


class _Loaded:
    """A data set, and the documents at the time it was opened. A data set never changes."""

    def __init__(self, folder: Path, texts: review.Texts) -> None:
        self.folder = folder
        self.texts = texts
        self.card = versions.read_card(folder)
        self._items = review.join(versions.read_rows(folder), versions.read_rejected(folder))
        self._by_id = {item.id: item for item in self._items}
        self._learned_of: dict[str, Decision] = {}
        self._chances: dict[str, float] = {}
        self._drafts_of: tuple[dict[str, Decision], set[frozenset[str]]] | None = None
        self._drafts: list[tuple[review.Item, review.Item]] = []

    def items(self, decisions: dict[str, Decision]) -> list[review.Item]:
        """All pairs of the version with what was decided of them."""
        return review.decided(self._items, decisions)

    def rated(self, decisions: dict[str, Decision]) -> list[review.Item]:
        """All pairs with what was decided of them, and with the chances learned from that."""
        items = self.items(decisions)
        if decisions != self._learned_of:
            self._chances, self._learned_of = chances(items), decisions
        return rated(items, self._chances)

    def drafts(
        self, decisions: dict[str, Decision], compared: set[frozenset[str]]
    ) -> list[tuple[review.Item, review.Item]]:
        """Each two drafts that wait for a choice; found again only after a decision or a choice."""
        if (decisions, compared) != self._drafts_of:
            self._drafts, self._drafts_of = drafts(self.items(decisions), compared), (decisions, compared)
        return self._drafts

    def item(self, id: str, decisions: dict[str, Decision]) -> review.Item:
        """One pair by its id, with what was decided of it, and its chance when the list was last shown.

        Raises:
            HTTPException: 404, if the version has no such pair.
        """
        if id not in self._by_id:
            raise HTTPException(404, f"data set {self.card.version} has no such pair: load the page again")
        return rated(review.decided([self._by_id[id]], decisions), self._chances)[0]

    def source(self, chunk: str) -> dict[str, Any]:
        """The chunk that a pair was made from, as JSON; its text is None if the note is gone."""
        return shown(chunk, self.texts)


def shown(chunk: str, texts: review.Texts) -> dict[str, Any]:
    """The chunk with this id as the page shows it; its text is None if the note is gone."""
    document, found = review.document_of(chunk), texts.source(chunk)
    return {
        "document": document,
        "title": texts.titles.get(document, document),
        "url": texts.url(document),
        "heading": found.heading if found else "",
        "text": found.text if found else None,
    }


def _line(item: review.Item) -> dict[str, Any]:
    """The fields of a pair that the list shows."""
    return {
        "id": item.id,
        "question": item.question,
        "accepted": item.rejection is None,
        "state": "accepted" if item.rejection is None else "rejected",
        "decision": item.decision.action if item.decision else None,
        "waits": item.waits,
    }


def _draft(item: review.Item) -> dict[str, Any]:
    """One side of two drafts."""
    state = f"rejected by {item.rejection.stage}" if item.rejection else "accepted"
    return {**_line(item), "answer": item.answer, "state": state}


def _counts(items: Sequence[review.Item]) -> dict[str, int]:
    return {
        "decided": sum(item.decision is not None for item in items),
        "waiting": sum(item.waits for item in items),
    }
