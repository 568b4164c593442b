"""What a person said of single answers: right or wrong. Nothing overrules such a label.

A label holds for the words of an answer, whichever system gave it and in whichever evaluation.
"""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field

from pipeline import jsonl
from pipeline.evaluation.systems.wiring import FOLDER
from pipeline.settings import Settings


class Label(BaseModel):
    """One line of the file. The last label of an answer counts."""

    question: str
    answer: str
    right: bool | None
    """None: the label before is taken back."""
    at: datetime = Field(default_factory=lambda: datetime.now(UTC))


class Labels:
    """The labels of a site, `.sitetwin/evaluation/labels.jsonl`.

    Raises:
        SitetwinError: a line of the file is no label.
    """

    def __init__(self, settings: Settings) -> None:
        self.file: Path = settings.state / FOLDER / "labels.jsonl"
        there = jsonl.read(self.file, Label, "remove that line") if self.file.is_file() else []
        self._said = {(one.question, one.answer): one.right for one in there}

    def of(self, question: str, answer: str) -> bool | None:
        """Whether a person called this answer right; None if nobody did."""
        return self._said.get((question, answer))

    def keep(self, label: Label) -> None:
        """Adds a label."""
        jsonl.append(self.file, [label])
        self._said[label.question, label.answer] = label.right
