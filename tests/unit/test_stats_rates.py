"""Ratios of sums with clustered errors, against row-level computations and statsmodels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.regression.linear_model as lm
from scipy import stats

from analysis.errors import AnalysisError
from analysis.stats.proportions import wilson
from analysis.stats.rates import arm_rate, clustered_from_moments, rate_difference, rate_ratio
from analysis.stats.strata import mh_difference, mh_ratio


def rows(seed: int = 0, n: int = 400, specialists: int = 45, strata: int = 4) -> dict[str, np.ndarray]:
    """Validations: criteria assessed, criteria deficient, arm, stratum, specialist."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, specialists, n)
    stratum = rng.integers(0, strata, n)
    arm = (rng.random(n) < 0.3 + 0.1 * stratum).astype(int)
    d = rng.integers(20, 90, n)
    y = rng.binomial(d, np.clip(0.1 + 0.05 * stratum + rng.normal(0, 0.04, specialists)[cluster], 0.01, 0.9))
    return {"y": y, "d": d, "arm": arm, "cluster": cluster, "stratum": stratum}


def by_hand(r: dict[str, np.ndarray], measure: str) -> tuple[float, float, int]:
    """Estimate and error by looping over strata and clusters of rows."""
    top = {0: 0.0, 1: 0.0}
    total, pieces = 0.0, []
    for s in np.unique(r["stratum"]):
        d = {a: r["d"][(r["stratum"] == s) & (r["arm"] == a)].sum() for a in (0, 1)}
        if min(d.values()) == 0:
            continue
        w = d[1] * d[0] / (d[1] + d[0])
        total += w
        for a in (0, 1):
            here = (r["stratum"] == s) & (r["arm"] == a)
            rate = r["y"][here].sum() / d[a]
            top[a] += w * rate
            pieces += [
                (c, a, w * (y - rate * x) / d[a])
                for c, y, x in zip(*(r[k][here] for k in ("cluster", "y", "d")), strict=True)
            ]
    scale = {a: (1 / top[a] if measure == "ratio" else 1 / total) * (1 if a else -1) for a in (0, 1)}
    sums: dict[int, float] = {}
    for c, a, u in pieces:
        sums[c] = sums.get(c, 0.0) + scale[a] * u
    g = len(sums)
    se = math.sqrt(g / (g - 1) * sum(u * u for u in sums.values()))
    return (top[1] / top[0] if measure == "ratio" else (top[1] - top[0]) / total), se, g


def grouped(r: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Summed to one row per (stratum, arm, cluster), shuffled."""
    keys = np.stack([r["stratum"], r["arm"], r["cluster"]])
    unique, index = np.unique(keys, axis=1, return_inverse=True)
    order = np.random.default_rng(1).permutation(unique.shape[1])
    sums = {k: np.bincount(index, r[k])[order] for k in ("y", "d")}
    return sums | dict(zip(("stratum", "arm", "cluster"), unique[:, order], strict=True))


FUNCTIONS = {"difference": rate_difference, "ratio": rate_ratio}


@pytest.mark.parametrize("measure", ["difference", "ratio"])
@pytest.mark.parametrize("stratified", [True, False])
def test_rows_groups_and_a_loop_agree(measure, stratified) -> None:
    r = rows()
    if not stratified:
        r["stratum"] = np.zeros_like(r["stratum"])
    estimate, se, g = by_hand(r, measure)
    # The arm with fewer specialists says how well the error is known.
    df = min(np.unique(r["cluster"][r["arm"] == arm]).size for arm in (0, 1)) - 1
    for data in (r, grouped(r)):
        got = FUNCTIONS[measure](**data)
        assert (got.estimate, got.se) == pytest.approx((estimate, se), rel=1e-10)
        assert (got.clusters, got.df) == (g, df)
        reach = stats.t.ppf(0.975, df) * se
        at = math.log(estimate) if measure == "ratio" else estimate
        back = math.exp if measure == "ratio" else float
        assert (got.interval.low, got.interval.high) == pytest.approx(
            (back(at - reach), back(at + reach)), rel=1e-10
        )
        assert got.p_value == pytest.approx(2 * stats.t.sf(abs(at / se), df), rel=1e-8)


@pytest.mark.parametrize("measure", ["difference", "ratio"])
@pytest.mark.parametrize("stratified", [True, False])
def test_moments_agree_with_units_as_clusters(measure, stratified) -> None:
    r = rows(3)
    r["cluster"] = np.arange(r["y"].size)
    if not stratified:
        r["stratum"] = np.zeros_like(r["stratum"])
    y, d = r["y"].astype(float), r["d"].astype(float)
    keys, index = np.unique(np.stack([r["stratum"], r["arm"]]), axis=1, return_inverse=True)
    columns = {"n": np.ones_like(y), "y": y, "d": d, "yy": y * y, "dd": d * d, "yd": y * d}
    got = clustered_from_moments(
        measure, stratum=keys[0], arm=keys[1], **{k: np.bincount(index, v) for k, v in columns.items()}
    )
    wanted = FUNCTIONS[measure](**r)
    assert got.estimate == pytest.approx(wanted.estimate, rel=1e-12)
    assert got.se == pytest.approx(wanted.se, rel=1e-10)
    assert (got.clusters, got.df, got.n) == (wanted.clusters, wanted.df, wanted.n)
    assert (got.interval.low, got.interval.high) == pytest.approx(
        (wanted.interval.low, wanted.interval.high), rel=1e-10
    )


def test_crude_difference_of_proportions_is_clustered_least_squares() -> None:
    r = rows(5)
    event = (r["y"] > np.median(r["y"])).astype(float)
    model = lm.OLS(event, np.column_stack([np.ones(event.size), r["arm"]]))
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": r["cluster"], "use_correction": False})
    got = rate_difference(event, np.ones(event.size), r["arm"], cluster=r["cluster"])
    g = got.clusters
    assert got.estimate == pytest.approx(theirs.params[1], rel=1e-10)
    assert got.se == pytest.approx(theirs.bse[1] * math.sqrt(g / (g - 1)), rel=1e-10)


def test_with_validations_as_denominators_the_estimates_are_mantel_haenszel() -> None:
    r = rows(7)
    event = (r["y"] > np.median(r["y"])).astype(int)
    tables = np.zeros((4, 2, 2))
    np.add.at(tables, (r["stratum"], 1 - r["arm"], 1 - event), 1)
    groups = {k: r[k] for k in ("arm", "cluster", "stratum")}
    ones = np.ones(event.size)
    assert rate_difference(event, ones, **groups).estimate == pytest.approx(
        mh_difference(tables).estimate, rel=1e-12
    )
    assert rate_ratio(event, ones, **groups).estimate == pytest.approx(mh_ratio(tables).estimate, rel=1e-12)
    # Independent units: the robust error and Sato's estimate the same thing.
    units = {"arm": r["arm"], "cluster": np.arange(event.size), "stratum": r["stratum"]}
    assert rate_difference(event, ones, **units).se == pytest.approx(mh_difference(tables).se, rel=0.03)


def test_swapping_the_arms_turns_the_sign() -> None:
    r = rows()
    other = r | {"arm": 1 - r["arm"]}
    ours, turned = rate_difference(**r), rate_difference(**other)
    assert turned.estimate == pytest.approx(-ours.estimate, rel=1e-12)
    assert turned.interval.low == pytest.approx(-ours.interval.high, rel=1e-12)
    assert rate_ratio(**other).estimate == pytest.approx(1 / rate_ratio(**r).estimate, rel=1e-12)


def test_few_clusters_are_flagged_and_fewer_refused() -> None:
    assert rate_difference(**rows(specialists=45)).reasons == ()
    assert rate_difference(**rows(specialists=39)).reasons == ("few_clusters",)
    assert rate_difference(**rows(specialists=5)).interval is not None
    refused = rate_difference(**rows(specialists=4))
    assert refused.reasons == ("too_few_clusters",)
    assert refused.estimate is not None
    assert (refused.se, refused.interval, refused.p_value, refused.df) == (None, None, None, None)
    assert refused.clusters == 4


def test_an_arm_of_one_cluster_is_refused() -> None:
    """Its residuals sum to zero, so that its variance would vanish."""
    r = rows()
    r["arm"] = (r["cluster"] == 0).astype(int)
    assert rate_difference(**r).reasons == ("too_few_clusters",)


def test_strata_with_an_empty_arm_are_dropped_and_counted() -> None:
    r = rows()
    r["stratum"] = np.where(r["arm"] == 1, r["stratum"], np.minimum(r["stratum"], 2))
    got = rate_difference(**r)
    kept = r["stratum"] < 3
    assert (got.strata_used, got.strata_dropped) == (3, 1)
    assert (got.n, got.n_dropped) == (r["d"][kept].sum(), r["d"][~kept].sum())
    assert got.estimate == pytest.approx(
        rate_difference(**{k: v[kept] for k, v in r.items()}).estimate, rel=1e-12
    )
    assert (got.estimate, got.se) == pytest.approx(by_hand(r, "difference")[:2], rel=1e-10)
    nobody = rate_difference([1, 2], [10, 10], [1, 1], cluster=[0, 1])
    assert (nobody.estimate, nobody.interval, nobody.reasons) == (None, None, ("arm_empty",))


def test_no_events() -> None:
    r = rows() | {"y": np.zeros(400)}
    difference, ratio = rate_difference(**r), rate_ratio(**r)
    assert (difference.estimate, difference.interval, difference.reasons) == (0, None, ("too_few_events",))
    assert (ratio.estimate, ratio.reasons) == (None, ("ratio_needs_events",))
    virtual = rows()
    virtual["y"] = np.where(virtual["arm"] == 1, 0, virtual["y"])
    assert rate_ratio(**virtual).estimate == 0
    assert rate_ratio(**virtual).interval is None


def test_two_specialists_in_one_arm_make_no_interval_whatever_the_other_has() -> None:
    got = rate_difference([3, 4] + [5] * 43, [20] * 45, [1, 1] + [0] * 43, cluster=range(45))
    assert got.interval is None
    assert got.reasons == ("too_few_clusters",)


def test_equal_rates_in_every_cluster_claim_no_certainty() -> None:
    got = rate_difference(
        [3, 7, 11, 2, 5] * 2, [30, 70, 110, 20, 50] * 2, [1] * 5 + [0] * 5, cluster=range(10)
    )
    assert got.estimate == pytest.approx(0, abs=1e-15)
    assert (got.se, got.interval, got.reasons) == (0, None, ("few_clusters", "too_few_events"))


def test_groups_with_nothing_at_risk_change_nothing() -> None:
    r = rows()
    more = {k: np.concatenate([v, v[:5]]) for k, v in r.items()}
    more["y"][-5:] = more["d"][-5:] = 0
    more["cluster"][-5:] = 1000 + np.arange(5)
    assert rate_difference(**more) == rate_difference(**r)


def test_arm_rate_is_wilson_where_nothing_clusters() -> None:
    n = 4000
    event = np.random.default_rng(2).random(n) < 0.3
    got = arm_rate(event, np.ones(n), cluster=np.arange(n))
    plain = wilson(event.sum(), n)
    assert got.estimate == float(plain.estimate)
    assert (got.interval.low, got.interval.high) == pytest.approx(
        (float(plain.low), float(plain.high)), abs=2e-5
    )


def test_arm_rate_widens_with_clustering_and_stays_in_range() -> None:
    together, apart = np.repeat([1, 0, 0, 0, 1, 0, 0, 0], 10), np.tile([1, 0, 0, 0], 20)
    ones, cluster = np.ones(80), np.repeat(np.arange(8), 10)
    wide, narrow = arm_rate(together, ones, cluster=cluster), arm_rate(apart, ones, cluster=cluster)
    assert wide.estimate == narrow.estimate == 0.25
    assert wide.interval.half_width > 2 * narrow.interval.half_width
    none, every = arm_rate(0 * ones, ones, cluster=cluster), arm_rate(ones, ones, cluster=cluster)
    assert none.interval.low == 0 < none.interval.high < 0.1
    assert 0.9 < every.interval.low < every.interval.high == 1
    assert none.interval.high == pytest.approx(1 - every.interval.low, rel=1e-12)


def test_arm_rate_above_one_is_taken_on_the_log_scale() -> None:
    y, n = [30, 25, 41, 33, 28, 39], np.full(6, 10)
    got = arm_rate(y, n, cluster=np.arange(6))
    assert got.scale == "log"
    assert got.estimate == pytest.approx(sum(y) / 60)
    assert 0 < got.interval.low < got.estimate < got.interval.high
    assert got.interval.low * got.interval.high == pytest.approx(got.estimate**2)


def test_arm_rate_without_denominator_or_clusters() -> None:
    assert arm_rate([0], [0], cluster=[1]).reasons == ("zero_denominator",)
    few = arm_rate([1, 2], [10, 10], cluster=[1, 2])
    assert (few.estimate, few.interval, few.reasons) == (0.15, None, ("too_few_clusters",))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"arm": [1, 2]}, "arm"),
        ({"arm": [1]}, "arm"),
        ({"cluster": [1.0, math.nan]}, "cluster"),
        ({"cluster": [1]}, "cluster"),
        ({"y": [1, math.nan]}, "y"),
        ({"d": [-1, 3]}, "d"),
        ({"d": [0, 3]}, "at risk"),
    ],
)
def test_impossible_groups_are_refused_by_name(change, says) -> None:
    with pytest.raises(AnalysisError, match=says):
        rate_difference(**({"y": [1, 2], "d": [4, 4], "arm": [1, 0], "cluster": [0, 1]} | change))


def test_unknown_measure_is_refused() -> None:
    with pytest.raises(AnalysisError, match="measure"):
        clustered_from_moments("odds", arm=[1], n=[1], y=[1], d=[1], yy=[1], dd=[1], yd=[1])
