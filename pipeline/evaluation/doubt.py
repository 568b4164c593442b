"""How far figures can be trusted: intervals, paired tests on the same questions, and how many questions a difference needs.

Pure. scipy and statsmodels compute; they are imported where they are used, because both take most of a second.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.measured import Measured, Number

RESAMPLES = 5000
CONFIDENCE = 0.95
POWER = 0.8
"""The chance to see a difference that is there, of a set that is just large enough."""
FEWEST_PAIRS = 5
"""Fewer common questions decide nothing."""


class Estimate(Measured):
    """A mean with its 95 % interval; `low` and `high` equal `value` where one answer leaves no doubt to compute."""

    value: Number
    low: Number
    high: Number
    count: int
    """How many answers it is the mean of."""


class Difference(Measured):
    """What the second system has more than the first one, on the questions that both were judged on."""

    value: Number
    low: Number
    high: Number
    p: Number
    """How likely so large a difference is where there is none, before it is corrected for other comparisons."""
    count: int


def estimate(values: Sequence[float], *, binary: bool) -> Estimate | None:
    """The mean of `values` with its 95 % interval; None for no values.

    Right or wrong has Wilson's interval (Wilson, Probable inference, 1927), which stays within 0 and 1 and holds for few
    answers. Anything else has the percentile interval of a bootstrap (Efron and Tibshirani, An Introduction to the
    Bootstrap, 1993).

    Args:
        values: one for each answer.
        binary: whether each is 0 or 1.
    """
    if not values:
        return None
    value = float(np.mean(values))
    if binary:
        from statsmodels.stats.proportion import proportion_confint

        low, high = proportion_confint(round(sum(values)), len(values), 1 - CONFIDENCE, method="wilson")
        return Estimate(value=value, low=float(low), high=float(high), count=len(values))
    low, high = percentiles(_means(np.asarray(values, float)))
    return Estimate(value=value, low=low, high=high, count=len(values))


def difference(first: Mapping[str, float], second: Mapping[str, float], *, binary: bool) -> Difference | None:
    """How much higher `second` is than `first`, on the same questions; None for fewer than FEWEST_PAIRS of them.

    The interval is that of a paired bootstrap. For right or wrong, p is that of the exact McNemar test (McNemar, 1947),
    which looks only at the questions on which the two differ. Else it is that of the paired permutation test (Fisher, The
    Design of Experiments, 1935), as a bootstrap's own p is far too small for a handful of questions.

    Args:
        first: its value of each question.
        second: the other's value of each question.
        binary: whether each is 0 or 1.
    """
    common = [question for question in first if question in second]
    if len(common) < FEWEST_PAIRS:
        return None
    ours, theirs = (np.array([values[question] for question in common], float) for values in (first, second))
    gaps = theirs - ours
    means = _means(gaps)
    low, high = percentiles(means)
    if binary:
        from statsmodels.stats.contingency_tables import mcnemar

        table = [[np.sum((ours == a) & (theirs == b)) for b in (1, 0)] for a in (1, 0)]
        p = float(mcnemar(table, exact=True).pvalue)
    else:
        p = _permuted(gaps)
    return Difference(value=float(gaps.mean()), low=low, high=high, p=p, count=len(common))


def holm(ps: Sequence[float]) -> list[float]:
    """The p of each of several comparisons, so that all together err in at most one table of twenty (Holm, 1979)."""
    if not ps:
        return []
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(ps, method="holm")[1]]


def questions_needed(gap: float, differing: float = 0.5) -> int:
    """How many questions show a difference of `gap` with a chance of 80 %, for McNemar's test at 5 %.

    n = (z₁ √d + z₂ √(d − gap²))² / gap² with z₁ = Φ⁻¹(.975), z₂ = Φ⁻¹(.8) (Connor, Sample size for testing differences in
    proportions for the paired-sample design, Biometrics 43, 1987).

    Args:
        gap: the hoped-for difference of two shares, above 0, at most 1.
        differing: d, the share of questions that one system gets right and the other wrong, at least `gap`. Before
            anything is measured, .5 is what two systems of middling quality that know nothing of each other have.
    """
    from scipy.stats import norm

    d = max(differing, gap)
    once = float(norm.ppf(1 - (1 - CONFIDENCE) / 2) * math.sqrt(d) + norm.ppf(POWER) * math.sqrt(d - gap**2))
    return math.ceil(once**2 / gap**2)


def visible_gap(count: int, differing: float = 0.5) -> float:
    """The smallest difference that `count` questions show with a chance of 80 %, to a hundredth; 1 if they show none."""
    gaps = (gap / 100 for gap in range(1, 101))
    return next((gap for gap in gaps if questions_needed(gap, differing) <= count), 1.0)


def percentiles(resampled: np.ndarray) -> tuple[float, float]:
    """The bounds between which 95 % of resampled figures (resamples,) lie."""
    low, high = np.quantile(resampled, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def two_sided(resampled: np.ndarray) -> float:
    """The p of resampled differences (resamples,): twice the share on the rarer side of 0, never less than one resample."""
    rarer = min(float(np.mean(resampled <= 0)), float(np.mean(resampled >= 0)))
    return min(1.0, max(2 * rarer, 1 / len(resampled)))


def _permuted(gaps: np.ndarray) -> float:
    """The share of sign changes of `gaps` (questions,) whose mean is as far from 0 as theirs."""
    from scipy.stats import permutation_test

    found = permutation_test(
        (gaps,), lambda values, axis: np.mean(values, axis=axis), permutation_type="samples", vectorized=True,
        n_resamples=RESAMPLES, rng=np.random.default_rng(0),
    )  # fmt: skip
    return float(found.pvalue)


def _means(values: np.ndarray) -> np.ndarray:
    """The means (RESAMPLES,) of draws with replacement from `values` (answers,); the same draws for as many answers."""
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[drawn].mean(axis=1))
