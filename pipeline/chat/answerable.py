"""Whether the passages can answer the question at all."""

from collections.abc import Sequence

from pipeline.chat.words import content_stems, stems_with_parts
from pipeline.index.passages import Passage

SIMILARITY_WEIGHT = 0.6


def answerability(question: str, passages: Sequence[Passage]) -> float:
    """How far the passages are about what is asked, 0 to 1.

    The best cosine of question and passage, mixed with the share of the question's words that the passages hold. The
    first is blind to names it has never seen, the second to other words for the same thing.
    """
    if not passages:
        return 0.0
    wanted = set(content_stems(question))
    held = stems_with_parts(" ".join(f"{p.title} {p.heading} {p.text}" for p in passages))
    shared = len(wanted & held) / len(wanted) if wanted else 0.0
    similarities = [p.similarity for p in passages if p.similarity is not None]
    if not similarities:
        return shared
    return SIMILARITY_WEIGHT * max(similarities) + (1 - SIMILARITY_WEIGHT) * shared
