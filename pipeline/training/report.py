"""A run as one HTML file that can be sent, printed and kept. It fetches nothing."""

import base64
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline import files
from pipeline.dataset.versions import read_card, version_folder, versions
from pipeline.settings import Settings
from pipeline.surroundings import own_version
from pipeline.training.curves import Curves
from pipeline.training.registry import CHART, Run, run_folder

REPORT = "report.html"
TEMPLATES = Path(__file__).parent / "templates"


class CurveRow(NamedTuple):
    """One evaluation, in the report's table."""

    iteration: int
    train: float | None
    """The mean training loss of the reports since the last evaluation; None: there were none."""
    valid: float
    preferred: float | None
    answered: float | None
    """The share of the preferences that the model agrees with; None: the run learns none."""


def write_report(settings: Settings, run: Run) -> Path:
    """Writes `report.html` into the run's folder, in place of an older one, and returns its path."""
    folder = run_folder(settings, run.name)
    is_there = run.data_set in versions(settings)
    speeds = [point.tokens_per_second for point in run.curves.train]
    html = render(
        TEMPLATES / "run.html",
        title=f"Run {run.name}",
        run=run,
        card=read_card(version_folder(settings, run.data_set)) if is_there else None,
        chart=picture(folder / CHART),
        configuration=_flat(run.config.model_dump(exclude_none=True)),
        curves=curve_rows(run.curves),
        per_epoch=run.per_epoch,
        tokens_per_second=sum(speeds) / len(speeds) if speeds else None,
        memory_gb=max((point.memory_gb for point in run.curves.train), default=0),
    )
    files.write_text(folder / REPORT, html)
    return folder / REPORT


def render(template: Path, **values: Any) -> str:
    """An HTML page from a template. Templates beside `template` and those of this room can be included.

    Args:
        template: the template's file.
        values: what is filled in, always as text and never as HTML.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(version=own_version(), **values)


def picture(path: Path) -> str | None:
    """The PNG at `path` as a data URL; None if there is no such file."""
    if not path.is_file():
        return None
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def curve_rows(curves: Curves) -> list[CurveRow]:
    """One row for each evaluation."""
    rows, before = [], 0
    for point in curves.valid:
        losses = [one.loss for one in curves.train if before < one.iteration <= point.iteration]
        rows.append(
            CurveRow(
                point.iteration,
                sum(losses) / len(losses) if losses else None,
                point.loss,
                point.preferred,
                point.answered,
            )
        )
        before = point.iteration
    return rows


def _flat(values: dict[str, Any], place: str = "") -> list[tuple[str, str]]:
    """The nested keys as one writes them after --set, with their values as text."""
    flat = []
    for key, value in values.items():
        if isinstance(value, dict):
            flat += _flat(value, f"{place}{key}.")
        else:
            flat.append((place + key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)))
    return flat
