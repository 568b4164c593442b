"""The owner's decisions on single pairs, and choices between two. They survive a rebuild: an unchanged pair keeps its id."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, model_validator

from pipeline import jsonl
from pipeline.dataset.versions import datasets_directory
from pipeline.settings import Settings

Action = Literal["accept", "edit", "reject", "undo"]


class Decision(BaseModel):
    """One line of the file. The last decision on a pair counts."""

    pair: str
    """Id of the pair as the teacher wrote it."""
    action: Action
    question: str = ""
    answer: str = ""
    """Question and answer of an edited pair; empty for the other actions."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @model_validator(mode="after")
    def _edit_has_both(self) -> "Decision":
        if self.action == "edit" and not (self.question.strip() and self.answer.strip()):
            raise ValueError("an edited pair needs a question and an answer")
        return self


class Choice(BaseModel):
    """One line of the file of choices: of two answers to one question, the owner chose one, or found neither better."""

    better: str
    """Id of the pair with the better answer, as the teacher wrote it."""
    worse: str
    """Id of the other pair."""
    action: Literal["choose", "neither", "undo"] = "choose"
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    @model_validator(mode="after")
    def _are_two(self) -> "Choice":
        if self.better == self.worse:
            raise ValueError("a choice is between two pairs")
        return self


def decisions_file(settings: Settings) -> Path:
    """The path of the file of decisions; it may not exist yet."""
    return datasets_directory(settings) / "decisions.jsonl"


def read_decisions(path: Path) -> dict[str, Decision]:
    """The last decision on each pair by the pair's id, without those undone; {} if there is no file.

    Raises:
        SitetwinError: a line can't be read.
    """
    found = jsonl.read(path, Decision, "mend or remove that line") if path.exists() else []
    decisions = {decision.pair: decision for decision in found}
    return {id: decision for id, decision in decisions.items() if decision.action != "undo"}


def record_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Append decisions to the file; earlier lines stay."""
    jsonl.append(path, decisions)


def choices_file(settings: Settings) -> Path:
    """The path of the file of choices; it may not exist yet."""
    return datasets_directory(settings) / "choices.jsonl"


def read_compared(path: Path) -> list[Choice]:
    """The last word on each two pairs, also where neither was better, without those undone; [] if there is no file.

    Raises:
        SitetwinError: a line can't be read.
    """
    found = jsonl.read(path, Choice, "mend or remove that line") if path.exists() else []
    last = {frozenset((choice.better, choice.worse)): choice for choice in found}
    return [choice for choice in last.values() if choice.action != "undo"]


def read_choices(path: Path) -> list[Choice]:
    """The last choice between each two pairs, without those undone; [] if there is no file.

    Raises:
        SitetwinError: a line can't be read.
    """
    return [choice for choice in read_compared(path) if choice.action == "choose"]


def record_choices(path: Path, choices: Iterable[Choice]) -> None:
    """Append choices to the file; earlier lines stay."""
    jsonl.append(path, choices)
