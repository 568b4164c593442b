"""Whether the passages can answer the question at all."""

from collections.abc import Sequence

from pipeline.chat.words import content_stems, names, stems_with_parts
from pipeline.index.passages import Passage

SIMILARITY_WEIGHT = 0.6
MISSING_NAME = 0.6
"""Factor when the passages lack something that the question names: they may be near it, but not about it."""


def answerability(question: str, passages: Sequence[Passage]) -> float:
    """How far the passages are about what is asked, 0 to 1.

    The best cosine of question and passage, mixed with the share of the question's words that the passages hold. The
    first is blind to names it has never seen, the second to other words for the same thing. What the question names
    by a proper name or a number has to be there.
    """
    if not passages:
        return 0.0
    wanted = set(content_stems(question))
    held = stems_with_parts(" ".join(f"{p.title} {p.heading} {p.text}" for p in passages))
    shared = len(wanted & held) / len(wanted) if wanted else 0.0
    similarities = [p.similarity for p in passages if p.similarity is not None]
    score = SIMILARITY_WEIGHT * max(similarities) + (1 - SIMILARITY_WEIGHT) * shared if similarities else shared
    return score if names(question) <= held else MISSING_NAME * score
