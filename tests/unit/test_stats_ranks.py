"""Rank tests, shifts, log-rank and max-T: against the libraries and against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from scipy.stats import CensoredData
from statsmodels.duration.survfunc import survdiff

from analysis.errors import AnalysisError
from analysis.stats import shift
from analysis.stats.max_t import max_t
from analysis.stats.rank_tests import brunner_munzel, mann_whitney, mann_whitney_exact, u_distribution
from analysis.stats.shift import hodges_lehmann, hodges_lehmann_exact
from analysis.stats.survival import kaplan_meier
from analysis.stats.survival_tests import log_rank, median_time

RNG = np.random.default_rng(11)
X, Y = RNG.integers(0, 12, 40), RNG.integers(2, 15, 60)


def counted(values) -> tuple[list, list]:
    value, n = np.unique(values, return_counts=True)
    return value.tolist(), n.tolist()


def test_against_scipy_from_counts() -> None:
    for continuity in (False, True):
        ours = mann_whitney(*counted(X), *counted(Y), continuity=continuity)
        theirs = stats.mannwhitneyu(X, Y, method="asymptotic", use_continuity=continuity)
        assert (float(ours.statistic), float(ours.p_value)) == pytest.approx(
            (theirs.statistic, theirs.pvalue)
        )
    # scipy's statistic is positive where its second sample is larger.
    wanted = stats.brunnermunzel(Y, X)
    got = brunner_munzel(*counted(X), *counted(Y))
    assert (got.estimate - 0.5) / got.se == pytest.approx(wanted.statistic)
    assert got.p_value == pytest.approx(wanted.pvalue)
    assert got.estimate == pytest.approx(
        (np.subtract.outer(X, Y) > 0).mean() + (np.subtract.outer(X, Y) == 0).mean() / 2
    )
    assert got.estimate < 0.5


def test_exact_rank_test_against_scipy() -> None:
    x, y = [0.1, 2.5, 3.7, 9.9], [1.0, 4.4, 5.5, 6.6, 7.1]
    theirs = stats.mannwhitneyu(x, y, method="exact")
    ours = mann_whitney_exact(x, y)
    assert (float(ours.statistic), float(ours.p_value)) == pytest.approx((theirs.statistic, theirs.pvalue))
    with pytest.raises(AnalysisError, match="distinct"):
        mann_whitney_exact([1, 2], [2, 3])
    assert mann_whitney_exact([], [1]).p() is None


@pytest.mark.parametrize(("m", "n"), [(1, 1), (3, 5), (7, 4)])
def test_ways_to_order_two_samples(m, n) -> None:
    ways = u_distribution(m, n)
    assert sum(ways) == math.comb(m + n, m)
    assert ways == ways[::-1]
    assert len(ways) == m * n + 1


def test_ranks_where_nothing_can_be_told() -> None:
    assert mann_whitney([3], [5], [3], [7]).p() is None
    assert mann_whitney([], [], [3], [7]).p() is None
    assert brunner_munzel([3], [5], [3], [7]).reasons == ("no_variation",)
    apart = brunner_munzel([1, 2], [5, 5], [8, 9], [5, 5])
    assert (apart.estimate, apart.interval, apart.reasons) == (0.0, None, ("no_variation",))
    assert brunner_munzel([3], [0], [3], [7]).reasons == ("arm_empty",)
    assert brunner_munzel([3], [1], [4, 2], [7, 3]).reasons == ("small_numbers",)
    with pytest.raises(AnalysisError):
        mann_whitney([1], [1.5], [1], [1])
    with pytest.raises(AnalysisError):
        brunner_munzel([math.nan], [1], [1], [1])


def test_shift_is_the_median_of_all_differences() -> None:
    differences = np.subtract.outer(X, Y).ravel()
    got = hodges_lehmann(*counted(X), *counted(Y))
    assert got.estimate == np.median(differences)
    ordered = np.sort(differences)
    c = math.floor(1200 - stats.norm.ppf(0.975) * math.sqrt(2400 * 101 / 12))
    assert (got.interval.low, got.interval.high) == (ordered[c - 1], ordered[-c])
    assert hodges_lehmann_exact(X, Y) == got


def test_searching_finds_what_listing_finds(monkeypatch) -> None:
    x, y = RNG.normal(size=30), RNG.normal(size=25) + 1
    listed = hodges_lehmann(x, [1] * 30, y, [1] * 25)
    monkeypatch.setattr(shift, "_PAIRS", 0)
    searched = hodges_lehmann(x, [1] * 30, y, [1] * 25)
    assert searched.estimate == pytest.approx(listed.estimate, abs=1e-9)
    assert (searched.interval.low, searched.interval.high) == pytest.approx(
        (listed.interval.low, listed.interval.high), abs=1e-9
    )


def test_exact_and_normal_limits_are_close_and_small_samples_say_so() -> None:
    x, y = RNG.normal(size=30), RNG.normal(size=25)
    exact, normal = hodges_lehmann_exact(x, y), hodges_lehmann(x, [1] * 30, y, [1] * 25)
    assert exact.estimate == pytest.approx(normal.estimate)
    assert exact.interval.low == pytest.approx(normal.interval.low, abs=0.1)
    tiny = hodges_lehmann_exact([1, 2], [4, 8])
    assert (tiny.interval.low, tiny.interval.high, tiny.reasons) == (-7, -2, ("small_numbers",))
    assert hodges_lehmann_exact([], [1]).reasons == ("arm_empty",)


def test_exact_limits_hold_what_the_exact_test_does_not_reject() -> None:
    x, y = RNG.normal(size=6), RNG.normal(size=7)
    limits = hodges_lehmann_exact(x, y).interval
    for delta, inside in (
        (limits.low + 1e-6, True),
        (limits.low - 1e-6, False),
        (limits.high - 1e-6, True),
        (limits.high + 1e-6, False),
    ):
        assert (mann_whitney_exact(x - delta, y).p() > 0.05) is inside


def test_log_rank_against_the_libraries() -> None:
    time, event, group = RNG.integers(1, 30, 80), RNG.integers(0, 2, 80), RNG.integers(0, 3, 80)
    ours, (wanted, p) = log_rank(time, event, group), survdiff(time, event, group)
    assert (ours.statistic, ours.p_value, ours.df) == (pytest.approx(wanted), pytest.approx(p), 2)
    two = group < 2
    ours = log_rank(time[two], event[two], group[two])
    theirs = stats.logrank(
        *(
            CensoredData(time[(group == g) & (event == 1)], right=time[(group == g) & (event == 0)])
            for g in (0, 1)
        )
    )
    assert ours.statistic == pytest.approx(theirs.statistic**2)
    rows, n = np.unique(np.stack([time, event, group], 1)[two], axis=0, return_counts=True)
    assert log_rank(rows[:, 0], rows[:, 1], rows[:, 2], n).statistic == pytest.approx(ours.statistic)
    assert ours.observed.sum() == pytest.approx(ours.expected.sum())


def test_log_rank_without_anything_to_test() -> None:
    assert log_rank([1, 2], [0, 0], [0, 1]).reasons == ("too_few_events",)
    assert log_rank([1, 2], [1, 1], [0, 0]).statistic is None
    assert np.isnan(log_rank([1, 2], [0, 0], [0, 1]).median).all()
    with pytest.raises(AnalysisError):
        log_rank([1], [2], [0])


def test_median_of_a_flat_half() -> None:
    assert median_time(kaplan_meier([2, 3, 4, 9], [1, 1, 0, 0], [1, 1, 1, 1])) == 3
    assert median_time(kaplan_meier([2, 3, 4], [1, 1, 1], [1, 1, 1])) == 3


def brute_max_t(values, arm) -> list[float]:
    def welch(labels):
        return np.abs(
            [stats.ttest_ind(row[labels], row[~labels], equal_var=False).statistic for row in values]
        )

    seen = welch(arm == 1)
    order = np.argsort(-seen)
    reached, total = np.zeros(len(seen)), 0
    for chosen in itertools.combinations(range(arm.size), int(arm.sum())):
        t = welch(np.isin(np.arange(arm.size), chosen))
        reached += [t[order[k:]].max() >= seen[order[k]] - 1e-9 for k in range(len(seen))]
        total += 1
    p = np.empty(len(seen))
    p[order] = np.maximum.accumulate(reached / total)
    return p.tolist()


def test_max_t_against_brute_force() -> None:
    values, arm = RNG.normal(size=(3, 9)), np.array([1, 1, 1, 0, 0, 0, 0, 1, 0])
    values[0, arm == 1] += 2
    got = max_t(values, arm)
    assert (got.complete, got.arrangements) == (True, math.comb(9, 4))
    assert got.p_adjusted.tolist() == pytest.approx(brute_max_t(values, arm))
    drawn = max_t(values, arm, draws=100)
    assert not drawn.complete
    assert drawn.p_adjusted == pytest.approx(got.p_adjusted, abs=0.15)
    assert (max_t(values, arm, draws=100).p_adjusted == drawn.p_adjusted).all()


def test_max_t_keeps_strata_and_missing_values() -> None:
    values = np.array([[1.0, 2, 9, 8, 3, 4, 12, 11], [0, 1, np.nan, 1, 0, 0, 1, np.nan], [5] * 8])
    arm, stratum = [1, 0, 1, 0, 1, 0, 1, 0], [0, 0, 1, 1, 0, 0, 1, 1]
    got = max_t(values, arm, stratum=stratum)
    assert (got.arrangements, got.complete) == (36, True)
    assert np.isnan(got.p_adjusted[2])
    asked = ~np.isnan(values[1])
    one = np.array(arm) == 1
    wanted = stats.ttest_ind(values[1, asked & one], values[1, asked & ~one], equal_var=False).statistic
    assert got.statistic[1] == pytest.approx(wanted)


def test_max_t_across_blocks(monkeypatch) -> None:
    values, arm = RNG.normal(size=(3, 12)), np.arange(12) % 2
    one = max_t(values, arm, draws=500)
    whole = max_t(values, arm, draws=924)
    monkeypatch.setattr("analysis.stats.max_t._BLOCK", 120)
    assert max_t(values, arm, draws=500).p_adjusted == pytest.approx(one.p_adjusted, abs=0.08)
    assert (max_t(values, arm, draws=924).p_adjusted == whole.p_adjusted).all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"values": [1, 2], "arm": [1, 0]},
        {"values": [[1, math.inf]], "arm": [1, 0]},
        {"values": [[1, 2]], "arm": [1, 0], "draws": 0},
        {"values": [[1, 2]], "arm": [1, 2]},
    ],
)
def test_impossible_questions_are_refused(wrong) -> None:
    with pytest.raises(AnalysisError):
        max_t(**wrong)
