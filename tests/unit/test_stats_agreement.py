"""Agreement of raters, funnels and control charts: independent checks and flat data."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.inter_rater import cohens_kappa

from analysis.errors import AnalysisError
from analysis.stats.agreement import cohen_kappa, krippendorff_alpha
from analysis.stats.control_charts import laney_p_prime
from analysis.stats.funnel import funnel_limits_exact, funnel_observed_expected, funnel_overdispersion

TABLE = [[7, 7, 2, 3], [2, 8, 3, 7], [1, 5, 4, 9], [2, 8, 9, 14]]


@pytest.mark.parametrize(
    ("ours", "theirs"), [("unweighted", None), ("linear", "linear"), ("quadratic", "quadratic")]
)
def test_kappa_against_statsmodels(ours, theirs) -> None:
    wanted = cohens_kappa(np.array(TABLE), weights=None if theirs is None else np.arange(4), wt=theirs)
    got = cohen_kappa(TABLE, weights=ours)
    assert got.estimate == pytest.approx(wanted.kappa)
    assert got.se == pytest.approx(wanted.std_kappa)


def test_kappa_on_the_edge() -> None:
    perfect = cohen_kappa([[5, 0], [0, 7]])
    assert (perfect.estimate, perfect.se, perfect.interval) == (1.0, 0.0, None)
    one_class = cohen_kappa([[9, 0], [0, 0]])
    assert (one_class.estimate, one_class.agreement, one_class.gwet) == (None, 1.0, 1.0)
    assert cohen_kappa([[0, 0], [0, 0]]).reasons == ("zero_denominator",)
    assert cohen_kappa([[9]]).reasons == ("no_variation",)
    for wrong in ([[1, 2]], [[1, -1], [0, 1]]):
        with pytest.raises(AnalysisError):
            cohen_kappa(wrong)
    with pytest.raises(AnalysisError, match="weights"):
        cohen_kappa(TABLE, weights="cubic")


def test_gwet_of_two_classes_by_hand() -> None:
    got = cohen_kappa([[40, 9], [6, 45]])
    share = (49 + 46) / 200
    by_lot = 2 * share * (1 - share)
    assert got.gwet == pytest.approx((0.85 - by_lot) / (1 - by_lot))
    assert (got.prevalence, got.bias) == (pytest.approx(0.05), pytest.approx(0.03))


@pytest.mark.parametrize("scale", ["nominal", "ordinal", "interval"])
def test_alpha_by_its_definition(scale) -> None:
    rng = np.random.default_rng(4)
    ratings = rng.choice([1.0, 2, 4, 7], (4, 15))
    ratings[rng.random((4, 15)) < 0.3] = np.nan
    units = [column[~np.isnan(column)] for column in ratings.T]
    units = [u for u in units if u.size > 1]
    everything = np.concatenate(units)

    def apart(a, b) -> float:
        if scale == "nominal":
            return float(a != b)
        if scale == "interval":
            return (a - b) ** 2
        low, high = min(a, b), max(a, b)
        between = ((everything >= low) & (everything <= high)).sum()
        return (between - ((everything == a).sum() + (everything == b).sum()) / 2) ** 2 if a != b else 0.0

    observed = (
        sum(
            apart(a, b) / (u.size - 1)
            for u in units
            for i, a in enumerate(u)
            for j, b in enumerate(u)
            if i != j
        )
        / everything.size
    )
    expected = sum(apart(a, b) for a in everything for b in everything) / (
        everything.size * (everything.size - 1)
    )
    got = krippendorff_alpha(ratings, scale=scale)
    assert got.estimate == pytest.approx(1 - observed / expected)
    assert (got.units, got.pairable) == (len(units), everything.size)


def test_alpha_on_the_edge() -> None:
    assert krippendorff_alpha([[1, 1], [1, 1]]).reasons == ("no_variation",)
    assert krippendorff_alpha([[1, math.nan], [math.nan, 2]]).reasons == ("zero_denominator",)
    assert krippendorff_alpha([[1, 2], [1, 2]]).estimate == 1.0
    with pytest.raises(AnalysisError, match="scale"):
        krippendorff_alpha([[1, 2]], scale="ratio")
    with pytest.raises(AnalysisError):
        krippendorff_alpha([1, 2])
    for alike in ([1], [1, -1], [0.5, 1]):
        with pytest.raises(AnalysisError, match="units alike"):
            krippendorff_alpha([[1, 2], [1, 2]], alike=alike)


def test_funnel_limits_hold_their_probability() -> None:
    b = funnel_limits_exact([40, 0], 0.3)
    assert binom.cdf(b.low[0] - 1, 40, 0.3) < 0.025 <= binom.cdf(b.low[0], 40, 0.3)
    assert binom.cdf(b.high[0] - 1, 40, 0.3) < 0.975 <= binom.cdf(b.high[0], 40, 0.3)
    assert (b.low[1], b.high[1]) == (0, 0)
    for target in (0.0, 1.0):
        edge = funnel_limits_exact(7, target)
        assert (float(edge.low), float(edge.high)) == (7 * target, 7 * target)
    with pytest.raises(AnalysisError):
        funnel_limits_exact(10, 1.2)


def test_observed_against_expected() -> None:
    assert np.isnan(funnel_observed_expected([3], [0])).all()
    assert funnel_observed_expected([0], [4]).tolist() == [-4.0]
    with pytest.raises(AnalysisError):
        funnel_observed_expected([1], [-1])


def test_overdispersion_is_none_for_chance_and_found_where_it_is() -> None:
    rng = np.random.default_rng(8)
    n = rng.integers(50, 400, 200)
    chance = funnel_overdispersion(rng.binomial(n, 0.2), n)
    spread = funnel_overdispersion(rng.binomial(n, np.clip(rng.normal(0.2, 0.08, 200), 0.01, 0.99)), n)
    assert chance.phi < 1.1
    assert chance.tau2 < 0.001
    assert spread.phi > 2
    # Winsorising leaves the tails out of the spread, so more than 1 in 20 stand out, but far fewer than before.
    assert (spread.p_adjusted < 0.05).mean() < 0.2 < (np.abs(spread.z) > 1.96).mean()
    assert np.abs(spread.z_adjusted).max() < np.abs(spread.z).max()
    none = funnel_overdispersion(rng.binomial(n, 0.2), n, trim=0.0)
    assert none.z == pytest.approx(none.z_winsorised)


def test_overdispersion_with_gaps_and_few() -> None:
    gap = funnel_overdispersion([12, 0, 30, 8], [80, 0, 150, 60])
    assert np.isnan(gap.z[1])
    assert gap.phi == funnel_overdispersion([12, 30, 8], [80, 150, 60]).phi
    assert gap.units == 3
    assert funnel_overdispersion([0], [0]).reasons == ("zero_denominator",)
    assert funnel_overdispersion([3], [10]).reasons == ("small_numbers",)
    for options in ({"trim": 0.5}, {"target": -1.0}):
        with pytest.raises(AnalysisError):
            funnel_overdispersion([3, 4], [10, 10], **options)


def test_laney_of_pure_chance_is_a_p_chart() -> None:
    rng = np.random.default_rng(6)
    chart = laney_p_prime(rng.binomial(5000, 0.2, 300), [5000] * 300)
    assert chart.sigma_z == pytest.approx(1, abs=0.1)
    assert chart.outside.mean() < 0.02
    assert chart.reasons == ()


def test_laney_with_gaps_and_flat_series() -> None:
    gap = laney_p_prime([3, 0, 5, 6], [20, 0, 20, 25])
    assert np.isnan(gap.low[1])
    assert not gap.outside[1]
    assert gap.reasons == ("few_periods",)
    assert laney_p_prime([0, 0], [5, 5]).reasons == ("no_variation",)
    assert laney_p_prime([2], [5]).reasons == ("too_few_periods",)
    assert laney_p_prime([0], [0]).reasons == ("zero_denominator",)
    with pytest.raises(AnalysisError):
        laney_p_prime([[1, 2]], [[5, 5]])


def test_a_period_far_off_is_outside() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chart = laney_p_prime([50, 52, 49, 51, 50, 48, 52, 95, 50, 51] * 2, [100] * 20)
    assert chart.outside.sum() == 2
