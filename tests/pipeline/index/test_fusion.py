import pytest

from pipeline.index.fusion import fuse_ranks, fuse_scores, fuse_shares


def test_ranks():
    assert fuse_ranks(["a", "b"], ["b", "c"]) == pytest.approx({"a": 1 / 61, "b": 1 / 62 + 1 / 61, "c": 1 / 62})


def test_scores_count_as_parts_of_their_lists_best():
    fused = fuse_scores({"a": 0.8, "b": 0.4, "c": 0.2}, {"b": 12.0, "d": 3.0})
    assert fused == pytest.approx({"a": 0.5, "b": 0.75, "c": 0.125, "d": 0.125})


def test_a_score_does_not_depend_on_how_many_worse_candidates_there_are():
    few = fuse_scores({"a": 0.8, "b": 0.6}, {"b": 9.0, "a": 6.0})
    many = fuse_scores({"a": 0.8, "b": 0.6, "c": 0.1}, {"b": 9.0, "a": 6.0, "d": 1.0})
    assert few == {item: many[item] for item in few}


def test_a_score_below_zero_adds_nothing():
    assert fuse_scores({"a": 0.5, "b": -0.5}, {"b": 3.0}) == {"a": 0.5, "b": 0.5}
    assert fuse_scores({"a": -0.2}, {}) == {"a": 0.0}


def test_one_candidate_is_the_best_of_its_list():
    assert fuse_scores({"a": 0.2}, {}) == {"a": 0.5}


def test_nothing():
    assert fuse_ranks([], []) == fuse_scores({}, {}) == {}


def test_shares_are_counted_from_what_unrelated_texts_have():
    fused = fuse_shares({"a": 0.9, "b": 0.85, "c": 0.7}, 0.8, {"b": 3.0, "d": 6.0}, 12.0)
    assert fused == pytest.approx({"a": 0.5, "b": 0.25 + 0.125, "c": 0.0, "d": 0.25})


def test_shares_where_nothing_is_related():
    assert fuse_shares({"a": 0.7}, 0.8, {"a": 1.0}, 4.0) == {"a": 0.125}
    assert fuse_shares({}, 0.8, {}, 1.0) == {}
