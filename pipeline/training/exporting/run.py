"""An export from beginning to end. Import this after `blas.preload()`."""

from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from pipeline.parts import EXPORTS
from pipeline.settings import Settings, Visibility
from pipeline.training.exporting.disk import check_disk
from pipeline.training.exporting.export import Export, Wishes
from pipeline.training.exporting.folder import export_folder
from pipeline.training.exporting.source import find_source


class Exported(BaseModel):
    run: str
    to: str
    folder: Path
    bytes: int
    visibility: Visibility
    warnings: list[str]
    next: str
    """What to do with it."""
    model: str | None = None
    """On a server."""
    question: str | None = None
    answer: str | None = None


def run_export(settings: Settings, name: str, wishes: Wishes, say: Callable[[str], None]) -> Exported:
    """Writes the export; where a server has the model then, asks it one question.

    Raises:
        SitetwinError: the adapter, its base, the folder or the server can't be used. Nothing was written then, unless
            the model is on the server and does not answer.
    """
    source = find_source(settings, name)
    export: Export = EXPORTS.load(wishes.to)(source, wishes, settings)
    export.check()
    check_disk(wishes.folder, export.size())
    warnings = source.warnings()
    with export_folder(wishes.folder) as folder:
        warnings += export.write(folder)
    for warning in warnings:
        say(warning)
    done = Exported(
        run=name,
        to=wishes.to,
        folder=wishes.folder,
        bytes=sum(file.stat().st_size for file in wishes.folder.rglob("*") if file.is_file()),
        visibility=source.adapter.visibility,
        warnings=warnings,
        next=export.next_step(),
    )
    if trial := export.trial():
        done.model, done.question, done.answer = trial.model, trial.question, trial.answer
    return done
