"""The figures as rows, for a table that people sort and other programs read."""

from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.wording import cell, shown_measures, titled


def figures(evaluation: Evaluation) -> list[dict[str, str]]:
    """A row for each measure that says something: its title, then the figure of each system with its doubt."""
    return [
        {"measure": titled(evaluation, one)}
        | {name: cell(result.figures.get(one.key), one.unit) for name, result in evaluation.systems.items()}
        for one in shown_measures(evaluation)
    ]
