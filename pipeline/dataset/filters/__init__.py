"""What self-grading can't see: stages that each can be switched off, and that say why they refuse a pair."""

from pipeline.dataset.filters.duplicates import duplicates
from pipeline.dataset.filters.privacy import redacted
from pipeline.dataset.filters.relevance import relevance
from pipeline.dataset.filters.stages import Check, judged

__all__ = ["Check", "duplicates", "judged", "redacted", "relevance"]
