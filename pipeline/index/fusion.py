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
    """The mean of the lists' scores, each as a part of its list's best; what a list lacks, or has below 0, is 0 there.

    0 is the least that BM25 and a useful cosine can be, however many candidates there are; the worst candidate, which
    is often put in its place, moves with their number (Bruch, Gai and Ingber, ACM TOIS 42(1), 2023).
    """
    scores: dict[str, float] = {}
    for scored in lists:
        best = max(scored.values(), default=0.0)
        for item, score in scored.items():
            part = max(score, 0.0) / best if best > 0 else 0.0
            scores[item] = scores.get(item, 0.0) + part / len(lists)
    return scores
