"""What the review page shows of golden questions: those that were proposed, and those that there are."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.exceptions import HTTPException

from pipeline.content.documents import Document
from pipeline.dataset import review
from pipeline.dataset.decisions import Decision, read_decisions, record_decisions
from pipeline.dataset.plan import Cut
from pipeline.evaluation import golden
from pipeline.evaluation.golden import GoldenQuestion, is_page
from pipeline.evaluation.golden_draft import Proposal
from pipeline.evaluation.golden_proposals import proposals_file, read_proposals, replace
from pipeline.evaluation.golden_text import as_text, from_text
from pipeline.settings import Settings
from web.review.pairs import shown

SHOWN_CHARS = 6000
"""The most characters of a whole page."""
WORDS = {
    "title": "Review of the golden questions",
    "skip": "Skip to the question",
    "answer": "What a right answer says, and which page holds it",
    "outcome": "State",
    "reject": "Drop",
    "none": "No question fits the filter.",
    "accept-help": "accept: it is asked from now on",
    "reject-help": "drop: it is not asked",
    "effect": "A decision is saved at once in your golden questions, and shows the next one you have not decided on.",
    "start": "sitetwin golden review",
}
"""The page's words where it speaks of pairs."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A golden question as it was when the review began."""

    id: str
    golden: GoldenQuestion
    origin: str
    chunks: tuple[str, ...]
    is_asked: bool
    """Whether it is among the golden questions already."""

    def after(self, decision: Decision | None) -> GoldenQuestion:
        """The question as the owner wants it."""
        is_edit = decision is not None and decision.action == "edit"
        return from_text(decision.question, decision.answer) if is_edit and decision else self.golden

    def is_kept(self, decision: Decision | None) -> bool:
        """Whether it is asked after the decision."""
        return self.is_asked if decision is None else decision.action in ("accept", "edit")


class GoldenReview:
    """The proposals of the last draft, and the golden questions of the settings' file.

    Args:
        settings: the site's settings.
        read_documents: returns the current documents, to show the text that a question rests on.
        cut: cuts a document into chunks.
    """

    def __init__(self, settings: Settings, read_documents: Callable[[], Iterable[Document]], cut: Cut) -> None:
        self._settings = settings
        self._file = proposals_file(settings).with_name("decisions.jsonl")
        documents = list(read_documents())
        self._texts = review.Texts(documents, cut)
        self._documents = {document.id: document for document in documents}
        self._items = {item.id: item for item in self._read()}

    def state(self) -> dict[str, Any]:
        """See Reviewed."""
        return {"newest": 1, "pinned": True, "stamp": self._file.stat().st_size if self._file.exists() else 0}

    def listing(self, version: int | None, query: dict[str, str]) -> dict[str, Any]:
        """See Reviewed."""
        state, decisions = self.state(), self._decisions()
        items = list(self._items.values())
        asked = sum(item.is_asked for item in items)
        pages = Counter(page for item in items for page in item.golden.page)
        return {
            **state,
            **self._counts(decisions),
            "version": 1,
            "title": f"{golden.questions_file(self._settings).name} and proposals",
            "words": WORDS,
            "total": len(items),
            "choices": {
                "outcomes": [("asked", f"asked already ({asked})"), ("proposed", f"proposed ({len(items) - asked})")],
                "kinds": dict(Counter(item.golden.kind for item in items).most_common()),
                "splits": {},
                "sources": [{"id": page, "title": page, "count": count} for page, count in sorted(pages.items())],
            },
            "pairs": [
                _line(item, decisions.get(item.id)) for item in items if _fits(item, decisions.get(item.id), query)
            ],
        }

    def one(self, version: int | None, id: str) -> dict[str, Any]:
        """See Reviewed."""
        return self._whole(self._item(id), self._decisions().get(id))

    def decide(self, version: int | None, decision: Decision) -> dict[str, Any]:
        """See Reviewed. The file of golden questions is changed at once.

        Raises:
            SitetwinError: an edited question is not whole.
        """
        item, before = self._item(decision.pair), self._decisions().get(decision.pair)
        now = None if decision.action == "undo" else decision
        wanted = item.after(now)
        record_decisions(self._file, [decision])
        gone = item.after(before).question if item.is_kept(before) else None
        replace(self._settings, gone, wanted if item.is_kept(now) else None)
        decisions = self._decisions()
        return {**self.state(), **self._counts(decisions), "pair": self._whole(item, decisions.get(item.id))}

    def _read(self) -> list[_Item]:
        """The proposals, then the golden questions that are no accepted proposal."""
        decisions = read_decisions(self._file)
        proposed = [_Item(one.id, one.golden, one.origin, one.chunks, False) for one in read_proposals(self._settings)]
        accepted = {item.after(decisions.get(item.id)).question for item in proposed if item.id in decisions}
        file = golden.questions_file(self._settings)
        there = golden.load(file) if file.is_file() else []
        asked = [Proposal(golden=one, origin=f"in {file.name}") for one in there if one.question not in accepted]
        return [*proposed, *(_Item(one.id, one.golden, one.origin, (), True) for one in asked)]

    def _item(self, id: str) -> _Item:
        if id not in self._items:
            raise HTTPException(404, "there is no such question: load the page again")
        return self._items[id]

    def _decisions(self) -> dict[str, Decision]:
        return read_decisions(self._file)

    def _counts(self, decisions: dict[str, Decision]) -> dict[str, int]:
        return {"decided": sum(id in decisions for id in self._items), "waiting": 0}

    def _whole(self, item: _Item, decision: Decision | None) -> dict[str, Any]:
        now = item.after(decision)
        return {
            **_line(item, decision),
            "answer": as_text(now),
            "pair": {"question": item.golden.question, "answer": as_text(item.golden), "kind": item.golden.kind},
            "split": None,
            "outcome": "Asked" if item.is_asked else "Proposed",
            "marks": [now.kind, *([now.why] if now.why else []), item.origin],
            "rejection": None,
            "sources": [shown(chunk, self._texts) for chunk in item.chunks] or [*self._pages(now)],
        }

    def _pages(self, question: GoldenQuestion) -> Iterable[dict[str, Any]]:
        """The pages that hold the fact, from their beginning; without a text those that are gone."""
        for page in question.page:
            found = next((one for id, one in self._documents.items() if is_page(id, page)), None)
            yield {
                "document": found.id if found else page,
                "title": found.title if found else page,
                "url": found.url if found else "",
                "heading": "",
                "text": found.text[:SHOWN_CHARS] if found else None,
            }


def _line(item: _Item, decision: Decision | None) -> dict[str, Any]:
    return {
        "id": item.id,
        "question": item.after(decision).question,
        "accepted": item.is_asked,
        "state": "asked" if item.is_asked else "proposed",
        "decision": decision.action if decision else None,
        "waits": False,
    }


def _fits(item: _Item, decision: Decision | None, query: dict[str, str]) -> bool:
    """Whether the filter of the page shows it."""
    now = item.after(decision)
    words = query.get("text", "").casefold().split()
    text = "\n".join((now.question, as_text(now), item.origin)).casefold()
    said = {"": True, "open": decision is None, "decided": decision is not None, "waiting": False}
    return (
        query.get("outcome", "") in ("", "asked" if item.is_asked else "proposed")
        and query.get("kind", "") in ("", item.golden.kind)
        and query.get("source", "") in ("", *item.golden.page)
        and said.get(query.get("decision", ""), True)
        and all(word in text for word in words)
    )
