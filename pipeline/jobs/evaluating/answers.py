"""Answers and verdicts that were asked for once, kept under a hash of all that shaped them.

A kill loses at most those under way.
"""

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from pipeline import files
from pipeline.evaluation.golden import GoldenQuestion
from pipeline.evaluation.judge_model import ModelVerdict, judge_messages
from pipeline.evaluation.systems.wiring import FOLDER
from pipeline.jobs.evaluating.record import Reply
from pipeline.settings import Settings


class KeptAnswers:
    """The kept answers of one site, `.sitetwin/evaluation/answers/HASH.json`."""

    def __init__(self, settings: Settings) -> None:
        self._folder = settings.state / FOLDER / "answers"

    def find(self, shaping: str, question: str) -> Reply | None:
        """The answer to `question` of whatever has this hash; None if it must be asked for."""
        file = self._file(shaping, question)
        if not file.is_file():
            return None
        try:
            return Reply.model_validate_json(file.read_bytes())
        except ValidationError:  # another version's record: it is asked again
            return None

    def keep(self, shaping: str, reply: Reply) -> None:
        """Keeps an answer."""
        files.write_text(self._file(shaping, reply.question), reply.model_dump_json() + "\n")

    def _file(self, shaping: str, question: str) -> Path:
        return self._folder / f"{hashlib.sha256(f'{shaping} {question}'.encode()).hexdigest()}.json"


class KeptVerdicts:
    """The kept verdicts of one judge model on a site's answers, `.sitetwin/evaluation/verdicts/HASH.json`."""

    def __init__(self, settings: Settings, judge: str) -> None:
        self._folder = settings.state / FOLDER / "verdicts"
        self._judge = judge

    def find(self, question: GoldenQuestion, answer: str) -> ModelVerdict | None:
        """What the judge said of this answer; None if it must be asked."""
        file = self._file(question, answer)
        if not file.is_file():
            return None
        try:
            return ModelVerdict.model_validate_json(file.read_bytes())
        except ValidationError:  # another version's record: it is asked again
            return None

    def keep(self, question: GoldenQuestion, answer: str, verdict: ModelVerdict) -> None:
        """Keeps a verdict."""
        files.write_text(self._file(question, answer), verdict.model_dump_json() + "\n")

    def _file(self, question: GoldenQuestion, answer: str) -> Path:
        shaped = json.dumps([self._judge, judge_messages(question, answer)])
        return self._folder / f"{hashlib.sha256(shaped.encode()).hexdigest()}.json"
