"""The report as a terminal shows it."""

from collections.abc import Iterator

from pipeline.jobs.evaluating.record import Evaluation
from pipeline.jobs.evaluating.report.wording import cell, conclusions, doubts, shown_measures, titled


def lines(evaluation: Evaluation) -> Iterator[str]:
    """The figures of all systems in columns, and what they show."""
    names = list(evaluation.systems)
    rows = [
        [titled(evaluation, one), *(cell(evaluation.systems[name].figures.get(one.key), one.unit) for name in names)]
        for one in shown_measures(evaluation)
    ]
    table = [["", *names], *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(names) + 1)]
    yield ""
    for row in table:
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
    yield ""
    yield from conclusions(evaluation)
    yield from doubts(evaluation)
