"""Mantel–Haenszel estimates, homogeneity and Simpson's paradox: independent checks and awkward strata."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.homogeneity import adjustment_effect, difference_homogeneity, simpson, tarone
from analysis.stats.strata import cmh_test, mh_difference, mh_odds_ratio, mh_rate_ratio, mh_ratio

HINE = [
    [[2, 37], [1, 42]],
    [[4, 40], [4, 40]],
    [[6, 101], [4, 106]],
    [[7, 96], [5, 95]],
    [[7, 103], [3, 103]],
    [[11, 143], [4, 142]],
]
BERKELEY = [
    [[512, 313], [89, 19]],
    [[353, 207], [17, 8]],
    [[120, 205], [202, 391]],
    [[138, 279], [131, 244]],
    [[53, 138], [94, 299]],
    [[22, 351], [24, 317]],
]
EMPTY_ARM = [[4, 6], [0, 0]]
NO_EVENTS = [[0, 10], [0, 12]]
ALL_EVENTS = [[10, 0], [12, 0]]
POOLERS = [mh_difference, mh_ratio, mh_odds_ratio]


@pytest.mark.parametrize("tables", [HINE, BERKELEY])
def test_against_statsmodels(tables) -> None:
    theirs = StratifiedTable([np.array(t, float) for t in tables])
    ours = mh_odds_ratio(tables)
    assert ours.estimate == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    assert (ours.interval.low, ours.interval.high) == pytest.approx(
        theirs.oddsratio_pooled_confint(), rel=1e-10
    )
    assert mh_ratio(tables).estimate == pytest.approx(theirs.riskratio_pooled, rel=1e-12)
    test, wanted = cmh_test(tables), theirs.test_null_odds()
    assert (float(test.statistic), float(test.p_value)) == pytest.approx(
        (wanted.statistic, wanted.pvalue), rel=1e-10
    )
    test, wanted = tarone(tables), theirs.test_equal_odds(adjust=True)
    assert (float(test.statistic), float(test.p_value)) == pytest.approx(
        (wanted.statistic, wanted.pvalue), rel=1e-8
    )


@pytest.mark.parametrize("pooler", POOLERS)
def test_an_empty_arm_carries_no_weight_and_is_counted(pooler) -> None:
    with_it, without = pooler([*HINE, EMPTY_ARM]), pooler(HINE)
    assert (with_it.estimate, with_it.se) == (without.estimate, without.se)
    assert (with_it.strata_used, with_it.strata_dropped, with_it.n_dropped) == (6, 1, 10)
    assert with_it.n == without.n == np.sum(HINE)
    assert float(cmh_test([*HINE, EMPTY_ARM]).statistic) == float(cmh_test(HINE).statistic)
    assert float(tarone([*HINE, EMPTY_ARM]).p_value) == float(tarone(HINE).p_value)


def test_strata_without_events_weigh_on_the_difference_only() -> None:
    diluted = mh_difference([*HINE, NO_EVENTS])
    assert 0 < diluted.estimate < mh_difference(HINE).estimate
    assert diluted.strata_dropped == 0
    weights = [np.prod(np.sum(t, axis=1)) / np.sum(t) for t in [*HINE, NO_EVENTS]]
    gaps = [t[0][0] / sum(t[0]) - t[1][0] / sum(t[1]) for t in [*HINE, NO_EVENTS]]
    assert diluted.estimate == pytest.approx(np.average(gaps, weights=weights), rel=1e-12)
    assert mh_odds_ratio([*HINE, NO_EVENTS, ALL_EVENTS]).estimate == pytest.approx(
        mh_odds_ratio(HINE).estimate
    )
    assert mh_ratio([*HINE, NO_EVENTS]).estimate == pytest.approx(mh_ratio(HINE).estimate, rel=1e-12)


@pytest.mark.parametrize("tables", [[NO_EVENTS], [ALL_EVENTS], [NO_EVENTS, ALL_EVENTS]])
def test_where_nothing_varies_no_interval_is_claimed(tables) -> None:
    got = mh_difference(tables)
    assert got.estimate == 0
    assert got.interval is None
    assert got.p_value is None
    assert got.reasons == ("too_few_events",)
    assert cmh_test(tables).p() is None
    assert tarone(tables).p() is None


def test_where_everyone_has_events_the_ratio_is_one_without_an_interval() -> None:
    got = mh_ratio([ALL_EVENTS, [[3, 0], [7, 0]]])
    assert got.estimate == pytest.approx(1, rel=1e-12)
    assert (got.se, got.interval, got.reasons) == (0, None, ("too_few_events",))


@pytest.mark.parametrize("pooler", POOLERS)
def test_only_empty_arms(pooler) -> None:
    got = pooler([EMPTY_ARM])
    assert (got.estimate, got.se, got.interval, got.p_value) == (None, None, None, None)
    assert got.reasons == ("arm_empty",)
    assert (got.n, got.n_dropped) == (0, 10)


@pytest.mark.parametrize("pooler", [mh_ratio, mh_odds_ratio])
def test_ratios_need_events_in_both_arms(pooler) -> None:
    none_virtual, none_in_person = pooler([[[0, 10], [3, 7]]]), pooler([[[3, 7], [0, 10]]])
    assert (none_virtual.estimate, none_in_person.estimate) == (0, None)
    assert none_virtual.interval is none_in_person.interval is None
    assert none_virtual.reasons == none_in_person.reasons == ("ratio_needs_events",)


def test_difference_interval_stays_within_its_range() -> None:
    got = mh_difference([[[10, 1], [0, 11]]])
    assert got.interval.high == 1
    assert got.estimate + 1.96 * got.se > 1


def test_strata_of_one_observation_do_not_spoil_the_test() -> None:
    assert float(cmh_test([*HINE, [[1, 0], [0, 0]], [[0, 0], [0, 0]]]).statistic) == float(
        cmh_test(HINE).statistic
    )


def test_tarone_of_one_stratum_tests_nothing() -> None:
    got = tarone([HINE[0]])
    assert float(got.statistic) == pytest.approx(0, abs=1e-12)
    assert got.p() is None


def test_tarone_with_equal_odds_is_zero() -> None:
    same = [[[20, 10], [10, 20]], [[200, 100], [100, 200]]]
    assert float(tarone(same).statistic) == pytest.approx(0, abs=1e-9)
    assert float(tarone([[[10, 10], [10, 10]], [[5, 20], [5, 20]]]).statistic) == pytest.approx(0, abs=1e-12)


def test_tarone_with_extreme_odds_expects_the_right_margins() -> None:
    """Expected counts keep the pooled odds ratio: checked by the sum of (a − E) that the estimator sets."""
    tables = np.array([[[1, 60], [30, 2]], [[2, 50], [45, 1]]])
    got = tarone(tables)
    theirs = StratifiedTable([t.astype(float) for t in tables]).test_equal_odds(adjust=True)
    assert float(got.statistic) == pytest.approx(theirs.statistic, rel=1e-8)


def test_rate_ratio_by_hand_and_swapped() -> None:
    got = mh_rate_ratio([4, 10, 3], [1000, 2500, 800], [9, 14, 2], [1200, 2000, 900])
    swapped = mh_rate_ratio([9, 14, 2], [1200, 2000, 900], [4, 10, 3], [1000, 2500, 800])
    assert got.estimate == pytest.approx(1 / swapped.estimate, rel=1e-12)
    assert got.interval.low == pytest.approx(1 / swapped.interval.high, rel=1e-12)
    assert mh_rate_ratio([4, 5], [1000, 10], [9, 0], [1200, 0]).strata_dropped == 1
    assert mh_rate_ratio(0, 100, 5, 100).estimate == 0


def test_homogeneity_of_differences_by_hand() -> None:
    tables = np.array([[[20, 80], [10, 90]], [[10, 90], [20, 80]], [[0, 30], [0, 40]]], float)
    x, n = tables[:, :, 0], tables.sum(axis=2)
    p = (x + 0.5) / (n + 1)
    v = (p * (1 - p) / n).sum(axis=1)
    d = x[:, 0] / n[:, 0] - x[:, 1] / n[:, 1]
    mean = np.average(d, weights=1 / v)
    got = difference_homogeneity(tables)
    assert float(got.statistic) == pytest.approx((((d - mean) ** 2) / v).sum(), rel=1e-12)
    assert float(got.df) == 2
    assert difference_homogeneity([*tables, EMPTY_ARM]).statistic == got.statistic
    assert difference_homogeneity(tables[:1]).p() is None


def test_simpson_at_berkeley_and_with_a_true_reversal() -> None:
    berkeley = simpson(BERKELEY)
    assert berkeley.crude_odds_ratio == pytest.approx(1.84108, abs=1e-5)
    assert berkeley.pooled_odds_ratio.estimate == pytest.approx(0.9047, abs=1e-4)
    # The pooled difference has the other sign but may be zero.
    assert berkeley.reason == "sign_turned"
    larger = np.array([[[800, 200], [95, 5]], [[20, 80], [300, 700]]])
    assert simpson(larger).reason == "reversal"
    assert simpson([HINE[4], HINE[5]]).reason is None


@pytest.mark.parametrize(
    ("crude", "adjusted", "reason"),
    [
        ((0.10, 0.05, 0.15), (-0.10, -0.15, -0.05), "reversal"),
        ((0.10, 0.05, 0.15), (-0.01, -0.05, 0.03), "sign_turned"),
        ((0.10, 0.05, 0.15), (0.04, -0.01, 0.09), "attenuation"),
        ((0.10, 0.05, 0.15), (0.06, 0.01, 0.11), None),
        ((0.02, -0.01, 0.05), (-0.10, -0.15, -0.05), None),
        ((-0.10, -0.15, -0.05), (0.10, 0.05, 0.15), "reversal"),
        ((-0.10, -0.15, -0.05), (-0.04, -0.09, 0.01), "attenuation"),
    ],
)
def test_what_adjusting_did(crude, adjusted, reason) -> None:
    before, after = Interval(*crude[1:]), Interval(*adjusted[1:])
    assert adjustment_effect(crude[0], before, adjusted[0], after) == reason
    shifted = [Interval(i.low + 1, i.high + 1) for i in (before, after)]
    assert adjustment_effect(crude[0] + 1, shifted[0], adjusted[0] + 1, shifted[1], no_effect=1) == reason


def test_huge_counts() -> None:
    tables = np.array(HINE) * 1_000_000
    small, large = mh_difference(HINE), mh_difference(tables)
    assert large.estimate == pytest.approx(small.estimate, rel=1e-12)
    assert large.se == pytest.approx(small.se / 1000, rel=1e-9)
    assert math.isfinite(mh_odds_ratio(tables).se)
    # With Tarone's correction the statistic grows by the very factor of the counts.
    assert float(tarone(tables).statistic) == pytest.approx(float(tarone(HINE).statistic) * 1e6, rel=1e-6)


@pytest.mark.parametrize("function", [*POOLERS, cmh_test, tarone, simpson, difference_homogeneity])
def test_a_single_table_is_not_strata(function) -> None:
    with pytest.raises(AnalysisError, match="K, 2, 2"):
        function(HINE[0])
