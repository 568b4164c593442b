"""Answers and verdicts that were asked for once, kept under a hash of all that shaped them.

A kill loses at most those under way.
"""

import hashlib
import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.judge_model import ModelVerdict, judge_messages
from pipeline.evaluation.systems.wiring import FOLDER
from pipeline.jobs.evaluating.record import Reply
from pipeline.settings import Settings

Kept = TypeVar("Kept", bound=BaseModel)


class KeptAnswers:
    """The kept answers of one site, `.sitetwin/evaluation/answers/HASH.json`."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state / FOLDER / "answers"

    def find(self, shaping: str, question: str) -> Reply | None:
        """The answer to `question` of whatever has this hash; None if it must be asked for."""
        return _read(self._file(shaping, question), Reply)

    def keep(self, shaping: str, reply: Reply) -> None:
        """Keeps an answer."""
        _write(self._file(shaping, reply.question), reply)

    def _file(self, shaping: str, question: str) -> Path:
        return self._folder / f"{_hash(f'{shaping} {question}')}.json"


class KeptVerdicts:
    """The kept verdicts of one judge model on a site's answers, `.sitetwin/evaluation/verdicts/HASH.json`."""

    def __init__(self, settings: Settings, judge: str) -> None:
        self._folder = settings.state / FOLDER / "verdicts"
        self._judge = judge

    def find(self, question: GoldenQuestion, answer: str) -> ModelVerdict | None:
        """What the judge said of this answer; None if it must be asked."""
        return _read(self._file(question, answer), ModelVerdict)

    def keep(self, question: GoldenQuestion, answer: str, verdict: ModelVerdict) -> None:
        """Keeps a verdict."""
        _write(self._file(question, answer), verdict)

    def _file(self, question: GoldenQuestion, answer: str) -> Path:
        return self._folder / f"{_hash(json.dumps([self._judge, judge_messages(question, answer)]))}.json"


def _hash(shaped: str) -> str:
    return hashlib.sha256(shaped.encode()).hexdigest()


def _read(file: Path, kind: type[Kept]) -> Kept | None:
    if not file.is_file():
        return None
    try:
        return kind.model_validate_json(file.read_bytes())
    except ValidationError:  # another version's record: it is asked again
        return None


def _write(file: Path, kept: BaseModel) -> None:
    files.write_text(file, kept.model_dump_json() + "\n")
