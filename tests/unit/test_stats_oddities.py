"""Surprise, repeats, scans, adjusted funnels, charts of single values: against brute force, scipy and published numbers."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, poisson

from analysis.errors import AnalysisError
from analysis.stats.answer_patterns import log_same_set, log_set_totals, mean_log, repeats_p
from analysis.stats.control_charts import individuals_chart, nelson_signs
from analysis.stats.funnel import (
    funnel_case_mix,
    funnel_limits_adjusted,
    funnel_limits_rates,
    funnel_overdispersion,
    funnel_rates,
)
from analysis.stats.scan import scan_windows
from analysis.stats.surprise import count_tails, evenness

# -- funnels ------------------------------------------------------------------------------------------


def test_a_case_mix_that_is_the_same_for_all_is_the_plain_funnel() -> None:
    x, n = np.array([12, 30, 8, 45, 22]), np.array([80, 150, 60, 160, 140])
    plain = funnel_overdispersion(x, n)
    same = funnel_case_mix(x, n * x.sum() / n.sum(), n)
    for name in ("z", "z_winsorised", "z_adjusted", "p_adjusted"):
        assert getattr(same, name) == pytest.approx(getattr(plain, name))
    assert (same.phi, same.tau2) == pytest.approx((plain.phi, plain.tau2))


def test_limits_are_where_the_adjusted_score_is_the_quantile() -> None:
    n, expected, tau2 = 90, 40.0, 0.003
    bounds = funnel_limits_adjusted([n], expected / n, tau2, level=0.998)
    reach = float(norm.ppf(0.999))
    for limit, sign in ((bounds.low[0], -1), (bounds.high[0], 1)):
        z = 2 * math.sqrt(n) * (math.asin(math.sqrt(limit)) - math.asin(math.sqrt(expected / n)))
        assert z / math.sqrt(1 + 4 * n * tau2) == pytest.approx(sign * reach)
    rates = funnel_limits_rates([25.0], 0.01, level=0.95)
    assert math.log(rates.high[0]) == pytest.approx(1.959964 * math.sqrt(1 / 25 + 0.01), rel=1e-6)
    assert rates.low[0] * rates.high[0] == pytest.approx(1)


def test_rates_score_the_logarithm_and_take_a_known_spread() -> None:
    o, e = np.array([50, 200, 90]), np.array([100.0, 180.0, 95.0])
    found = funnel_rates(o, e)
    assert found.z == pytest.approx(np.log((o + 0.5) / (e + 0.5)) * np.sqrt(e))
    known = funnel_rates(o, e, tau2=0.04)
    assert known.z_adjusted == pytest.approx(known.z / np.sqrt(1 + e * 0.04))


def test_units_without_a_chance_take_no_part() -> None:
    found = funnel_case_mix([3, 0], [2.5, 0.0], [10, 0])
    assert np.isnan(found.z[1]) and found.units == 1
    assert funnel_case_mix([0], [0.0], [0]).reasons == ("zero_denominator",)
    assert funnel_rates([0], [0.0]).reasons == ("zero_denominator",)


@pytest.mark.parametrize(
    "call",
    [
        lambda: funnel_case_mix([3], [11.0], [10]),
        lambda: funnel_case_mix([3], [2.0], [10], trim=0.6),
        lambda: funnel_rates([3], [-1.0]),
        lambda: funnel_limits_adjusted([0], 0.3, 0.0),
        lambda: funnel_limits_adjusted([5], 0.3, -1.0),
        lambda: funnel_limits_rates([0.0], 0.1),
    ],
)
def test_impossible_funnels_are_refused(call) -> None:
    with pytest.raises(AnalysisError):
        call()


# -- control charts -----------------------------------------------------------------------------------


def test_a_gap_joins_no_moving_range() -> None:
    whole, gap = individuals_chart([3, 5, 4, 9]), individuals_chart([3, 5, math.nan, 4, 9])
    assert whole.centre == gap.centre == 5.25
    assert whole.high == pytest.approx(5.25 + 3 * (2 + 1 + 5) / 3 / 1.128)
    assert gap.high == pytest.approx(5.25 + 3 * (2 + 5) / 2 / 1.128)


def test_charts_of_nothing_to_speak_of() -> None:
    assert individuals_chart([]).reasons == ("too_few_periods",)
    assert individuals_chart([4, math.nan, 5]).reasons == ("too_few_periods",)
    assert individuals_chart([4, 4, 4]).reasons == ("no_variation",)
    assert individuals_chart(range(19)).reasons == ("few_periods",)
    assert individuals_chart(range(20)).reasons == ()
    with pytest.raises(AnalysisError):
        individuals_chart([[1.0]])


def test_nelsons_rules_ask_for_nine_and_fourteen() -> None:
    eight, nine = [1.0] * 8 + [-1.0], [1.0] * 9 + [-1.0]
    assert not nelson_signs(eight, 0, -5, 5).run.any()
    assert nelson_signs(nine, 0, -5, 5).run.tolist() == [True] * 9 + [False]
    assert not nelson_signs([1.0] * 5 + [math.nan] + [1.0] * 4, 0, -5, 5).run.any()
    assert not nelson_signs([0.0] * 12, 0, -5, 5).run.any()
    zigzag = [float((-1) ** i * (i + 1)) for i in range(14)]
    assert nelson_signs(zigzag, 0, -99, 99).zigzag.all()
    assert not nelson_signs(zigzag[:13], 0, -99, 99).zigzag.any()
    assert not nelson_signs([*zigzag[:7], math.nan, *zigzag[7:]], 0, -99, 99).zigzag.any()
    assert nelson_signs([6, math.nan, -7], 0, -5, 5).outside.tolist() == [True, False, True]


# -- surprise -----------------------------------------------------------------------------------------


def test_tails_without_more_spread_than_chance_are_poisson() -> None:
    mean = np.full(6, 3.0)
    y = np.array([3, 3, 2, 4, 3, 3])
    found = count_tails(y, mean)
    assert found.sigma2 == 0
    assert found.upper == pytest.approx(poisson.sf(y - 1, mean))
    assert found.lower == pytest.approx(poisson.cdf(y, mean))


def test_tails_are_those_of_the_lognormal_mixture() -> None:
    rng = np.random.default_rng(4)
    mean = rng.uniform(0.5, 6, 400)
    y = rng.poisson(mean * np.exp(0.7 * rng.standard_normal(400) - 0.245))
    found = count_tails(y, mean)
    excess = (y - mean) ** 2 - mean
    assert found.sigma2 == pytest.approx(math.log1p(excess.sum() / (mean**2).sum()))
    for i in (0, int(y.argmax()), 17):
        others = np.arange(400) != i
        sigma = math.sqrt(math.log1p(excess[others].sum() / (mean[others] ** 2).sum()))

        def tail(u: float, i: int = i, sigma: float = sigma) -> float:
            return float(poisson.sf(y[i] - 1, mean[i] * math.exp(sigma * u - sigma**2 / 2)) * norm.pdf(u))

        assert found.upper[i] == pytest.approx(quad(tail, -9, 9)[0], rel=2e-4)


def test_one_far_out_does_not_hide_itself() -> None:
    y = np.array([1, 2, 0, 1, 3, 1, 0, 2] * 10 + [25])
    found = count_tails(y, np.full(81, 1.25))
    assert found.upper[-1] < 1e-9 and found.sigma2 > 1


def test_evenness_has_the_moments_of_the_multinomial() -> None:
    rng = np.random.default_rng(5)
    k, total = 12, 20
    p = rng.dirichlet(np.full(k, 5.0))
    draws = rng.multinomial(total, p, 40_000)
    statistic = ((draws - total * p) ** 2 / (total * p)).sum(axis=1)
    variance = 2 * (k - 1) + ((1 / p).sum() - k**2 - 2 * k + 2) / total
    assert statistic.mean() == pytest.approx(k - 1, rel=0.01)
    assert statistic.var() == pytest.approx(variance, rel=0.03)
    one = evenness(draws[0], p, np.zeros(k, int))
    assert one.index[0] == pytest.approx(statistic[0] / (k - 1))


def test_evenness_keeps_its_level_and_sees_copies() -> None:
    rng = np.random.default_rng(6)
    group = np.repeat(np.arange(400), 50)
    chance = evenness(rng.poisson(1.4, group.size), np.ones(group.size), group)
    assert (chance.p_value < 0.05).mean() <= 0.07
    assert evenness([3] * 40, [1.0] * 40, [0] * 40).p_value[0] < 1e-9
    nothing = evenness([0, 0, 5], [1.0, 1.0, 1.0], [0, 0, 1])
    assert np.isnan(nothing.p_value).all()


@pytest.mark.parametrize("function", [count_tails, lambda y, e: evenness(y, e, [0])])
def test_impossible_counts_are_refused(function) -> None:
    for y, e in (([-1], [1.0]), ([1.5], [1.0]), ([1], [-1.0]), ([1], [math.nan])):
        with pytest.raises(AnalysisError):
            function(y, e)


# -- answer patterns ----------------------------------------------------------------------------------


def test_totals_are_sums_over_all_sets() -> None:
    weights = np.array([0.3, 2.0, 0.7, 1.1, 0.0, 0.05])
    totals = np.exp(log_set_totals(weights, 4))
    for size in range(5):
        brute = sum(math.prod(weights[list(s)]) for s in itertools.combinations(range(6), size))
        assert totals[size] == pytest.approx(brute)
    assert np.exp(log_set_totals([0.4, 0.0], 2)).tolist() == pytest.approx([1, 0.4, 0])


def test_sets_of_one_size_share_one_probability() -> None:
    weights = np.array([0.3, 2.0, 0.7, 1.1])
    total = log_set_totals(weights, 2)[2]
    shares = [
        math.exp(log_same_set(np.log(weights[list(s)]), total)) for s in itertools.combinations(range(4), 2)
    ]
    assert sum(shares) == pytest.approx(1)
    with np.errstate(divide="ignore"):
        assert log_same_set(np.log([0.0, 1.0]), total) == -math.inf
    assert log_same_set([0.1], -math.inf) == -math.inf


def test_frailty_does_not_change_which_answers_they_are() -> None:
    """Given how many, a trait that moves all odds alike leaves the probability of a set as it was."""
    rng = np.random.default_rng(7)
    odds = np.array([0.2, 0.1, 0.3, 0.05, 0.15])
    factor = np.exp(rng.normal(0, 1.5, 300_000))[:, None]
    drawn = rng.random((300_000, 5)) < factor * odds / (1 + factor * odds)
    twos = drawn[drawn.sum(axis=1) == 2]
    seen = (twos[:, [0, 2]].sum(axis=1) == 2).mean()
    expected = math.exp(log_same_set(np.log(odds[[0, 2]]), log_set_totals(odds, 2)[2]))
    assert seen == pytest.approx(expected, abs=0.005)


def test_repeats_and_means_of_logs() -> None:
    assert repeats_p(0, 5, math.log(0.2)) == 1
    assert repeats_p(2, 2, math.log(0.2)) == pytest.approx(0.04)
    assert mean_log([]) == mean_log([-math.inf]) == -math.inf
    with pytest.raises(AnalysisError):
        log_set_totals([-1.0], 1)


# -- scan ---------------------------------------------------------------------------------------------


def test_the_likeliest_window_has_the_greatest_likelihood_ratio() -> None:
    rng = np.random.default_rng(8)
    marked = rng.random(60) < 0.2
    inside = rng.random((25, 60)) < 0.25
    found = scan_windows(marked, np.ones(60), inside, np.zeros(60, int), draws=99)

    def ratio(which: np.ndarray) -> float:
        c, n, k, total = (
            float(marked[which].sum()),
            float(which.sum()),
            float(marked.sum()),
            float(marked.size),
        )
        if not n or c / n <= (k - c) / (total - n):
            return 0.0

        def part(x: float, m: float) -> float:
            return x * math.log(x / m) if x else 0.0

        return (
            part(c, n) + part(n - c, n) + part(k - c, total - n) + part(total - n - k + c, total - n)
            - part(k, total) - part(total - k, total)
        )  # fmt: skip

    ratios = [ratio(window) for window in inside]
    assert found.window == int(np.argmax(ratios))
    assert found.statistic == pytest.approx(max(ratios))
    assert found.events == int(marked[inside[found.window]].sum())


def test_the_scan_keeps_its_level_within_strata() -> None:
    """Where one stratum is marked more often, and only it visits some places, chance still stays chance."""
    rng = np.random.default_rng(9)
    stratum = np.repeat([0, 1], 60)
    place = np.where(stratum == 1, rng.integers(0, 4, 120), 4 + rng.integers(0, 4, 120))
    inside = place[None, :] == np.arange(8)[:, None]
    p = []
    for i in range(120):
        marked = rng.random(120) < np.where(stratum == 1, 0.5, 0.05)
        p.append(scan_windows(marked, np.ones(120), inside, stratum, draws=99, seed=i).p_value)
    assert np.mean(np.array(p) <= 0.05) <= 0.11


def test_nothing_or_everything_marked_is_no_cluster() -> None:
    for marked in (np.zeros(4, bool), np.ones(4, bool)):
        found = scan_windows(marked, np.ones(4), np.eye(4, dtype=bool), np.zeros(4, int))
        assert (found.window, found.p_value, found.reasons) == (None, None, ("no_variation",))
    with pytest.raises(AnalysisError):
        scan_windows([True], [1.0], np.ones((2, 3), bool), [0])
