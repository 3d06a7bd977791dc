"""Rates, pairs, strata, power and sensitivity: independent checks and awkward tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar as sm_mcnemar
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.proportion import power_proportions_2indep

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.exact_rates import rate_exact, rate_ratio_exact, rate_ratio_test
from analysis.stats.paired import mcnemar, mcnemar_exact, mcnemar_mid_p, paired_newcombe, tango
from analysis.stats.power import detectable_difference, power_two_proportions
from analysis.stats.proportions import miettinen_nurminen
from analysis.stats.random_effects import random_effects
from analysis.stats.sensitivity import e_value
from analysis.stats.strata import mh_difference
from analysis.stats.stratified_scores import stratified_miettinen_nurminen

HINE = [
    [[2, 37], [1, 42]],
    [[4, 40], [4, 40]],
    [[6, 101], [4, 106]],
    [[7, 96], [5, 95]],
    [[7, 103], [3, 103]],
]


def test_rates_at_the_edge() -> None:
    b = rate_exact([0, 3, 0], [10, 10, 0])
    assert b.low.tolist()[:2] == [0.0, pytest.approx(0.0618672)]
    assert b.high[0] == pytest.approx(-math.log(0.025) / 10)
    assert b.interval(2) is None
    assert b.value(2) is None


@pytest.mark.parametrize(("x", "t"), [(-1, 1), (1, -1), (1, 0), (1, math.inf), (1.5, 1)])
def test_impossible_rates_are_refused(x, t) -> None:
    with pytest.raises(AnalysisError):
        rate_exact(x, t)


def test_the_limits_of_a_ratio_are_where_the_one_sided_tests_turn() -> None:
    b = rate_ratio_exact(11, 800, 23, 3011)
    for ratio, tail in (
        (float(b.low), binom.sf(10, 34, float(b.low) * 800 / (float(b.low) * 800 + 3011))),
        (float(b.high), binom.cdf(11, 34, float(b.high) * 800 / (float(b.high) * 800 + 3011))),
    ):
        assert ratio > 0
        assert tail == pytest.approx(0.025, rel=1e-6)
    arrays = rate_ratio_exact([11, 0, 4, 0], [800, 50, 10, 1], [23, 0, 0, 3], [3011, 70, 10, 0.0 + 1])
    assert arrays.low[0] == b.low
    assert np.isinf(arrays.high[1:3]).all()
    assert np.isnan(arrays.estimate[1])
    assert (arrays.estimate[2], arrays.estimate[3]) == (math.inf, 0)
    assert rate_ratio_test([0], [50], [0], [70]).p(0) == 1
    assert rate_ratio_exact(0, 0, 3, 5).interval() is None
    assert rate_ratio_test(0, 0, 3, 5).p() is None


@pytest.mark.parametrize(
    "table",
    [[[56, 14], [48, 32]], [[9, 1], [3, 7]], [[0, 10], [0, 20]], [[10, 0], [0, 20]], [[5, 51], [0, 29]]],
)
def test_one_stratum_is_miettinen_and_nurminen(table) -> None:
    (x1, y1), (x0, y0) = table
    alone, pooled = miettinen_nurminen(x1, x1 + y1, x0, x0 + y0), stratified_miettinen_nurminen([table])
    assert pooled.estimate == pytest.approx(float(alone.estimate), abs=1e-12)
    assert (pooled.interval.low, pooled.interval.high) == pytest.approx(
        (float(alone.low), float(alone.high)), abs=1e-9
    )


def test_stratified_scores_drop_empty_arms_and_keep_the_estimate() -> None:
    with_empty = stratified_miettinen_nurminen([*HINE, [[4, 6], [0, 0]]])
    without = stratified_miettinen_nurminen(HINE)
    assert with_empty.interval == without.interval
    assert (with_empty.strata_dropped, with_empty.n_dropped) == (1, 10)
    assert without.estimate == pytest.approx(mh_difference(HINE).estimate)
    assert not without.interval.contains(0) or without.p_value > 0.05
    assert stratified_miettinen_nurminen([[[4, 6], [0, 0]]]).reasons == ("arm_empty",)
    turned = stratified_miettinen_nurminen(np.array(HINE)[:, ::-1])
    assert turned.interval.low == pytest.approx(-without.interval.high, abs=1e-9)


def test_random_effects_against_statsmodels() -> None:
    y = np.array([-0.9, -1.6, -0.2, 0.4, -1.1])
    v = np.array([0.3, 0.19, 0.05, 0.53, 0.1])
    for ours, theirs in (("DL", "chi2"), ("PM", "iterated")):
        mean, wanted = random_effects(y, v, method=ours), combine_effects(y, v, method_re=theirs)
        assert mean.tau2 == pytest.approx(wanted.tau2, rel=1e-5)
        assert (mean.estimate, mean.se) == pytest.approx(
            (wanted.mean_effect_re, wanted.sd_eff_w_re), rel=1e-6
        )
        assert mean.prediction.half_width > mean.interval.half_width
    assert mean.q == pytest.approx(wanted.q, rel=1e-9)


def test_random_effects_of_few_or_alike_groups() -> None:
    alike = random_effects([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    assert (alike.tau2, alike.i2) == (0.0, 0.0)
    one = random_effects([0.5], [0.04])
    assert (one.tau2, one.reasons) == (0.0, ("small_numbers",))
    assert (one.estimate, one.se, one.prediction) == (0.5, pytest.approx(0.2), None)
    assert random_effects([], []).estimate is None
    for wrong in (([1], [0]), ([1, 2], [1]), ([math.nan], [1])):
        with pytest.raises(AnalysisError):
            random_effects(*wrong)
    with pytest.raises(AnalysisError, match="method"):
        random_effects([1], [1], method="REML")


def test_power_against_statsmodels_and_back() -> None:
    wanted = power_proportions_2indep(0.25, 0.5, 50, ratio=1, alternative="two-sided", return_results=False)
    # Theirs adds the chance to be significant the wrong way round.
    assert power_two_proportions(0.75, 0.5, 50, 50) == pytest.approx(wanted, abs=1e-4)
    for direction, sign in (("up", 1), ("down", -1)):
        reach = detectable_difference(0.4, 120, 300, direction=direction)
        assert math.copysign(1, reach) == sign
        assert power_two_proportions(0.4 + reach, 0.4, 120, 300) == pytest.approx(0.8, abs=1e-9)
    assert detectable_difference(0.4, 120, 300, design_effect=2) > detectable_difference(0.4, 120, 300)


def test_power_at_the_edge() -> None:
    assert power_two_proportions(0.5, 0.5, 0, 10) is None
    assert detectable_difference(0.5, 0, 10) is None
    assert detectable_difference(0.9, 5, 5) is None
    assert detectable_difference(1.0, 50, 50) is None
    assert power_two_proportions(1.0, 0.0, 10, 10) == 1.0
    assert power_two_proportions(0.0, 0.0, 10, 10) == 0.0
    for wrong in ((1.1, 0.5, 10, 10), (0.1, 0.5, -1, 10)):
        with pytest.raises(AnalysisError):
            power_two_proportions(*wrong)
    with pytest.raises(AnalysisError, match="direction"):
        detectable_difference(0.5, 10, 10, direction="sideways")
    with pytest.raises(AnalysisError, match="power"):
        detectable_difference(0.5, 10, 10, power=1.0)
    with pytest.raises(AnalysisError, match="design_effect"):
        power_two_proportions(0.5, 0.5, 10, 10, design_effect=0)


def test_e_values() -> None:
    assert e_value(1.0).estimate == 1.0
    assert e_value(0.5).estimate == pytest.approx(e_value(2.0).estimate)
    assert e_value(0.5, Interval(0.25, 0.8)).limit == pytest.approx(e_value(1.25).estimate)
    assert e_value(1.2, Interval(0.9, 1.6)).limit == 1.0
    for wrong in ((0.0, None), (2.0, Interval(3, 4)), (math.inf, None)):
        with pytest.raises(AnalysisError):
            e_value(*wrong)


@pytest.mark.parametrize(
    "table", [[[59, 6], [16, 80]], [[1, 1], [7, 12]], [[0, 1], [0, 0]], [[3, 5], [5, 9]]]
)
def test_mcnemar_against_statsmodels(table) -> None:
    assert mcnemar_exact(table).p() == pytest.approx(sm_mcnemar(table, exact=True).pvalue)
    assert mcnemar(table).p() == pytest.approx(sm_mcnemar(table, exact=False, correction=False).pvalue)
    assert mcnemar_mid_p(table).p() <= mcnemar_exact(table).p()


def test_no_discordant_pairs() -> None:
    assert mcnemar([[10, 0], [0, 5]]).p() is None
    assert mcnemar_mid_p([[10, 0], [0, 5]]).p() is None
    assert mcnemar_exact([[10, 0], [0, 5]]).p() == 1
    assert tango([[0, 0], [0, 0]]).interval() is None
    assert paired_newcombe([[0, 0], [0, 0]]).interval() is None
    assert float(tango([[0, 7], [0, 0]]).high) == pytest.approx(1.0)
    assert mcnemar_mid_p([[0, 10**8], [10**8 + 20000, 0]]).p() == pytest.approx(
        mcnemar([[0, 10**8], [10**8 + 20000, 0]]).p(), rel=1e-3
    )


def test_tango_limits_solve_the_score_equation() -> None:
    b, c, n = 25, 2, 102
    limits = tango([[7, 25], [2, 68]])
    for delta, z in ((float(limits.low), 1.959964), (float(limits.high), -1.959964)):
        grid = np.linspace(max(0, -delta) + 1e-9, (1 - abs(delta)) / 2 + max(0, -delta), 400_001)
        with np.errstate(divide="ignore", invalid="ignore"):
            loglik = b * np.log(grid + delta) + c * np.log(grid) + (n - b - c) * np.log(1 - 2 * grid - delta)
        q = grid[np.nanargmax(loglik)]
        assert (b - c - n * delta) / math.sqrt(n * (2 * q + delta * (1 - delta))) == pytest.approx(
            z, abs=1e-3
        )
