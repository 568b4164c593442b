"""The figures as rows, for a table that people sort and other programs read."""

from typing import NamedTuple

from pipeline.evaluation.doubt import Estimate
from pipeline.jobs.evaluating.record import COSTS, Evaluation
from pipeline.jobs.evaluating.report.wording import DASH, cell, shown_measures, titled, with_doubt

BY_KIND = ("accuracy", "refusal_recall")
"""The measures that are told by the kind of question."""
OF_ALL = ("refusal_precision",)
"""Measures that say nothing of questions with a page alone: there every refusal is wrong."""


class Part(NamedTuple):
    """One measure by the kind of question: a row for each kind, with the figure of each system."""

    title: str
    rows: list[list[str]]


def figures(evaluation: Evaluation) -> list[dict[str, str]]:
    """A row for each measure that says something: its title, then the figure of each system with its doubt."""
    return [
        {"measure": titled(evaluation, one)}
        | {name: cell(result.figures.get(one.key), one.unit) for name, result in evaluation.systems.items()}
        for one in shown_measures(evaluation)
    ]


def seen_and_unseen(evaluation: Evaluation) -> list[list[str]]:
    """Rows of measure, system, its figure on pages that were trained on, and on others; none if nothing was trained on.

    What an answer costs does not depend on that.
    """
    return [
        [one.title, name, with_doubt(figure.seen, one.unit), with_doubt(figure.unseen, one.unit)]
        for one in shown_measures(evaluation)
        if one.unit not in COSTS and one.key not in OF_ALL
        for name, result in evaluation.systems.items()
        if (figure := result.figures.get(one.key)) and (figure.seen or figure.unseen)
    ]


def by_kind(evaluation: Evaluation) -> list[Part]:
    """The measures that the kind of question tells most about."""
    found = []
    for one in (one for one in shown_measures(evaluation) if one.key in BY_KIND):
        parts = {
            name: result.figures[one.key].kinds
            for name, result in evaluation.systems.items()
            if one.key in result.figures
        }
        kinds = dict.fromkeys(kind for of in parts.values() for kind in of)
        rows = [
            [kind.replace("_", " "), *(_of_kind(parts.get(name, {}).get(kind)) for name in evaluation.systems)]
            for kind in kinds
        ]
        found.append(Part(one.title, rows))
    return found


def _of_kind(found: Estimate | None) -> str:
    return f"{with_doubt(found, 'share')} of {found.count}" if found else DASH
