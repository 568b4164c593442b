"""Records the evaluation of a run's adapter, so that `sitetwin runs` and the run's report show it."""

from typing import Literal

from pipeline.evaluation.comparing import AnswerScores
from pipeline.settings import Settings
from pipeline.training import registry
from pipeline.training.registry import RunScore
from pipeline.training.report import write_report

QuestionSet = Literal["held out", "seen"]
"""Questions that no run was trained on, and questions that the runs were trained on."""


def record_scores(settings: Settings, run: str, asked: QuestionSet, scores: AnswerScores) -> None:
    """Writes scores into the record and the report of `run`.

    Args:
        settings: the site's settings.
        run: the run's name.
        asked: which questions were asked.
        scores: the scores of the run's adapter, or of the adapter of its last weights.

    Raises:
        SitetwinError: there is no such run.
    """
    new = RunScore(
        adapter=scores.adapter or "",
        asked=asked,
        mode=scores.mode,
        questions=len(scores.answers),
        mean=scores.mean,
        by_kind=scores.by_kind,
    )
    write_report(settings, registry.keep_scores(settings, run, [new]))
