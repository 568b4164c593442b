"""The filter stages that need one pair alone, in the order of their table."""

from collections.abc import Callable
from dataclasses import replace

from pipeline.dataset.filters.privacy import redacted
from pipeline.dataset.records import Candidate, Judgement, Rejection
from pipeline.parts import FILTER_STAGES
from pipeline.settings import DatasetSettings

Stage = Callable[[Candidate, DatasetSettings], str]
"""Returns the reason to refuse a pair, or ""."""


class Check:
    """Checks pairs with the stages that are switched on. Each pair is checked once, and the result is kept.

    Args:
        author: the persona's name, which the stages see as the candidate's; "": nobody named it.
    """

    def __init__(self, settings: DatasetSettings, author: str = "") -> None:
        self._settings = settings
        self._author = author
        self._stages: dict[str, Stage] = {
            name: FILTER_STAGES.load(name) for name in FILTER_STAGES.kinds() if name in settings.stages
        }
        self._said: dict[Candidate, Rejection | None] = {}

    def __call__(self, candidate: Candidate) -> Rejection | None:
        """The rejection by the first stage that refuses the pair; None if all accept it."""
        if candidate not in self._said:
            self._said[candidate] = self._look(candidate)
        return self._said[candidate]

    def _look(self, candidate: Candidate) -> Rejection | None:
        candidate = replace(candidate, author=candidate.author or self._author)
        for name, stage in self._stages.items():
            if reason := stage(candidate, self._settings):
                return Rejection(stage=name, reason=redacted(reason))
        return None


def judged(judgement: Judgement, settings: DatasetSettings) -> Rejection | None:
    """The rejection for a judge's grades below `min_score`; None if the pair passes."""
    grades = {"faithful to the text": judgement.faithful, "relevant": judgement.relevant}
    low = [f"the judge finds it {name} {grade} of 10" for name, grade in grades.items() if grade < settings.min_score]
    said = f" ({judgement.reason})" if judgement.reason else ""
    return Rejection(stage="judge", reason="; ".join(low) + said) if low else None
