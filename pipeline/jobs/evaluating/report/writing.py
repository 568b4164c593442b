"""Writes the report beside the record."""

from pathlib import Path

from pipeline import files
from pipeline.jobs.evaluating.record import Evaluation, report_file
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.jobs.evaluating.report.page import page
from pipeline.settings import Settings


def write_report(settings: Settings, evaluation: Evaluation) -> Path:
    """Writes `eval-N.md` and `eval-N.html` beside the record, and returns the path of the second."""
    files.write_text(report_file(settings, evaluation.number, ".md"), markdown(evaluation))
    file = report_file(settings, evaluation.number, ".html")
    files.write_text(file, page(settings, evaluation))
    return file
