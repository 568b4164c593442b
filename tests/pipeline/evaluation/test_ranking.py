from math import log2

import pytest

from pipeline.evaluation.ranking import judge, ndcg, recall, reciprocal_rank

JUDGED = {"a": 1, "b": 1, "z": 0}


def test_recall():
    assert recall(["x", "a", "b"], JUDGED, 2) == 0.5
    assert recall(["x", "a", "b"], JUDGED, 3) == 1
    assert recall([], JUDGED, 3) == 0
    assert recall(["a"], {"z": 0}, 3) == 0


def test_reciprocal_rank():
    assert reciprocal_rank(["x", "z", "b"], JUDGED, 3) == pytest.approx(1 / 3)
    assert reciprocal_rank(["x", "z", "b"], JUDGED, 2) == 0


def test_ndcg():
    assert ndcg(["a", "b"], JUDGED, 10) == 1
    assert ndcg(["x", "a"], JUDGED, 10) == pytest.approx((1 / log2(3)) / (1 + 1 / log2(3)))
    assert ndcg(["low", "high"], {"high": 3, "low": 1}, 10) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))
    assert ndcg(["x"], {"z": 0}, 10) == 0


def test_a_query_without_a_ranking_counts_as_nothing():
    measures = judge({"q1": ["a", "b"]}, {"q1": JUDGED, "q2": JUDGED})
    assert measures == {
        "recall@3": 0.5, "recall@5": 0.5, "recall@10": 0.5, "recall@20": 0.5,
        "mrr@3": 0.5, "mrr@10": 0.5, "ndcg@10": 0.5,
    }  # fmt: skip
