"""Change points, trends and standard mixes: independent checks and awkward series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, kendalltau, theilslopes

from analysis.errors import AnalysisError
from analysis.stats.change_points import mean_shift, rate_shift
from analysis.stats.standardisation import direct_standardisation
from analysis.stats.trend import cochran_armitage, mann_kendall


def test_the_mean_shift_has_the_least_squares() -> None:
    y = np.random.default_rng(1).normal(size=30) + np.repeat([0.0, 1.5], 15)
    squares = [
        ((y[:k] - y[:k].mean()) ** 2).sum() + ((y[k:] - y[k:].mean()) ** 2).sum() for k in range(4, 27)
    ]
    shift = mean_shift(y)
    assert shift.last_before == int(np.argmin(squares)) + 3
    assert shift.statistic == pytest.approx(30 * math.log(((y - y.mean()) ** 2).sum() / min(squares)))
    assert shift.p_value < 0.02
    moved = mean_shift(1e8 + 1000 * y)
    assert (moved.last_before, moved.p_value) == (shift.last_before, shift.p_value)


def test_the_rate_shift_has_the_greatest_likelihood() -> None:
    x, n = np.array([3, 5, 2, 4, 9, 8, 11, 10]), np.array([20, 30, 25, 22, 21, 30, 28, 24])

    def loglik(a, b) -> float:
        p = a.sum() / b.sum()
        return float((a * np.log(p) + (b - a) * np.log(1 - p)).sum())

    ratios = [2 * (loglik(x[:k], n[:k]) + loglik(x[k:], n[k:]) - loglik(x, n)) for k in range(1, 8)]
    shift = rate_shift(x, n, min_segment=1)
    assert shift.last_before == int(np.argmax(ratios))
    assert shift.statistic == pytest.approx(max(ratios), rel=1e-12)
    assert (shift.before, shift.after) == pytest.approx((14 / 97, 38 / 103))


def test_a_period_without_observations_keeps_its_place() -> None:
    with_gap = rate_shift([30, 28, 33, 0, 31, 12, 14, 11, 13], [100, 100, 100, 0, 100, 100, 100, 100, 100])
    without = rate_shift([30, 28, 33, 31, 12, 14, 11, 13], [100] * 8)
    assert (with_gap.last_before, without.last_before) == (4, 3)
    assert (with_gap.p_value, with_gap.before) == (without.p_value, without.before)
    assert (with_gap.periods, without.periods) == (9, 8)


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        ([5] * 8, "no_variation"),
        ([0] * 8, "no_variation"),
        ([1, 2, 3, 4, 5, 6, 7], "too_few_periods"),
        ([], "too_few_periods"),
    ],
)
def test_where_no_shift_can_be_told(x, reason) -> None:
    for shift in (rate_shift(x, [10] * len(x)), mean_shift(x)):
        assert shift.reasons == (reason,)
        assert (shift.last_before, shift.before, shift.after, shift.p_value) == (None,) * 4


def test_the_permutation_keeps_its_level() -> None:
    rng = np.random.default_rng(3)
    p = [rate_shift(rng.binomial(50, 0.3, 16), [50] * 16, draws=199, seed=i).p_value for i in range(200)]
    assert 0.01 <= np.mean(np.array(p) <= 0.05) <= 0.1


def test_certain_shift_of_a_mean_is_finite() -> None:
    shift = mean_shift([1] * 5 + [2] * 5)
    assert math.isfinite(shift.statistic)
    assert shift.p_value < 0.05


def test_options_of_change_points_are_checked() -> None:
    for options in ({"min_segment": 0}, {"draws": -1}):
        with pytest.raises(AnalysisError):
            mean_shift([1, 2, 3, 4, 5, 6, 7, 8], **options)
    with pytest.raises(AnalysisError):
        mean_shift([1, math.nan])
    assert mean_shift(range(10), draws=0).p_value is None


def test_cochran_armitage_of_two_groups_is_chi_square() -> None:
    from analysis.stats.tables import chi_square

    test = cochran_armitage([9, 4], [13, 14])
    assert test.statistic == pytest.approx(float(chi_square([[9, 4], [4, 10]]).statistic))
    assert test.slope == pytest.approx(4 / 14 - 9 / 13)


def test_cochran_armitage_ignores_shift_and_scale_of_scores_and_empty_periods() -> None:
    one = cochran_armitage([5, 9, 14], [30, 30, 30])
    other = cochran_armitage([5, 0, 9, 14], [30, 0, 30, 30], scores=[10, 77, 20, 30])
    assert other.statistic == pytest.approx(one.statistic)
    assert other.slope == pytest.approx(one.slope / 10)
    assert other.periods == 3


@pytest.mark.parametrize(
    ("x", "n", "reason"),
    [
        ([0, 0], [5, 5], "no_variation"),
        ([5, 5], [5, 5], "no_variation"),
        ([3], [5], "too_few_periods"),
        ([], [], "too_few_periods"),
    ],
)
def test_no_trend_to_test(x, n, reason) -> None:
    test = cochran_armitage(x, n)
    assert (test.statistic, test.p_value, test.reasons) == (None, None, (reason,))


def test_mann_kendall_against_scipy() -> None:
    y = np.random.default_rng(2).integers(0, 9, 40) + np.arange(40) // 8
    test = mann_kendall(y)
    assert test.tau == pytest.approx(float(kendalltau(np.arange(40), y).statistic), rel=1e-12)
    assert test.slope == pytest.approx(float(theilslopes(y).slope))
    # scipy has no continuity correction, which a long series hardly feels.
    assert test.p_value == pytest.approx(
        float(kendalltau(np.arange(40), y, method="asymptotic").pvalue), rel=0.1
    )
    turned = mann_kendall(-y)
    assert (turned.tau, turned.statistic) == (-test.tau, -test.statistic)
    assert mann_kendall([3, 3, 3]).reasons == ("no_variation",)
    assert mann_kendall([3, 4]).reasons == ("too_few_periods",)


def test_standardised_to_its_own_mix_is_the_crude_rate() -> None:
    rate = direct_standardisation([5, 12], [100, 400], [100, 400])
    assert rate.estimate == pytest.approx(17 / 500)
    assert (rate.n, rate.strata_used) == (17, 2)


def test_one_class_has_exact_poisson_limits() -> None:
    from scipy.stats import gamma

    rate = direct_standardisation([7], [50], [3])
    assert (rate.interval.low, rate.interval.high) == pytest.approx(
        (gamma.ppf(0.025, 7) / 50, gamma.ppf(0.975, 8) / 50)
    )
    none = direct_standardisation([0], [50], [3])
    assert (none.estimate, none.interval.low) == (0, 0)
    assert none.interval.high == pytest.approx(-math.log(0.025) / 50)
    assert binomtest(0, 10**6).proportion_ci().high * 10**6 == pytest.approx(
        none.interval.high * 50, rel=1e-5
    )


def test_an_unseen_class_of_the_standard_has_no_rate() -> None:
    assert direct_standardisation([3, 0], [10, 0], [1, 1]).reasons == ("zero_denominator",)
    assert direct_standardisation([3, 0], [10, 0], [1, 0]).estimate == pytest.approx(0.3)
    with pytest.raises(AnalysisError, match="without exposure"):
        direct_standardisation([3, 1], [10, 0], [1, 1])
