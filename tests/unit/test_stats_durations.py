"""Medians and geometric means from counts, against numpy and scipy on the expanded rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analysis.errors import AnalysisError
from analysis.stats.durations import median_difference, quantile_difference, quantile_from_counts
from analysis.stats.geometric_means import geometric_mean_ratio, geometric_mean_ratio_from_sums


@pytest.mark.parametrize("seed", range(5))
def test_quantiles_are_numpys_to_the_last_digit(seed) -> None:
    rng = np.random.default_rng(seed)
    values, n = rng.normal(20, 9, 30).round(seed), rng.integers(0, 5, 30)
    q = np.concatenate([[0, 0.5, 1], rng.random(20)])
    np.testing.assert_array_equal(quantile_from_counts(values, n, q), np.quantile(np.repeat(values, n), q))


def test_quantiles_of_one_and_of_none() -> None:
    assert float(quantile_from_counts([7], [1])) == 7
    assert float(quantile_from_counts([7, 9], [0, 3])) == 9
    assert np.isnan(quantile_from_counts([], [], [0.5])).all()
    assert float(quantile_from_counts([1, 2], [10**8, 10**8])) == 1.5


def log_sums(values: np.ndarray) -> tuple[int, float, float]:
    logs = np.log(values)
    return len(values), float(logs.sum()), float((logs**2).sum())


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_geometric_means_are_welch_on_logs(level) -> None:
    rng = np.random.default_rng(1)
    x, y = np.exp(rng.normal(1, 0.4, 25)), np.exp(rng.normal(1.2, 0.9, 60))
    theirs = stats.ttest_ind(np.log(x), np.log(y), equal_var=False)
    low, high = np.exp(theirs.confidence_interval(level))
    (n1, s1, q1), (n0, s0, q0) = log_sums(x), log_sums(y)
    from_sums = geometric_mean_ratio_from_sums(
        arm=[1, 0], n=[n1, n0], log_sum=[s1, s0], log_sum_squares=[q1, q0], level=level
    )
    for got in (geometric_mean_ratio(x, y, level=level), from_sums):
        assert got.estimate == pytest.approx(np.exp(np.log(x).mean() - np.log(y).mean()), rel=1e-10)
        assert (got.interval.low, got.interval.high) == pytest.approx((low, high), rel=1e-9)
        assert got.p_value == pytest.approx(theirs.pvalue, rel=1e-8)
        assert got.df == pytest.approx(theirs.df, rel=1e-9)


def test_stratified_geometric_means_by_hand() -> None:
    rng = np.random.default_rng(2)
    sizes, rows = [(10, 30), (25, 5), (8, 8)], []
    weight, gap, parts = [], [], []
    for s, (n1, n0) in enumerate(sizes):
        logs = {1: rng.normal(s, 0.5, n1), 0: rng.normal(s + 0.2, 0.8, n0)}
        weight.append(n1 * n0 / (n1 + n0))
        gap.append(logs[1].mean() - logs[0].mean())
        parts.append([(v.var(ddof=1) / v.size, v.size - 1) for v in logs.values()])
        rows += [(s, a, v.size, v.sum(), (v**2).sum()) for a, v in logs.items()]
    # A stratum where one arm has a single value says nothing about its spread.
    rows += [(9, 1, 1, 3.0, 9.0), (9, 0, 5, 2.0, 4.0)]
    w = np.array(weight) / sum(weight)
    v = w[:, None] ** 2 * np.array(parts)[:, :, 0]
    stratum, arm, n, total, squares = np.array(rows).T
    got = geometric_mean_ratio_from_sums(
        stratum=stratum.astype(int), arm=arm, n=n, log_sum=total, log_sum_squares=squares
    )
    assert math.log(got.estimate) == pytest.approx(w @ gap, rel=1e-10)
    assert got.se == pytest.approx(math.sqrt(v.sum()), rel=1e-9)
    assert got.df == pytest.approx(v.sum() ** 2 / (v**2 / np.array(parts)[:, :, 1]).sum(), rel=1e-9)
    assert (got.strata_used, got.strata_dropped, got.n, got.n_dropped) == (3, 1, 86, 6)


def test_geometric_means_need_positive_values_and_two_of_them() -> None:
    zero = geometric_mean_ratio([1, 0, 3], [2, 3])
    assert (zero.estimate, zero.interval, zero.reasons) == (None, None, ("geometric_needs_positive",))
    assert geometric_mean_ratio([1], [2, 3]).reasons == ("small_numbers",)
    assert geometric_mean_ratio([], [2, 3]).reasons == ("arm_empty",)
    constant = geometric_mean_ratio([2, 2, 2], [4, 4, 4])
    assert (constant.estimate, constant.interval) == (pytest.approx(0.5), None)
    with pytest.raises(AnalysisError, match="finite"):
        geometric_mean_ratio([1, math.nan], [2, 3])


def test_median_difference_holds_the_truth_as_often_as_it_says() -> None:
    rng, held = np.random.default_rng(3), 0
    truth = math.exp(1.0) - math.exp(0.8)
    for _ in range(400):
        x, y = np.exp(rng.normal(1.0, 0.7, 40)), np.exp(rng.normal(0.8, 0.7, 50))
        got = median_difference(x, np.ones(40), y, np.ones(50))
        assert got.estimate == pytest.approx(np.median(x) - np.median(y), rel=1e-12)
        held += got.interval.contains(truth)
    assert 0.92 <= held / 400 <= 0.985


def test_median_difference_on_the_edges() -> None:
    assert median_difference([1, 2], [1, 0], [], []).reasons == ("arm_empty",)
    few = median_difference([1, 2, 3], [1, 1, 1], [1, 2, 3], [5, 5, 5])
    assert (few.estimate, few.interval, few.reasons) == (0, None, ("small_numbers",))
    assert median_difference([3], [50], [4], [60]).interval is None
    one, other = ([1, 2, 3, 8], [10, 10, 10, 5]), ([2, 3, 4], [9, 9, 9])
    ours, turned = median_difference(*one, *other), median_difference(*other, *one)
    assert ours.estimate == -turned.estimate
    assert ours.interval.low == -turned.interval.high


@pytest.mark.parametrize(
    ("value", "n"), [([1, 2], [1]), ([1, math.nan], [1, 1]), ([1, 2], [1, 0.5]), ([1, 2], [1, -1])]
)
def test_what_is_not_counts_of_values_is_refused(value, n) -> None:
    with pytest.raises(AnalysisError):
        quantile_from_counts(value, n)


@pytest.mark.parametrize("q", [0.25, 0.75])
def test_quantile_differences_hold_the_truth_as_often_as_they_say(q) -> None:
    rng, held = np.random.default_rng(4), 0
    z = stats.norm.ppf(q)
    truth = math.exp(1.0 + 0.5 * z) - math.exp(0.8 + 0.7 * z)
    for _ in range(400):
        x, y = np.exp(rng.normal(1.0, 0.5, 60)), np.exp(rng.normal(0.8, 0.7, 80))
        got = quantile_difference(x, np.ones(60), y, np.ones(80), q)
        assert got.estimate == pytest.approx(np.quantile(x, q) - np.quantile(y, q), rel=1e-12)
        held += got.interval.contains(truth)
    assert 0.92 <= held / 400 <= 0.985


def test_quantile_differences_on_the_edges() -> None:
    one, other = ([1, 2, 3, 8], [10, 10, 10, 5]), ([2, 3, 4], [9, 9, 9])
    low, high = (quantile_difference(*one, *other, q) for q in (0.25, 0.75))
    # Turned upside down, the lower quartile is the upper one.
    upside_down = quantile_difference([-v for v in one[0]], one[1], [-v for v in other[0]], other[1], 0.75)
    assert low.estimate == -upside_down.estimate
    assert (low.interval.low, low.interval.high) == pytest.approx(
        (-upside_down.interval.high, -upside_down.interval.low)
    )
    assert high.interval is not None
    tied = quantile_difference([3], [50], [3, 4], [70, 3], 0.25)
    assert (tied.estimate, tied.interval, tied.reasons) == (0, None, ("tied_values",))
    assert quantile_difference([1, 2], [4, 4], [1, 2], [30, 30], 0.25).reasons == ("small_numbers",)
    with pytest.raises(AnalysisError, match="between 0 and 1"):
        quantile_difference([1], [1], [1], [1], 1.0)
