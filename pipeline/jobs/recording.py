"""What an evaluation of a run's adapter gave, put where `sitetwin runs` and the run's report show it."""

from typing import Literal

from pipeline.evaluation.comparing import Scores
from pipeline.settings import Settings
from pipeline.training import registry
from pipeline.training.registry import RunScore
from pipeline.training.report import write_report

QuestionSet = Literal["held out", "seen"]
"""Questions that no run was trained on, and some that it was."""


def record_scores(settings: Settings, run: str, asked: QuestionSet, scores: Scores) -> None:
    """Into the record and the report of `run`.

    Args:
        scores: of an adapter, the run's own or that of its last weights.

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
