"""Numbered records of experiments that train several runs: `reports/KIND-3.json`, with runs named `KIND-3-…`."""

from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.errors import SitetwinError
from pipeline.settings import Settings
from pipeline.training import registry


class Numbered(BaseModel):
    """A record with its number."""

    number: int


Kind = TypeVar("Kind", bound=Numbered)


class Records(Generic[Kind]):
    """The records of one kind of experiment.

    Args:
        kind: how the names of its files and runs begin.
        model: what a record is.
        again: the step that begins a new one.
    """

    def __init__(self, kind: str, model: type[Kind], again: str) -> None:
        self._kind = kind
        self._model = model
        self._again = again

    def file(self, settings: Settings, number: int) -> Path:
        """The file of the record with this number."""
        return settings.state / "reports" / f"{self._kind}-{number}.json"

    def free_number(self, settings: Settings) -> int:
        """The number after the highest that a record or a run has."""
        found = self._numbers(settings)
        for folder in registry.runs_directory(settings).glob(f"{self._kind}-*-*"):
            number = folder.name.split("-")[1]
            found.append(int(number) if number.isdigit() else 0)
        return max(found, default=0) + 1

    def write(self, settings: Settings, record: Kind) -> None:
        """Write the record, in place of an earlier one with its number."""
        files.write_text(self.file(settings, record.number), record.model_dump_json(indent=1) + "\n")

    def latest(self, settings: Settings) -> Kind | None:
        """The record with the highest number; None: there is none.

        Raises:
            SitetwinError: it can't be read.
        """
        found = self._numbers(settings)
        if not found:
            return None
        file = self.file(settings, max(found))
        try:
            return self._model.model_validate_json(file.read_bytes())
        except ValidationError:
            raise SitetwinError(f"{file} can't be read: remove it, then {self._again}") from None

    def _numbers(self, settings: Settings) -> list[int]:
        names = (path.stem for path in (settings.state / "reports").glob(f"{self._kind}-*.json"))
        return [int(number) for name in names if (number := name.removeprefix(f"{self._kind}-")).isdigit()]
