"""Merges ranked lists into one. Pure: chunk ids and scores in, scores out. A higher score is better."""

from collections.abc import Mapping, Sequence


def fuse_ranks(*lists: Sequence[str], k: int = 60) -> dict[str, float]:
    """Reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009).

    Args:
        lists: chunk ids, best first.

    Returns:
        By chunk id, the sum of 1 / (k + rank) over the lists, where ranks start at 1.
    """
    scores: dict[str, float] = {}
    for ranked in lists:
        for rank, item in enumerate(ranked, 1):
            scores[item] = scores.get(item, 0.0) + 1 / (k + rank)
    return scores


def fuse_scores(*lists: Mapping[str, float]) -> dict[str, float]:
    """Divides each score by the best score of its list, then takes the mean over the lists.

    A chunk that a list lacks, or scores below 0, counts as 0 in that list. 0 is the lowest that BM25 and a useful cosine
    can be, whatever the number of candidates. The usual choice, the score of the worst candidate, changes with that
    number (Bruch, Gai and Ingber, ACM TOIS 42(1), 2023).

    Args:
        lists: scores by chunk id.
    """
    scores: dict[str, float] = {}
    for scored in lists:
        best = max(scored.values(), default=0.0)
        for item, score in scored.items():
            part = max(score, 0.0) / best if best > 0 else 0.0
            scores[item] = scores.get(item, 0.0) + part / len(lists)
    return scores


def fuse_shares(
    cosines: Mapping[str, float], unrelated: float, keyword: Mapping[str, float], full: float
) -> dict[str, float]:
    """The mean of a cosine's share of the best one, counted from what unrelated texts have, and of the question's words.

    For an embedder whose cosines lie close together, so that divided by the best one they would all count alike. A chunk
    that holds half of the question's words counts half, even if no other holds more: the page that is meant may use other
    words.

    Args:
        cosines: by chunk id.
        unrelated: the cosine of texts that have nothing to do with each other.
        keyword: the keyword scores by chunk id.
        full: the keyword score of a chunk that holds the whole question.
    """
    best = max(cosines.values(), default=unrelated) - unrelated
    scores = {item: max(cosine - unrelated, 0.0) / best / 2 if best > 0 else 0.0 for item, cosine in cosines.items()}
    for item, score in keyword.items():
        scores[item] = scores.get(item, 0.0) + score / full / 2
    return scores
