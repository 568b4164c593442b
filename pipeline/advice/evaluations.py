"""Reads the record of the last evaluation, `.sitetwin/reports/eval-N.json`, as far as advice needs it."""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipeline.advice.facts import Gap, LastEvaluation, SystemFigures
from pipeline.chat.records import Answer
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion, judge
from pipeline.settings import Settings


class _Loose(BaseModel):
    """A part of the record. What is not read here may be there."""

    model_config = ConfigDict(extra="ignore")


class _Estimate(_Loose):
    value: float


class _Figure(_Loose):
    all: _Estimate
    kinds: dict[str, _Estimate] = {}


class _Reply(_Loose):
    question: str
    answer: Answer


class _System(_Loose):
    system: dict[str, Any] = {}
    figures: dict[str, _Figure] = {}
    replies: list[_Reply] = []


class _Record(_Loose):
    number: int
    questions: list[GoldenQuestion]
    systems: dict[str, _System]
    comparisons: list[Gap] = []


def last_evaluation(settings: Settings) -> LastEvaluation | None:
    """The newest evaluation; None: there is none.

    Raises:
        SitetwinError: its record can't be read.
    """
    files = sorted((settings.state / "reports").glob("eval-*.json"), key=_number)
    return _read(files[-1]) if files else None


def _number(file: Path) -> int:
    found = re.fullmatch(r"eval-(\d+)\.json", file.name)
    return int(found[1]) if found else -1


def _read(file: Path) -> LastEvaluation:
    try:
        return parsed(file.read_bytes())
    except ValueError:
        raise SitetwinError(f"{file} can't be read: remove it, or run `sitetwin eval` anew") from None


def parsed(record_json: str | bytes) -> LastEvaluation:
    """What a record says, as far as advice needs it.

    Raises:
        ValueError: it is no record of an evaluation.
    """
    record = _Record.model_validate_json(record_json)
    asked = {question.question: question for question in record.questions}
    return LastEvaluation(
        number=record.number,
        questions=len(asked),
        systems={name: _system(system, asked) for name, system in record.systems.items()},
        gaps=record.comparisons,
    )


def _system(system: _System, asked: dict[str, GoldenQuestion]) -> SystemFigures:
    judged = [
        judge(question, reply.answer)
        for reply in system.replies
        if (question := asked.get(reply.question)) and question.answerable and question.groups
    ]
    cited = [verdict for verdict in judged if verdict.cited and not verdict.refused]
    return SystemFigures(
        mode=str(system.system.get("mode", "rag")),
        figures={key: figure.all.value for key, figure in system.figures.items()},
        kinds={
            key: {kind: one.value for kind, one in figure.kinds.items()} for key, figure in system.figures.items()
        },
        ignored=sum(not verdict.fact for verdict in cited),
        cited=len(cited),
        quotes=2 * sum(reply.answer.form == "quoted" for reply in system.replies) > len(system.replies),
    )  # fmt: skip
