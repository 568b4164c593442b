"""Writes the report beside the record."""

from pathlib import Path

from pipeline import files
from pipeline.jobs.evaluating.record import Evaluation, report_file
from pipeline.jobs.evaluating.report.markdown import markdown
from pipeline.settings import Settings


def write_report(settings: Settings, evaluation: Evaluation) -> Path:
    """Writes `eval-N.md` beside the record, and returns its path."""
    file = report_file(settings, evaluation.number, ".md")
    files.write_text(file, markdown(evaluation))
    return file
