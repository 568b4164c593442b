"""The filter of pairs: stages that find what the teacher's own grades miss.

Each stage can be switched off, and says why it refuses a pair.
"""

from pipeline.dataset.filters.duplicates import duplicates
from pipeline.dataset.filters.privacy import redacted
from pipeline.dataset.filters.relevance import relevance
from pipeline.dataset.filters.stages import Check, judged

__all__ = ["Check", "duplicates", "judged", "redacted", "relevance"]
