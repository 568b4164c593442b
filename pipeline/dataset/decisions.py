"""The owner's word on single pairs. It survives rebuilds, since a pair keeps its id while it says the same."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError, model_validator

from pipeline.dataset.versions import datasets_directory
from pipeline.errors import SitetwinError
from pipeline.settings import Settings

Action = Literal["accept", "edit", "reject", "undo"]


class Decision(BaseModel):
    """One line of the file; of one pair the last counts."""

    pair: str
    """Its id, as the teacher wrote it."""
    action: Action
    question: str = ""
    answer: str = ""
    """As edited; empty for the other actions."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @model_validator(mode="after")
    def _edit_has_both(self) -> "Decision":
        if self.action == "edit" and not (self.question.strip() and self.answer.strip()):
            raise ValueError("an edited pair needs a question and an answer")
        return self


def decisions_file(settings: Settings) -> Path:
    return datasets_directory(settings) / "decisions.jsonl"


def read_decisions(path: Path) -> dict[str, Decision]:
    """The last decision on each pair that was not undone, by the pair's id; {} when there is no file.

    Raises:
        SitetwinError: a line can't be read.
    """
    if not path.exists():
        return {}
    decisions: dict[str, Decision] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                decision = Decision.model_validate_json(line)
            except ValidationError as error:
                raise SitetwinError(f"{path}:{number}: {error.errors()[0]['msg']}: mend or remove that line") from None
            decisions[decision.pair] = decision
    return {id: decision for id, decision in decisions.items() if decision.action != "undo"}


def record_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Appends them; nothing that was said before is lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"{decision.model_dump_json()}\n" for decision in decisions)
    # One write, so that lines of two reviews at a time don't mix.
    with path.open("ab", buffering=0) as file:
        file.write(lines.encode())
