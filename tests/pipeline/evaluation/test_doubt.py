import math

import numpy as np
import pytest
from scipy.stats import binomtest

from pipeline.evaluation.doubt import difference, estimate, holm, questions_needed, visible_gap


def numbered(values: list[float]) -> dict[str, float]:
    return {f"q{n}": value for n, value in enumerate(values)}


def test_a_share_has_wilson_s_interval() -> None:
    found = estimate([1.0] * 8 + [0.0] * 2, binary=True)
    assert found is not None
    # Wilson's own formula at z = 1.96.
    z, n, p = 1.959964, 10, 0.8
    middle, half = (
        (p + z * z / (2 * n)) / (1 + z * z / n),
        z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)),
    )
    assert (found.value, found.count) == (0.8, 10)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half), abs=1e-5)


def test_all_right_is_not_certain() -> None:
    found = estimate([1.0] * 10, binary=True)
    assert found is not None
    assert found.low == pytest.approx(0.722, abs=0.001)
    assert estimate([], binary=True) is None


def test_a_mean_has_a_bootstrap_interval_that_narrows_with_more_answers() -> None:
    few, many = (estimate(list(np.linspace(0, 1, n)), binary=False) for n in (10, 1000))
    assert few is not None
    assert many is not None
    assert few.low < many.low < 0.5 < many.high < few.high


def test_mcnemar_looks_only_at_the_questions_that_differ() -> None:
    first, second = numbered([1, 1, 1, 1, 0, 0, 0, 0, 0, 0]), numbered([1, 1, 1, 0, 1, 1, 1, 1, 1, 1])
    found = difference(first, second, binary=True)
    assert found is not None
    assert found.value == pytest.approx(0.5)
    assert found.p == pytest.approx(binomtest(1, 7).pvalue)
    assert found.low < 0.5 < found.high


def test_equal_systems_show_no_difference_and_few_questions_decide_nothing() -> None:
    same = numbered([1, 0, 1, 0, 1])
    found = difference(same, same, binary=True)
    assert found is not None
    assert (found.value, found.p) == (0, 1)
    assert difference(numbered([1, 1, 1, 1]), numbered([0, 0, 0, 0]), binary=True) is None


def test_shares_of_an_answer_are_compared_by_a_paired_bootstrap() -> None:
    low = numbered([0.1 * n for n in range(10)])
    high = {question: value + 0.2 for question, value in low.items()}
    found = difference(low, high, binary=False)
    assert found is not None
    # Each question alone says the same, however much the questions differ among themselves.
    assert (found.low, found.value, found.high) == pytest.approx((0.2, 0.2, 0.2))
    # Only two of 2¹⁰ ways to change the signs are as far from 0.
    assert found.p == pytest.approx(2 / 2**10)
    back = difference(high, low, binary=False)
    assert back is not None
    assert back.value == pytest.approx(-0.2)


def test_only_common_questions_are_compared() -> None:
    first = numbered([1.0] * 8)
    second = {"q1": 1.0, "q2": 1.0, "q3": 1.0, "q4": 1.0, "q5": 1.0, "other": 0.0}
    found = difference(first, second, binary=True)
    assert found is not None
    assert found.count == 5


def test_holm_multiplies_the_smallest_p_by_all_comparisons() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_questions_needed_are_those_of_the_formula_and_are_enough() -> None:
    assert questions_needed(0.2, 0.5) == 96
    assert questions_needed(0.1, 0.5) == 391
    assert questions_needed(1.0) < 10
    # Of sets of that size, McNemar's test sees the difference in about 80 % (the exact test is a little strict).
    rng = np.random.default_rng(1)
    seen = 0
    for _ in range(400):
        wins = rng.choice([1, -1, 0], 96, p=[0.35, 0.15, 0.5])
        seen += binomtest(int((wins == 1).sum()), int((wins != 0).sum())).pvalue < 0.05
    assert 0.7 < seen / 400 < 0.9
    assert visible_gap(96) == 0.2
