"""What the review page shows of an evaluation: its answers, for a person to call right or wrong."""

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from starlette.exceptions import HTTPException

from pipeline.chat import Citation
from pipeline.chat.citations import without_marks
from pipeline.dataset.decisions import Decision
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.labels import Label, Labels
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.settings import Settings

WORDS = {
    "title": "Are the answers right?",
    "skip": "Skip to the answer",
    "outcome": "Label",
    "accept": "Right",
    "reject": "Wrong",
    "none": "No answer fits the filter.",
    "from": "What it cites",
    "accept-help": "right: it says what is asked for, and nothing wrong",
    "reject-help": "wrong: it lacks something, or something in it is wrong",
    "effect": "A label is saved at once, and shows the next answer without one. sitetwin eval report then counts it.",
    "start": "sitetwin eval label",
}
"""The page's words where it speaks of pairs."""
_QUOTE = re.compile(r"^> ?", re.MULTILINE)
"""The mark of a quotation. The page shows text as it is, so there it says nothing."""
RIGHT: dict[str, bool | None] = {"accept": True, "reject": False, "undo": None}


@dataclass(slots=True)
class _Item:
    """An answer, whichever systems gave it: the page doesn't tell, so that none is favoured."""

    id: str
    question: GoldenQuestion
    answer: str
    citations: list[Citation] = field(default_factory=list)


class AnswerReview:
    """The answers of an evaluation that a person can call right or wrong.

    Args:
        settings: the site's settings.
        evaluation: the evaluation.
    """

    def __init__(self, settings: Settings, evaluation: Evaluation) -> None:
        self._labels = Labels(settings)
        self._number = evaluation.number
        found: dict[str, _Item] = {}
        for _, question, answer in evaluation.judgeable():
            id = hashlib.sha256(f"{question.question}\n{answer.answer}".encode()).hexdigest()[:16]
            found.setdefault(id, _Item(id, question, answer.answer, answer.citations))
        # By the hash, so that the systems' answers are mixed and the order is the same each time.
        self._items = dict(sorted(found.items()))

    def state(self) -> dict[str, Any]:
        """See Reviewed."""
        file = self._labels.file
        return {"newest": self._number, "pinned": True, "stamp": file.stat().st_size if file.exists() else 0}

    def listing(self, version: int | None, query: dict[str, str]) -> dict[str, Any]:
        """See Reviewed."""
        items = list(self._items.values())
        said = Counter(self._state(item) for item in items)
        pages = Counter(page for item in items for page in item.question.page)
        return {
            **self._counts(),
            "version": self._number,
            "title": f"answers of evaluation {self._number}",
            "words": WORDS,
            "edits": False,
            "total": len(items),
            "choices": {
                "outcomes": [(state, f"{state} ({count})") for state, count in sorted(said.items())],
                "kinds": dict(Counter(item.question.kind for item in items).most_common()),
                "splits": {},
                "sources": [{"id": page, "title": page, "count": count} for page, count in sorted(pages.items())],
            },
            "pairs": [self._line(item) for item in items if self._fits(item, query)],
        }

    def one(self, version: int | None, id: str) -> dict[str, Any]:
        """See Reviewed."""
        return self._whole(self._item(id))

    def decide(self, version: int | None, decision: Decision) -> dict[str, Any]:
        """See Reviewed.

        Raises:
            HTTPException: 400, if it edits the answer.
        """
        item = self._item(decision.pair)
        if decision.action not in RIGHT:
            raise HTTPException(400, "an answer is right or wrong: it can't be edited")
        self._labels.keep(
            Label(question=item.question.question, answer=item.answer, right=RIGHT[decision.action], at=decision.at)
        )
        return {**self._counts(), "pair": self._whole(item)}

    def _item(self, id: str) -> _Item:
        if id not in self._items:
            raise HTTPException(404, "there is no such answer: load the page again")
        return self._items[id]

    def _label(self, item: _Item) -> bool | None:
        return self._labels.of(item.question.question, item.answer)

    def _state(self, item: _Item) -> str:
        return {None: "no label", True: "right", False: "wrong"}[self._label(item)]

    def _counts(self) -> dict[str, Any]:
        decided = sum(self._label(item) is not None for item in self._items.values())
        return {**self.state(), "decided": decided, "waiting": 0}

    def _line(self, item: _Item) -> dict[str, Any]:
        label = self._label(item)
        return {
            "id": item.id,
            "question": item.question.question,
            "accepted": bool(label),
            "state": self._state(item),
            "decision": {None: None, True: "accept", False: "reject"}[label],
            "waits": False,
        }

    def _whole(self, item: _Item) -> dict[str, Any]:
        answer = _QUOTE.sub("", without_marks(item.answer))
        facts = [f"must say {' or '.join(group)}" for group in item.question.groups]
        return {
            **self._line(item),
            "answer": answer,
            "pair": {
                "question": item.question.question,
                "answer": answer,
                "kind": item.question.kind,
            },
            "split": None,
            "outcome": self._state(item).capitalize(),
            "marks": [item.question.kind, *facts],
            "rejection": None,
            "sources": [
                {
                    "document": one.document,
                    "title": one.title,
                    "url": one.url,
                    "heading": one.heading,
                    "text": one.quote,
                }
                for one in item.citations
            ],
        }

    def _fits(self, item: _Item, query: dict[str, str]) -> bool:
        """Whether the filter of the page shows it."""
        is_labelled = self._label(item) is not None
        said = {"": True, "open": not is_labelled, "decided": is_labelled, "waiting": False}
        text = f"{item.question.question}\n{item.answer}".casefold()
        return (
            query.get("outcome", "") in ("", self._state(item))
            and query.get("kind", "") in ("", item.question.kind)
            and query.get("source", "") in ("", *item.question.page)
            and said.get(query.get("decision", ""), True)
            and all(word in text for word in query.get("text", "").casefold().split())
        )
