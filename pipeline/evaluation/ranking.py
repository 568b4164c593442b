"""Measures how good a ranking is. Pure: takes ranked ids and judgements, returns numbers from 0 to 1."""

from collections.abc import Mapping, Sequence
from math import log2


def recall(ranked: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """The share of the relevant ids that stand among the first `k` of `ranked`."""
    relevant = {id for id, grade in judged.items() if grade > 0}
    return len(relevant.intersection(ranked[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranked: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """1 / the rank of the first relevant id among the first `k`; 0 if there is none (MRR averages it over queries)."""
    return next((1 / rank for rank, id in enumerate(ranked[:k], 1) if judged.get(id, 0) > 0), 0.0)


def ndcg(ranked: Sequence[str], judged: Mapping[str, int], k: int) -> float:
    """Discounted cumulative gain of the first `k` over the best possible one, with linear gains as in trec_eval and BEIR."""
    gained = _discounted([judged.get(id, 0) for id in ranked[:k]])
    best = _discounted(sorted(judged.values(), reverse=True)[:k])
    return gained / best if best else 0.0


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))


MEASURES = {
    **{f"recall@{k}": (recall, k) for k in (3, 5, 10, 20)},
    **{f"mrr@{k}": (reciprocal_rank, k) for k in (3, 10)},
    "ndcg@10": (ndcg, 10),
}


def judge(rankings: Mapping[str, Sequence[str]], judgements: Mapping[str, Mapping[str, int]]) -> dict[str, float]:
    """Each measure's mean over all judged queries. A query without a ranking counts as nothing found.

    Args:
        rankings: the ranked document ids of each query, best first.
        judgements: the grade of each judged document, by query id and document id.
    """
    return {
        name: sum(measure(rankings.get(query, ()), judged, k) for query, judged in judgements.items()) / len(judgements)
        for name, (measure, k) in MEASURES.items()
    }
