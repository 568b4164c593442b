import pytest

from benchmarks.written_pace import figures


def test_the_ratio_is_the_median_over_the_questions() -> None:
    found = figures([(1.0, 2.0), (3.0, 2.0), (90.0, 100.0)])
    assert found["ratio"] == pytest.approx(0.9)
    assert (found["questions"], found["median_seconds"], found["former_median_seconds"]) == (3, 3.0, 2.0)
    assert (found["low"], found["high"]) == (None, None)


def test_the_interval_is_that_of_a_median() -> None:
    """With ten values the second and the ninth: Conover's table A3 gives 97.9 %."""
    found = figures([(float(n), 10.0) for n in range(1, 11)])
    assert found["ratio"] == pytest.approx(0.55)
    assert (found["low"], found["high"]) == pytest.approx((0.2, 0.9))
