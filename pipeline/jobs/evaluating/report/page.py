"""The report as one HTML file: light, dark, on paper and on a phone, and without a network."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup, escape

from pipeline.evaluation.figures import Figure
from pipeline.evaluation.measures import About
from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.table import by_kind, seen_and_unseen
from pipeline.jobs.evaluating.report.wording import (
    asked,
    cell,
    conclusions,
    described,
    doubts,
    failures,
    forgotten,
    next_steps,
    number,
    said,
    shown_measures,
    titled,
    trained,
)
from pipeline.settings import Settings
from pipeline.training.registry import CHART, run_folder
from pipeline.training.report import picture, render

TEMPLATE = Path(__file__).parent / "templates" / "eval.html"
LEFT, RIGHT, TOP, BOTTOM = 46, 470, 14, 270
"""Where the picture of accuracy and voice has its frame, in units of its own width of 480."""


class Bar(NamedTuple):
    """One system in a chart of bars; places in percent of the width."""

    name: str
    width: float
    low: float
    high: float
    text: str


class Point(NamedTuple):
    """One system in the picture of accuracy and voice."""

    name: str
    x: float
    y: float
    left: float
    right: float
    top: float
    bottom: float


def page(settings: Settings, evaluation: Evaluation) -> str:
    """The whole report.

    Args:
        settings: the site's settings; the charts of the runs lie in its state folder.
        evaluation: the record.
    """
    runs = dict.fromkeys(result.trained.run for result in evaluation.systems.values() if result.trained)
    charts = {run: picture(run_folder(settings, run) / CHART) for run in runs}
    shown = shown_measures(evaluation)
    return render(
        TEMPLATE,
        title=f"Evaluation {evaluation.number}",
        evaluation=evaluation,
        asked=asked(evaluation).replace("`", ""),
        conclusions=conclusions(evaluation),
        doubts=doubts(evaluation),
        steps=[coded(step) for step in next_steps(evaluation)],
        shown=shown,
        charts=[(one, titled(evaluation, one), list(bars(evaluation, one))) for one in shown],
        points=list(points(evaluation)),
        frame=(LEFT, RIGHT, TOP, BOTTOM),
        runs={run: chart for run, chart in charts.items() if chart},
        failures=failures(evaluation),
        parts=by_kind(evaluation),
        seen=seen_and_unseen(evaluation),
        cell=cell,
        trained=trained,
        forgotten=forgotten,
        titled=titled,
        said=said,
        described=described,
    )


def coded(text: str) -> Markup:
    """A text whose parts in backticks become code; everything else stays text."""
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    )


def bars(evaluation: Evaluation, about: About) -> Iterator[Bar]:
    """The systems' figures of one measure; shares fill the width at 100 %, others at the largest bound."""
    found = {
        name: result.figures[about.key] for name, result in evaluation.systems.items() if about.key in result.figures
    }
    whole = 1.0 if about.unit == "share" else max(figure.all.high for figure in found.values()) or 1.0
    for name, figure in found.items():
        value, low, high = (
            100 * min(1.0, max(0.0, one / whole)) for one in (figure.all.value, figure.all.low, figure.all.high)
        )
        yield Bar(name, value, low, high, cell(figure, about.unit))


def points(evaluation: Evaluation) -> Iterator[Point]:
    """Accuracy against voice: what one pays for the other. Empty unless two systems have both."""
    both: dict[str, tuple[Figure, Figure]] = {
        name: (result.figures["voice"], result.figures["accuracy"])
        for name, result in evaluation.systems.items()
        if {"voice", "accuracy"} <= result.figures.keys()
    }
    if len(both) < 2:
        return
    least = min(0.0, *(voice.all.low for voice, _ in both.values()))
    most = max(1.0, *(voice.all.high for voice, _ in both.values()))

    def across(value: float) -> float:
        return round(LEFT + (value - least) / (most - least) * (RIGHT - LEFT), 1)

    def down(value: float) -> float:
        return round(BOTTOM - value * (BOTTOM - TOP), 1)

    for name, (voice, accuracy) in both.items():
        yield Point(
            name, across(voice.all.value), down(accuracy.all.value), across(voice.all.low), across(voice.all.high),
            down(accuracy.all.high), down(accuracy.all.low),
        )  # fmt: skip
    yield Point(number(0, "share"), across(0), BOTTOM, across(0), across(0), BOTTOM, BOTTOM)
    yield Point(number(1, "share"), across(1), BOTTOM, across(1), across(1), BOTTOM, BOTTOM)
