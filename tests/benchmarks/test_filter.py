from collections import Counter

import numpy as np
import pytest

from benchmarks.filter import (
    BLOG,
    DUPLICATED,
    FIRST_FORM,
    GOOD,
    figures,
    first_form,
    load_planted,
    measure,
    sampled,
)
from benchmarks.running import PROJECT
from pipeline.dataset.filters import Check
from pipeline.settings import Settings

PLANTED = load_planted()


def test_bad_pairs_among_the_refused_and_refused_among_the_bad() -> None:
    good_kept, good_refused, bad_kept, bad_refused = (True, False), (True, True), (False, False), (False, True)
    found = figures([good_kept] * 6 + [good_refused] * 2 + [bad_kept] + [bad_refused] * 3)
    assert found.refused == 5
    assert found.precision == pytest.approx(3 / 5)
    assert found.recall == pytest.approx(3 / 4)
    assert found.good_kept == pytest.approx(6 / 8)
    assert found.f1 == pytest.approx(2 * 0.6 * 0.75 / 1.35)


def test_refusing_nothing_has_no_precision() -> None:
    found = figures([(True, False), (False, False)])
    assert (found.precision, found.recall, found.good_kept, found.f1) == (None, 0.0, 1.0, 0.0)


def test_a_half_counts_its_own_pairs_only() -> None:
    refused = {candidate.pair.id for one, candidate in PLANTED if one.half == "held out" and one.sort != GOOD}
    held_out = measure("held out", PLANTED, {"all": refused})
    tuned_on = measure("tuned on", PLANTED, {"all": refused})
    assert (held_out.stages["all"].precision, held_out.stages["all"].recall) == (1.0, 1.0)
    assert set(held_out.caught) == {one.sort for one, _ in PLANTED if one.half == "held out" and one.sort != GOOD}
    assert all(shares == {"all": 1.0} for shares in held_out.caught.values())
    assert tuned_on.stages["all"].refused == 0


def test_the_planted_set_is_as_large_as_the_guide_says() -> None:
    sorts = Counter(one.sort for one, _ in PLANTED if one.half != "another's blog")
    assert sorts[GOOD] >= 60
    wrong_facts = ("wrong number", "wrong name", "negated", "swapped", "invented")
    assert sum(sorts[sort] for sort in wrong_facts) >= 50
    for sort in (
        "unanswerable",
        "off-topic",
        DUPLICATED,
        "leaking",
        "does not stand alone",
        "wrong language",
        "length",
    ):
        assert sorts[sort] >= 20
    halves = Counter(one.half for one, _ in PLANTED)
    assert 0.4 < halves["held out"] / (halves["held out"] + halves["tuned on"]) < 0.6
    assert ("another's blog" in halves) == BLOG.is_dir()
    assert len({candidate.pair.id for _, candidate in PLANTED}) == len(PLANTED)


def test_faults_in_a_teachers_own_words_are_refused_and_good_pairs_kept() -> None:
    check = Check(Settings(root=PROJECT).dataset)
    own = [(one, check(candidate)) for one, candidate in PLANTED if one.half == "teacher's words, held out"]
    refused = [found is not None for one, found in own if not one.good]
    assert sum(refused) >= 0.95 * len(refused)
    assert not [found for one, found in own if one.good and found]


def test_a_sample_has_some_of_each_sort_and_half() -> None:
    counts = Counter((one.sort, one.half) for one, _ in sampled(PLANTED, 2))
    assert counts.keys() == {(one.sort, one.half) for one, _ in PLANTED}
    assert max(counts.values()) == 2


def test_the_first_form_knows_questions_by_their_cosine() -> None:
    def embed(texts):
        angles = np.arccos(FIRST_FORM) * np.array([0, 0.9, 2])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    candidates = [candidate for _, candidate in PLANTED[:3]]
    assert first_form(candidates, embed) == {candidates[1].pair.id}
