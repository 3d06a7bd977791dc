"""Clustered errors of times: against the jackknife that leaves out one cluster, statsmodels, and simulated coverage."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight
from statsmodels.regression.linear_model import OLS

from analysis.stats.geometric_means import geometric_mean_ratio_clustered, geometric_mean_ratio_from_sums
from analysis.stats.pooled import Pooled
from analysis.stats.survival import kaplan_meier
from analysis.stats.survival_contrasts import (
    restricted_mean_difference,
    restricted_mean_ratio,
    risk_difference,
)
from analysis.stats.survival_hazards import detectable_hazard_ratio, hazard_ratio
from analysis.stats.survival_influence import mean_influence, risk_influence
from analysis.stats.survival_quantiles import survival_quantile, survival_quantile_difference

Rows = dict[str, np.ndarray]


def people(
    seed: int = 0,
    n: int = 900,
    clusters: int = 60,
    *,
    lean: float = 0.8,
    spread: float = 0.6,
    ratio: float = 1.3,
) -> Rows:
    """Times that resemble one another within a cluster, which also leans to one arm; censored; three strata."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    leans, slow = rng.normal(0, lean, clusters), np.exp(rng.normal(0, spread, clusters))
    arm = (rng.random(n) < 1 / (1 + np.exp(0.4 - leans[cluster]))).astype(int)
    true = np.maximum(np.rint(rng.exponential(300, n) * slow[cluster] * np.where(arm == 1, ratio, 1.0)), 1)
    censor = rng.uniform(100, 900, n).round()
    return {
        "time": np.minimum(true, censor), "event": (true <= censor).astype(int), "arm": arm,
        "stratum": rng.integers(0, 3, n), "cluster": cluster,
    }  # fmt: skip


def asked(function: Callable[..., Pooled], r: Rows, n: np.ndarray | None = None, **settings: float) -> Pooled:
    count = np.ones(r["time"].size) if n is None else n
    return function(
        r["time"], r["event"], count, r["arm"], stratum=r["stratum"], cluster=r["cluster"], **settings
    )


WAYS: dict[str, tuple[Callable[..., Pooled], dict[str, float]]] = {
    "risk difference": (risk_difference, {"horizon": 365}),
    "ratio of restricted means": (restricted_mean_ratio, {"tau": 365}),
    "difference of restricted means": (restricted_mean_difference, {"tau": 365}),
    "hazard ratio": (hazard_ratio, {}),
}


def on_its_scale(found: Pooled) -> float:
    assert found.estimate is not None
    return math.log(found.estimate) if found.scale == "log" else found.estimate


@pytest.mark.parametrize("way", WAYS)
def test_errors_are_those_of_leaving_out_one_cluster_at_a_time(way: str) -> None:
    function, settings = WAYS[way]
    r = people(1)
    found = asked(function, r, **settings)
    without = [
        on_its_scale(asked(function, {k: v[r["cluster"] != c] for k, v in r.items()}, **settings))
        for c in range(60)
    ]
    jackknife = math.sqrt(59 / 60 * float(((np.array(without) - np.mean(without)) ** 2).sum()))
    assert found.se == pytest.approx(jackknife, rel=0.04)
    fewest = min(np.unique(r["cluster"][r["arm"] == arm]).size for arm in (0, 1))
    assert (found.clusters, found.df) == (60, fewest - 1)
    # Ignoring the clusters gives another number, so that the test could fail.
    alone = function(r["time"], r["event"], np.ones(900), r["arm"], stratum=r["stratum"], **settings)
    assert alone.estimate == found.estimate and alone.se is not None and found.se is not None
    assert abs(alone.se / found.se - 1) > 0.06


@pytest.mark.parametrize(("influence", "figure"), [(risk_influence, "risk"), (mean_influence, "mean")])
def test_influence_is_the_slope_in_the_count_of_a_row(
    influence: Callable[..., np.ndarray], figure: str
) -> None:
    r = people(2, 120)
    count = np.ones(120)

    def value(n: np.ndarray) -> float:
        curve = kaplan_meier(r["time"], r["event"], n)
        steps = np.arange(365)
        survival = np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.time, steps, side="right")]
        return 1 - curve.survival[curve.time <= 365][-1] if figure == "risk" else float(survival.sum())

    got = influence(kaplan_meier(r["time"], r["event"], count), r["time"], r["event"], 365)
    for i in (0, 17, 44, 80, 119):
        step = np.where(np.arange(120) == i, 1e-6, 0.0)
        slope = (value(count + step) - value(count - step)) / 2e-6
        assert got[i] == pytest.approx(slope, rel=1e-5, abs=1e-9)
    assert got.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("way", ["risk difference", "ratio of restricted means"])
def test_everyone_a_cluster_is_nearly_everyone_independent(way: str) -> None:
    function, settings = WAYS[way]
    r = people(3) | {"cluster": np.arange(900)}
    alone = function(r["time"], r["event"], np.ones(900), r["arm"], stratum=r["stratum"], **settings)
    found = asked(function, r, **settings)
    assert found.se == pytest.approx(alone.se, rel=0.01)
    assert found.interval.half_width == pytest.approx(alone.interval.half_width, rel=0.02)


def test_counts_stand_for_rows() -> None:
    r = people(4, 500)
    coarse = r | {"time": np.maximum(r["time"] // 60 * 60, 1)}
    unique, n = np.unique(np.stack(list(coarse.values())), axis=1, return_counts=True)
    grouped = dict(zip(coarse, unique, strict=True))
    assert n.max() > 1
    for function, settings in WAYS.values():
        one, other = asked(function, coarse, **settings), asked(function, grouped, n, **settings)
        assert (other.estimate, other.se) == pytest.approx((one.estimate, one.se), rel=1e-9)


@pytest.mark.parametrize("stratified", [True, False])
def test_hazard_ratio_is_that_of_statsmodels(stratified: bool) -> None:
    r = people(5)
    strata = r["stratum"] if stratified else None
    model = PHReg(r["time"], r["arm"].astype(float), status=r["event"], strata=strata, ties="breslow")
    plain, robust = model.fit(), model.fit(groups=r["cluster"])
    columns = (r["time"], r["event"], np.ones(900), r["arm"])
    alone = hazard_ratio(*columns, stratum=strata)
    found = hazard_ratio(*columns, stratum=strata, cluster=r["cluster"])
    assert on_its_scale(alone) == pytest.approx(plain.params[0], rel=1e-7)
    assert alone.se == pytest.approx(plain.bse[0], rel=1e-7)
    assert alone.p_value == pytest.approx(plain.pvalues[0], rel=1e-6)
    assert found.se == pytest.approx(robust.bse[0] * math.sqrt(60 / 59), rel=1e-7)


def test_hazard_ratio_on_the_edges() -> None:
    none = hazard_ratio([50, 60, 70, 80], [1, 0, 0, 0], [3, 40, 20, 30], [1, 1, 0, 0])
    assert (none.estimate, none.reasons) == (None, ("ratio_needs_events",))
    assert hazard_ratio([50], [1], [5], [1]).reasons == ("arm_empty",)
    # When the last has its event nobody of the other arm is left, so it says nothing.
    time, n, arm = [5, 7, 9, 20, 30], [4, 4, 9, 7, 5], [1, 0, 1, 0, 0]
    late, never = (hazard_ratio(time, [1, 1, 0, 0, last], n, arm) for last in (1, 0))
    assert late.estimate == pytest.approx(never.estimate, rel=1e-12) and late.estimate is not None
    turned = hazard_ratio(time, [1, 1, 0, 0, 1], n, [1 - a for a in arm])
    assert late.estimate == pytest.approx(1 / turned.estimate, rel=1e-9)
    huge = hazard_ratio([50, 90, 50, 90], [1, 0, 1, 0], [1e6, 1e8, 2e6, 1e8], [1, 1, 0, 0])
    assert huge.estimate == pytest.approx(0.5, rel=0.02) and math.isfinite(huge.se)


def test_detectable_hazard_ratio_needs_the_events_schoenfeld_asks_for() -> None:
    found = detectable_hazard_ratio(120, 0.3)
    assert found is not None
    assert (1.959964 + 0.841621) ** 2 / (0.3 * 0.7 * math.log(found) ** 2) == pytest.approx(120, rel=1e-5)
    assert detectable_hazard_ratio(0, 0.5) is None and detectable_hazard_ratio(10, 1.0) is None


@pytest.mark.parametrize("way", WAYS)
def test_few_clusters_are_refused(way: str) -> None:
    function, settings = WAYS[way]
    r = people(6)
    # Two specialists do all of one arm: however many there are in the other.
    few = r | {"cluster": np.where(r["arm"] == 1, r["cluster"] % 2, r["cluster"])}
    found = asked(function, few, **settings)
    assert (found.interval, found.p_value) == (None, None)
    assert found.estimate is not None and "too_few_clusters" in found.reasons
    twenty = asked(function, r | {"cluster": r["cluster"] % 20}, **settings)
    assert twenty.interval is not None and "few_clusters" in twenty.reasons


def test_an_arm_without_events_keeps_a_limit_when_clustered() -> None:
    n = np.full(20, 10.0)
    got = risk_difference(
        [400] * 10 + [60] * 2 + [400] * 8, [0] * 10 + [1] * 2 + [0] * 8, n, [1] * 10 + [0] * 10,
        cluster=np.arange(20), horizon=365,
    )  # fmt: skip
    assert got.estimate == pytest.approx(-0.2)
    assert got.interval.low < -0.2 < got.interval.high < 0.1


# -- geometric means --------------------------------------------------------------------------------------


def test_clustered_geometric_means_are_a_regression_on_logs_with_clustered_errors() -> None:
    rng = np.random.default_rng(7)
    cluster = rng.integers(0, 30, 400)
    arm = rng.integers(0, 2, 400)
    logs = 1 + 0.3 * arm + rng.normal(0, 0.4, 30)[cluster] + rng.normal(0, 0.3, 400)
    model = OLS(logs, np.column_stack([np.ones(400), arm]))
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False})
    got = geometric_mean_ratio_clustered(arm=arm, n=np.ones(400), log_sum=logs, cluster=cluster)
    assert on_its_scale(got) == pytest.approx(theirs.params[1], rel=1e-9)
    assert got.se == pytest.approx(theirs.bse[1] * math.sqrt(30 / 29), rel=1e-9)
    assert (got.df, got.clusters) == (29, 30)


def test_clustered_geometric_means_in_strata_are_the_same_estimate_with_the_jackknifes_error() -> None:
    rng = np.random.default_rng(8)
    cluster, stratum = rng.integers(0, 80, 2400), rng.integers(0, 4, 2400)
    arm = (rng.random(2400) < 0.3 + 0.1 * stratum).astype(int)
    logs = 0.5 * stratum + 0.2 * arm + rng.normal(0, 0.3, 80)[cluster] + rng.normal(0, 0.4, 2400)

    def ratio(rows: np.ndarray) -> Pooled:
        return geometric_mean_ratio_clustered(
            arm=arm[rows],
            n=np.ones(rows.sum()),
            log_sum=logs[rows],
            stratum=stratum[rows],
            cluster=cluster[rows],
        )

    everyone = np.ones(2400, bool)
    found = ratio(everyone)
    welch = geometric_mean_ratio_from_sums(
        arm=arm, n=np.ones(2400), log_sum=logs, log_sum_squares=logs**2, stratum=stratum
    )
    assert found.estimate == pytest.approx(welch.estimate, rel=1e-12)
    without = np.array([on_its_scale(ratio(cluster != c)) for c in range(80)])
    assert found.se == pytest.approx(math.sqrt(79 / 80 * ((without - without.mean()) ** 2).sum()), rel=0.03)
    single = geometric_mean_ratio_clustered(
        arm=[*arm, 1, 0, 0], n=np.ones(2403), log_sum=[*logs, 9, 9, 9], stratum=[*stratum, 7, 7, 7],
        cluster=[*cluster, 1, 2, 3],
    )  # fmt: skip
    assert (single.estimate, single.n_dropped) == (pytest.approx(found.estimate, rel=1e-12), 3)
    few = geometric_mean_ratio_clustered(arm=arm, n=np.ones(2400), log_sum=logs, cluster=cluster % 4)
    assert (few.interval, few.reasons) == (None, ("too_few_clusters",))


# -- quantiles of open times ------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [0.25, 0.5, 0.75])
def test_quantiles_of_open_times_are_those_of_statsmodels(q: float) -> None:
    r = people(10, 413)
    theirs = SurvfuncRight(r["time"], r["event"])
    found = survival_quantile(kaplan_meier(r["time"], r["event"], np.ones(413)), q)
    assert found.estimate == theirs.quantile(q)
    assert (found.interval.low, found.interval.high) == theirs.quantile_ci(q, method="cloglog")


def test_quantiles_that_nobody_reached_do_not_exist() -> None:
    curve = kaplan_meier([10, 20, 100], [1, 1, 0], [10, 10, 80])
    assert survival_quantile(curve, 0.5).reasons == ("horizon_not_reached",)
    assert survival_quantile(curve, 0.1).estimate == 10
    open_ended = survival_quantile(curve, 0.2)
    assert (open_ended.estimate, open_ended.interval) == (20, None)
    assert survival_quantile_difference(curve, curve, 0.5).estimate is None
    assert survival_quantile_difference(curve, kaplan_meier([], [], []), 0.1).reasons == ("arm_empty",)


# -- coverage ---------------------------------------------------------------------------------------------


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """Equal arms whose clusters differ and lean to one mode: 300 programs, of which 95 % have to hold no difference."""
    held, alone = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
    for seed in range(300):
        r = people(1000 + seed, 600, 50, lean=2.5, ratio=1.0)
        for way, (function, settings) in WAYS.items():
            nothing = 0.0 if "difference" in way else 1.0
            held[way] += asked(function, r, **settings).interval.contains(nothing)
            naive = function(r["time"], r["event"], np.ones(600), r["arm"], stratum=r["stratum"], **settings)
            alone[way] += naive.interval.contains(nothing)
    for way in WAYS:
        assert 0.92 <= held[way] / 300 <= 0.985, (way, held[way] / 300)
        # Taken as independent they would hold it too seldom, so that the test can fail.
        assert alone[way] / 300 < 0.92, (way, alone[way] / 300)
