"""G-computation and weighting: saturated models are stratification, errors are those of the bootstrap."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.errors import AnalysisError
from analysis.stats.g_computation import g_computation
from analysis.stats.strata import mh_difference
from analysis.stats.weighting import aipw, ipw, overlap_weighting, overlap_weighting_augmented

WEIGHTERS = [ipw, aipw, overlap_weighting, overlap_weighting_augmented]
EVERYONE = [g_computation, ipw, aipw]
OVERLAP = [overlap_weighting, overlap_weighting_augmented]

# Three strata, both arms: rows are (arm, stratum).
ARM = [1, 0, 1, 0, 1, 0]
STRATUM = np.array([[0, 0], [0, 0], [1, 0], [1, 0], [0, 1], [0, 1]])
EVENTS, N = [10, 12, 30, 10, 5, 9], [50, 60, 90, 40, 20, 70]


def risks_by_stratum() -> tuple:
    p, n = np.array(EVENTS) / N, np.array(N)
    return p[::2], p[1::2], n[::2], n[1::2]


@pytest.mark.parametrize("function", [ipw, aipw])
def test_saturated_weighting_to_everyone_is_direct_standardisation(function) -> None:
    p1, p0, n1, n0 = risks_by_stratum()
    got = function(ARM, STRATUM, EVENTS, N)
    assert got.risk_1 == pytest.approx(np.average(p1, weights=n1 + n0))
    assert got.risk_0 == pytest.approx(np.average(p0, weights=n1 + n0))
    assert got.ratio.estimate == pytest.approx(got.risk_1 / got.risk_0)


def test_saturated_g_computation_is_direct_standardisation() -> None:
    p1, _, n1, n0 = risks_by_stratum()
    got = g_computation(ARM, STRATUM, EVENTS, N, interactions=STRATUM)
    assert got.risk_1 == pytest.approx(np.average(p1, weights=n1 + n0))


@pytest.mark.parametrize("function", OVERLAP)
def test_saturated_overlap_weighting_is_mantel_haenszel(function) -> None:
    got = function(ARM, STRATUM, EVENTS, N)
    tables = np.array([EVENTS, np.subtract(N, EVENTS)]).T.reshape(3, 2, 2)
    assert got.difference.estimate == pytest.approx(mh_difference(tables).estimate)
    assert got.effective_1 < 160


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_swapping_the_arms_turns_the_contrasts(function) -> None:
    # Not saturated: stratum as one number.
    one, other = (function(arm, STRATUM @ [1, 2], EVENTS, N) for arm in (ARM, 1 - np.array(ARM)))
    assert other.difference.estimate == pytest.approx(-one.difference.estimate)
    assert other.difference.se == pytest.approx(one.difference.se)
    assert other.ratio.estimate == pytest.approx(1 / one.ratio.estimate)
    assert other.ratio.interval.low == pytest.approx(1 / one.ratio.interval.high)


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_grouping_is_nothing_and_more_data_narrow(function) -> None:
    covariate = STRATUM @ [1, 2]
    one = function(ARM, covariate, EVENTS, N)
    split = function([*ARM, 1], [*covariate, 0], [6, *EVENTS[1:], 4], [20, *N[1:], 30])
    assert (split.difference.estimate, split.difference.se) == pytest.approx(
        (one.difference.estimate, one.difference.se)
    )
    four = function(ARM, covariate, 4 * np.array(EVENTS), 4 * np.array(N))
    assert four.difference.se == pytest.approx(one.difference.se / 2)


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_errors_are_those_of_the_bootstrap(function) -> None:
    rng = np.random.default_rng(3)
    covariate = STRATUM @ [1, 2]
    cells = np.concatenate([EVENTS, np.subtract(N, EVENTS)])
    drawn = []
    for _ in range(150):
        times = rng.multinomial(cells.sum(), cells / cells.sum())
        drawn.append(function(ARM, covariate, times[:6], times[:6] + times[6:]).difference.estimate)
    assert function(ARM, covariate, EVENTS, N).difference.se == pytest.approx(np.std(drawn), rel=0.2)


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_clusters_of_copies_are_no_more_data(function) -> None:
    rng = np.random.default_rng(5)
    arm, x = rng.integers(0, 2, 60), rng.normal(size=60)
    y = (rng.random(60) < 0.4).astype(int)
    alone = function(arm, x, y, np.ones(60), cluster=range(60))
    copies = function(
        np.tile(arm, 3), np.tile(x, 3), np.tile(y, 3), np.ones(180), cluster=np.tile(np.arange(60), 3)
    )
    assert copies.difference.se == pytest.approx(alone.difference.se)
    assert copies.difference.interval.low == pytest.approx(alone.difference.interval.low)
    # Weights know their error no better than the arm with fewer clusters allows; g-computation works out by how much.
    assert copies.difference.clusters == 60
    assert copies.difference.df == pytest.approx(alone.difference.df)
    fewest = min(int(arm.sum()), int((1 - arm).sum()))
    if function is g_computation:
        assert fewest - 1 < alone.difference.df < 59 and copies.correction == "CR2"
    else:
        assert alone.difference.df == fewest - 1
    few = function(arm, x, y, np.ones(60), cluster=np.arange(60) % 3)
    assert few.difference.interval is None
    assert "too_few_clusters" in few.reasons
    assert few.risk_1 == pytest.approx(alone.risk_1)


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_where_no_risk_can_be_told(function) -> None:
    assert function([1, 1], [0, 1], [3, 4], [9, 9]).reasons == ("arm_empty",)
    assert function([1, 0], [0, 1], [0, 0], [0, 0]).reasons == ("arm_empty",)
    with pytest.raises(AnalysisError, match="covariates"):
        function(ARM, [[1, 2]], EVENTS, N)


@pytest.mark.parametrize("function", [g_computation, *WEIGHTERS])
def test_columns_that_repeat_others_change_nothing(function) -> None:
    repeated = np.column_stack([STRATUM, STRATUM.sum(axis=1), np.ones(6)])
    got, wanted = function(ARM, repeated, EVENTS, N), function(ARM, STRATUM, EVENTS, N)
    assert (got.risk_1, got.difference.se) == pytest.approx((wanted.risk_1, wanted.difference.se))


def test_no_overlap_is_said() -> None:
    for function in WEIGHTERS:
        assert function([1, 0, 1, 0], [0, 0, 1, 1], [3, 0, 4, 5], [9, 0, 9, 9]).reasons == ("separated",)
    apart = g_computation([1, 0], [1, 0], [3, 4], [9, 9])
    assert (apart.reasons, apart.risk_1, apart.difference.n_dropped) == (("collinear",), None, 18)
    # The propensity exists, but one arm's outcome never happens in a stratum.
    assert aipw(ARM, STRATUM, [10, 12, 30, 10, 0, 9], N).reasons == ("separated",)
    assert ipw(ARM, STRATUM, [10, 12, 30, 10, 0, 9], N).reasons == ()


@pytest.mark.parametrize("function", [ipw, aipw])
def test_trimming_leaves_out_and_counts(function) -> None:
    n, events = [50, 60, 90, 40, 2, 200], [10, 12, 30, 10, 1, 20]
    got = function(ARM, STRATUM, events, n, trim=0.05)
    wanted = function(ARM[:4], STRATUM[:4], events[:4], n[:4])
    assert (got.n_trimmed, got.n, got.difference.n_dropped) == (202, 240, 202)
    assert got.reasons == ("trimmed",)
    assert (got.risk_1, got.difference.se) == pytest.approx((wanted.risk_1, wanted.difference.se))
    assert function(ARM, STRATUM, events, n).n_trimmed == 0
    with pytest.raises(AnalysisError, match="trim"):
        function(ARM, STRATUM, events, n, trim=0.5)


def test_without_events_there_is_no_ratio() -> None:
    got = overlap_weighting(ARM, STRATUM, [0] * 6, N)
    assert (got.risk_1, got.difference.estimate, got.difference.interval) == (0, 0, None)
    assert got.ratio.estimate is None
    assert "ratio_needs_events" in got.ratio.reasons
