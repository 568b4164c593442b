"""Series of runs, `KIND-3-…`, each series with one record, `.sitetwin/reports/KIND-3.json`.

Import this after `blas.preload()`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.adapters import base_hash
from pipeline.errors import SitetwinError
from pipeline.jobs.numbered import numbers, report_file
from pipeline.settings import Settings, Visibility
from pipeline.training import registry, run
from pipeline.training.config import Preset, Values
from pipeline.training.registry import OPEN, Run

Key = TypeVar("Key")


class SeriesRecord(BaseModel):
    """What the records of all series have."""

    number: int
    made_at: datetime
    data_set: int
    visibility: Visibility | None
    """The visibility of the adapters; None: as the settings say."""
    values: Values
    """mlx-lm's keys, over the preset."""
    base_hash: str
    ended_at: datetime | None = None


Record = TypeVar("Record", bound=SeriesRecord)


class Series(Generic[Record]):
    """All series of one kind.

    Args:
        kind: how the names of their files and runs begin.
        model: what a record is.
        was: "was" or "were", after the kind.
        again: says what starts a new one.
    """

    def __init__(self, kind: str, model: type[Record], *, was: str, again: str) -> None:
        self._kind = kind
        self._model = model
        self._was = was
        self._again = again

    def file(self, settings: Settings, number: int) -> Path:
        """The file of the record with this number."""
        return report_file(settings, self._kind, number)

    def free_number(self, settings: Settings) -> int:
        """The number after the highest that a record or a run has."""
        found = numbers(settings, self._kind)
        for folder in registry.runs_directory(settings).glob(f"{self._kind}-*-*"):
            number = folder.name.split("-")[1]
            found.append(int(number) if number.isdecimal() else 0)
        return max(found, default=0) + 1

    def write(self, settings: Settings, record: Record) -> None:
        """Writes the record, in place of an earlier one with its number."""
        files.write_text(self.file(settings, record.number), record.model_dump_json(indent=1) + "\n")

    def unfinished(self, settings: Settings) -> Record:
        """The newest series, which must not have ended.

        Raises:
            SitetwinError: there is none, it has ended, the base has changed, or its record can't be read.
        """
        record = self._latest(settings)
        if record is None or record.ended_at:
            raise SitetwinError(f"no {self._kind} {self._was} interrupted: {self._again}")
        if base_hash(run.base_folder(settings)) != record.base_hash:
            raise SitetwinError(
                f"{self._kind} {record.number} {self._was} begun on other weights than those of "
                f"{settings.models.chat!r}: set [models] chat to that model; {self._again}"
            )
        return record

    def train(
        self,
        settings: Settings,
        screen: run.TrainingScreen,
        record: Record,
        name: str,
        *,
        preset: Preset,
        values: Values,
        begin: str | None = None,
        is_memory_checked: bool,
        stop: Callable[[], bool],
    ) -> Run:
        """The run `name` of this record. It is started, resumed, or returned as it is if it has ended.

        Args:
            settings: the site's settings.
            screen: is told what happens.
            record: the series.
            name: the run's name.
            preset, values, begin, is_memory_checked, stop: as of `run.start`.

        Raises:
            SitetwinError: the run fails, or has failed before.
        """
        found = runs_named(settings, {name: name}).get(name)
        if found is None:
            return run.start(
                settings,
                screen,
                preset=preset,
                values=values,
                name=name,
                data_set=record.data_set,
                visibility=record.visibility,
                begin=begin,
                is_memory_checked=is_memory_checked,
                stop=stop,
            )
        if found.state in OPEN:
            return run.resume(settings, screen, name, stop)
        if found.state != "done":
            why = f" ({found.error})" if found.error else ""
            raise SitetwinError(f"the run {name!r} is {found.state}{why}: {self._again}")
        return found

    def _latest(self, settings: Settings) -> Record | None:
        found = numbers(settings, self._kind)
        if not found:
            return None
        file = self.file(settings, found[-1])
        try:
            return self._model.model_validate_json(file.read_bytes())
        except ValidationError:
            raise SitetwinError(f"{file} can't be read: remove it; {self._again}") from None


def runs_named(settings: Settings, names: Mapping[Key, str]) -> dict[Key, Run]:
    """The runs of these names that there are, by the names' keys."""
    known = {one.name: one for one in registry.runs(settings)}
    return {key: known[name] for key, name in names.items() if name in known}
