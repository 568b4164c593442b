"""The report as a terminal shows it."""

from collections.abc import Iterator

from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.table import figures
from pipeline.jobs.evaluating.report.wording import conclusions, doubts


def lines(evaluation: Evaluation) -> Iterator[str]:
    """The figures of all systems in columns, and what they show."""
    yield ""
    yield from columns(evaluation)
    yield ""
    yield from conclusions(evaluation)
    yield from doubts(evaluation)
    yield from map(str, evaluation.agreements)


def columns(evaluation: Evaluation) -> Iterator[str]:
    """The figures, a column for each system."""
    table = [["", *evaluation.systems], *(list(row.values()) for row in figures(evaluation))]
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    for row in table:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
