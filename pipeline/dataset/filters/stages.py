"""The stages that look at one pair alone, in the order of the settings."""

from collections.abc import Callable

from pipeline.dataset.filters.form import form, length
from pipeline.dataset.filters.grounding import grounding
from pipeline.dataset.filters.language import language
from pipeline.dataset.filters.privacy import privacy, redacted
from pipeline.dataset.records import Candidate, Judgement, Rejection
from pipeline.settings import DatasetSettings, FilterStage

Stage = Callable[[Candidate, DatasetSettings], str]
"""Gives the reason to refuse the pair, or ""."""


def score(candidate: Candidate, settings: DatasetSettings) -> str:
    """Refuses what the teacher itself graded low."""
    pair = candidate.pair
    low = [name for name in ("accuracy", "style") if getattr(pair, name) < settings.min_score]
    return "; ".join(f"the teacher gave its {name} {getattr(pair, name)} of 10" for name in low)


STAGES: dict[FilterStage, Stage] = {
    "score": score,
    "length": length,
    "form": form,
    "language": language,
    "privacy": privacy,
    "grounding": grounding,
}


def check(candidate: Candidate, settings: DatasetSettings) -> Rejection | None:
    """What the first stage that refuses the pair says; None when all that are switched on let it pass."""
    for name, stage in STAGES.items():
        if name in settings.stages and (reason := stage(candidate, settings)):
            return Rejection(stage=name, reason=redacted(reason))
    return None


def judged(judgement: Judgement, settings: DatasetSettings) -> Rejection | None:
    """What a judge's grades mean for the pair."""
    grades = {"faithful to the text": judgement.faithful, "relevant": judgement.relevant}
    low = [f"the judge finds it {name} {grade} of 10" for name, grade in grades.items() if grade < settings.min_score]
    said = f" ({judgement.reason})" if judgement.reason else ""
    return Rejection(stage="judge", reason="; ".join(low) + said) if low else None
