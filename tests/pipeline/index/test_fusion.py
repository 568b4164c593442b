import pytest

from pipeline.index.fusion import fuse_ranks, fuse_scores


def test_ranks():
    assert fuse_ranks(["a", "b"], ["b", "c"]) == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_scores_are_stretched_and_averaged():
    fused = fuse_scores({"a": 0.9, "b": 0.5, "c": 0.1}, {"b": 12.0, "d": 2.0})
    assert fused == pytest.approx({"a": 0.5, "b": 0.75, "c": 0.0, "d": 0.0})


def test_one_candidate_is_the_best_of_its_list():
    assert fuse_scores({"a": 0.2}, {}) == {"a": 0.5}


def test_nothing():
    assert fuse_ranks([], []) == fuse_scores({}, {}) == {}
