"""Checks the teacher's own grades."""

from pipeline.dataset.records import Candidate
from pipeline.settings import DatasetSettings


def score(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse a pair that the teacher graded below `min_score`; or ""."""
    pair = candidate.pair
    low = [name for name in ("accuracy", "style") if getattr(pair, name) < settings.min_score]
    return "; ".join(f"the teacher gave its {name} {getattr(pair, name)} of 10" for name in low)
