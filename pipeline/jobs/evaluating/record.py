"""The record of an evaluation, `.sitetwin/reports/eval-N.json`. Its answers never change once it is written."""

import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from pydantic import BaseModel, Field, ValidationError

from pipeline import files
from pipeline.chat import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.figures import Compared, Figure, Known, Values
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.judge_model import Agreement
from pipeline.evaluation.systems import System
from pipeline.jobs import numbered
from pipeline.measured import Measured, Number
from pipeline.settings import Settings, Visibility
from pipeline.surroundings import own_version
from pipeline.training.curves import Forgetting

KIND = "eval"
"""How the names of the files begin."""
COSTS = frozenset({"ms", "tokens", "tokens/s"})
"""Units of the measures that are not compared by tests: they depend on what else the machine does."""


class FoundPassage(BaseModel):
    """Where a passage stands that was looked up."""

    document: str
    heading: str

    def __str__(self) -> str:
        return f"{self.document} › {self.heading}" if self.heading else self.document


class Reply(BaseModel):
    """One system's answer to one question, and what it took."""

    question: str
    answer: Answer
    read: int = 0
    """About how many tokens the model read."""
    written: int = 0
    """About how many tokens it wrote."""
    passages: list[FoundPassage] = []
    """What was found, the best first; [] if nothing was looked up, or a flow did."""


class Trained(Measured):
    """The run behind an adapter."""

    run: str
    seconds: Number
    megabytes: Number
    """The size of the adapter's weights."""
    data_set: int
    forgetting: Forgetting | None


class SystemResult(Measured):
    """A system, what it answered, and its figures."""

    system: System
    model: str
    """The model that answers; "" if none is asked."""
    adapter: str
    memory_mb: float | None
    """Memory of the engine's process after the questions; None: another's server, or no model."""
    trained: Trained | None = None
    replies: list[Reply]
    figures: dict[str, Figure] = Field(default_factory=dict)
    values: dict[str, Values] = Field(default_factory=dict)
    """By measure, the value of each question."""
    labelled: dict[str, bool] = Field(default_factory=dict)
    """What a person said of the answers, by question."""
    judged: dict[str, bool] = Field(default_factory=dict)
    """What the judge model said of each answer that it could judge; {} if none was asked."""


class Machine(BaseModel):
    """What the figures were measured on."""

    system: str = f"{platform.system()} {platform.machine()}"
    cores: int = psutil.cpu_count() or 1
    memory_gb: int = round(psutil.virtual_memory().total / 1e9)
    python: str = platform.python_version()
    sitetwin: str = own_version()


class Evaluation(Measured):
    """Several systems on the same questions."""

    number: int
    made_at: datetime
    seconds: Number
    """Of asking and judging, kept answers included."""
    machine: Machine = Machine()
    visibility: Visibility | None
    file: str
    """The name of the file of questions."""
    questions: list[GoldenQuestion]
    known: dict[str, Known]
    data_set: int | None
    """The data set by whose splits questions are seen or unseen; None: there is none."""
    kept: int
    """How many answers were kept from earlier evaluations."""
    parallel: int
    """How many questions were asked at a time."""
    systems: dict[str, SystemResult]
    comparisons: list[Compared]
    judge: str = ""
    """The model that judged beside the facts; "" if none was asked."""
    agreements: list[Agreement] = Field(default_factory=list)
    """How far the facts agree with the labels by hand, and the judge model with both."""
    notes: list[str] = Field(default_factory=list)
    """What the reader must know to read the figures."""

    @property
    def answerable(self) -> int:
        """How many of the questions the notes answer."""
        return sum(question.answerable for question in self.questions)

    def judgeable(self) -> Iterator[tuple[str, GoldenQuestion, Answer]]:
        """The answers that say the facts or don't, each with its system's name and the question: no refusal is one."""
        for name, result in self.systems.items():
            for question, reply in zip(self.questions, result.replies, strict=True):
                if question.answerable and question.groups and not reply.answer.refused:
                    yield name, question, reply.answer

    def as_json(self) -> dict[str, Any]:
        """What `sitetwin eval --json` prints: the figures without the answers."""
        systems = {
            name: {key: figure.all.model_dump() | _more(figure) for key, figure in result.figures.items()}
            for name, result in self.systems.items()
        }
        return {
            "number": self.number,
            "questions": len(self.questions),
            "answerable": self.answerable,
            "machine": self.machine.model_dump(),
            "systems": systems,
            "cost": {
                name: {
                    "memory_mb": result.memory_mb,
                    "trained": result.trained.model_dump(mode="json") if result.trained else None,
                }
                for name, result in self.systems.items()
            },
            "comparisons": [compared.model_dump() for compared in self.comparisons],
            "labelled": sum(len(result.labelled) for result in self.systems.values()),
            "agreements": [one.model_dump() for one in self.agreements],
            "notes": self.notes,
        }


def _more(figure: Figure) -> dict[str, Any]:
    return figure.model_dump(include={"seen", "unseen", "floor", "ceiling"}, exclude_none=True)


def report_file(settings: Settings, number: int, suffix: str) -> Path:
    """The file of evaluation `number` with this suffix: `.json`, `.md` or `.html`."""
    return numbered.report_file(settings, KIND, number, suffix)


def numbers(settings: Settings) -> list[int]:
    """The numbers of all evaluations, oldest first."""
    return numbered.numbers(settings, KIND)


def latest(settings: Settings, count: int = 1) -> list[int]:
    """The numbers of the newest evaluations, oldest first.

    Raises:
        SitetwinError: there are fewer.
    """
    found = numbers(settings)[-count:]
    if len(found) < count:
        there = "only one evaluation" if found else "no evaluation yet"
        raise SitetwinError(f"there is {there}: `sitetwin eval` makes one")
    return found


def write(settings: Settings, evaluation: Evaluation) -> None:
    """Writes the record."""
    text = evaluation.model_dump_json(indent=1) + "\n"
    files.write_text(report_file(settings, evaluation.number, ".json"), text)


def read(settings: Settings, number: int) -> Evaluation:
    """Evaluation `number`.

    Raises:
        SitetwinError: there is none, or its record can't be read.
    """
    file = report_file(settings, number, ".json")
    if not file.is_file():
        known = ", ".join(map(str, numbers(settings))) or "none"
        raise SitetwinError(f"there is no evaluation {number} (there are: {known}): `sitetwin eval` makes one")
    try:
        return Evaluation.model_validate_json(file.read_bytes())
    except ValidationError:
        raise SitetwinError(f"{file} can't be read by this version: run `sitetwin eval` anew") from None
