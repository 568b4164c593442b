import numpy as np
import pytest

from benchmarks.refusal import CLONES, COLLECTIONS, f1, figures
from pipeline.evaluation.golden import load


def test_refusals_are_counted_against_what_can_be_answered() -> None:
    answerable = np.array([True, True, True, True, False, False, False])
    scores = np.array([0.4, 0.3, 0.2, -0.1, -0.3, -0.2, 0.25])
    found = figures(answerable, scores, np.array([True, True, True, False, False, False, False]))
    assert found.precision == pytest.approx(2 / 3)
    assert found.recall == pytest.approx(2 / 3)
    assert found.false_refusals == pytest.approx(1 / 4)
    assert found.found_refused == 0
    # Of the twelve pairs, .2 and -.1 stand below .25.
    assert found.auc == pytest.approx(10 / 12)
    assert f1(found) == pytest.approx(2 / 3)


def test_refusing_nothing_has_no_precision() -> None:
    found = figures(np.array([True, False]), np.array([0.1, 0.1]), np.array([False, False]))
    assert (found.precision, found.recall, found.found_refused, found.auc, f1(found)) == (None, 0.0, None, 0.5, 0.0)


@pytest.mark.parametrize("collection", COLLECTIONS, ids=lambda collection: collection.name)
def test_the_held_out_questions_are_of_both_kinds_and_of_no_other_list(collection) -> None:
    held_out = [question for file in collection.held_out for question in load(file)]
    assert sum(question.answerable for question in held_out) == len(held_out) / 2 >= 25
    others = {question.question for file in collection.tuned_on for question in load(file)}
    assert not others & {question.question for question in held_out}


@pytest.mark.parametrize("clone", CLONES, ids=lambda clone: clone.name)
def test_the_questions_about_a_clone_are_of_both_kinds(clone, tmp_path) -> None:
    collection = clone.collection(tmp_path)
    questions = [question for file in (*collection.tuned_on, *collection.held_out) for question in load(file)]
    assert sum(question.answerable for question in questions) >= 20
    assert sum(not question.answerable for question in questions) >= 20
    assert bool(collection.tuned_on) == clone.tuned_on
