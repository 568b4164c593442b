"""Two ranked lists made one. Pure: chunk ids and scores in, scores out, higher is better."""

from collections.abc import Mapping, Sequence


def fuse_ranks(*lists: Sequence[str], k: int = 60) -> dict[str, float]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): the sum of 1 / (k + rank), rank from 1."""
    scores: dict[str, float] = {}
    for ranked in lists:
        for rank, item in enumerate(ranked, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    return scores


def fuse_scores(*lists: Mapping[str, float]) -> dict[str, float]:
    """The mean of the lists' scores, each list stretched to 0 (its worst) to 1 (its best); what a list lacks is 0 there."""
    scores: dict[str, float] = {}
    for scored in lists:
        low, high = min(scored.values(), default=0.0), max(scored.values(), default=0.0)
        for item, score in scored.items():
            stretched = (score - low) / (high - low) if high > low else 1.0
            scores[item] = scores.get(item, 0.0) + stretched / len(lists)
    return scores
