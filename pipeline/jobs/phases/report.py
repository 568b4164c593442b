"""The phases as one HTML file, like a run's report."""

from pathlib import Path
from typing import Any

from pipeline import files
from pipeline.dataset.versions import read_card, version_folder, versions
from pipeline.jobs.phases.experiment import Experiment, chart_file, phase_runs, sentences
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
        systems=list(experiment.scores),
        questions=_by_question(experiment),
    )
    report = chart.with_suffix(".html")
    files.write_text(report, html)
    return report


def _by_question(experiment: Experiment) -> list[dict[str, Any]]:
    """Each question with every system's answer. Questions that not every system was asked yet are left out."""
    rows = []
    for asked, held in experiment.questions.items() if experiment.scores else ():
        answers = {
            system: {answer.question: answer for answer in of_system[asked].answers}
            for system, of_system in experiment.scores.items()
            if asked in of_system
        }
        for one in held:
            found = {system: known[one.question] for system, known in answers.items() if one.question in known}
            if len(found) == len(experiment.scores):
                rows.append({"asked": asked, "held": one, "answers": found})
    return rows
