"""Answers that were asked for once, kept under a hash of all that shaped them. A kill loses at most those under way."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from pipeline import files
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
