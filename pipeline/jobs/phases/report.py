"""The phases as one HTML file, like a run's report."""

from pathlib import Path

from pipeline import files
from pipeline.dataset.versions import read_card, version_folder, versions
from pipeline.jobs.evaluating.record import report_file
from pipeline.jobs.evaluating.report.table import figures
from pipeline.jobs.phases.experiment import Experiment, chart_file, evaluations, phase_runs, sentences
from pipeline.settings import Settings
from pipeline.training.report import picture, render

TEMPLATE = Path(__file__).parent / "templates" / "phases.html"


def write_phases_report(settings: Settings, experiment: Experiment) -> Path:
    """Writes `phases-N.html` beside the experiment's record, with everything so far, and returns its path."""
    chart = chart_file(settings, experiment)
    is_there = experiment.data_set in versions(settings)
    html = render(
        TEMPLATE,
        title=f"Three phases, {experiment.number}",
        experiment=experiment,
        runs=phase_runs(settings, experiment),
        card=read_card(version_folder(settings, experiment.data_set)) if is_there else None,
        chart=picture(chart),
        sentences=sentences(settings, experiment),
        evaluations=[
            (asked, made, report_file(settings, made.number, ".html").name, figures(made))
            for asked, made in evaluations(settings, experiment).items()
        ],
    )
    report = chart.with_suffix(".html")
    files.write_text(report, html)
    return report
