"""Survival from counts, against statsmodels, brute force and the edges without events or follow-up."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from analysis.errors import AnalysisError
from analysis.stats.proportions import newcombe, wilson
from analysis.stats.survival import cumulative_incidence, kaplan_meier, restricted_mean
from analysis.stats.survival_contrasts import restricted_mean_ratio, risk_difference


def people(seed: int = 0, n: int = 300) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    true, censor = rng.exponential(400, n).round(), rng.uniform(100, 700, n).round()
    return {
        "time": np.minimum(true, censor),
        "event": (true <= censor).astype(int),
        "arm": rng.integers(0, 2, n),
        "stratum": rng.integers(0, 3, n),
    }


def counted(r: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    unique, n = np.unique(np.stack(list(r.values())), axis=1, return_counts=True)
    return dict(zip(r, unique, strict=True)) | {"n": n}


def test_curve_agrees_with_statsmodels() -> None:
    r = people()
    theirs = SurvfuncRight(r["time"], r["event"])
    unique = counted({k: r[k] for k in ("time", "event")})
    got = kaplan_meier(unique["time"], unique["event"], unique["n"])
    np.testing.assert_array_equal(got.time, theirs.surv_times)
    np.testing.assert_array_equal(got.at_risk, theirs.n_risk)
    np.testing.assert_array_equal(got.events, theirs.n_events)
    np.testing.assert_allclose(got.survival, theirs.surv_prob, rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(got.variance), theirs.surv_prob_se, rtol=1e-10)
    assert got.n == 300
    assert got.followed(365) == (r["time"] >= 365).sum()


def test_incidence_without_censoring_is_the_share() -> None:
    curve = kaplan_meier([10, 20, 400], [1, 1, 0], [3, 4, 93])
    got = cumulative_incidence(curve, 365)
    assert got.estimate == pytest.approx(0.07)
    assert got.se == pytest.approx(math.sqrt(0.07 * 0.93 / 100), rel=1e-12)
    reach = 1.959963984540054 * got.se / (0.93 * math.log(0.93))
    wanted = sorted(1 - 0.93 ** math.exp(sign * reach) for sign in (-1, 1))
    assert (got.interval.low, got.interval.high) == pytest.approx(wanted, rel=1e-10)
    # An event on the very day of the horizon counts.
    assert cumulative_incidence(curve, 20).estimate == pytest.approx(0.07)
    assert cumulative_incidence(curve, 19).estimate == pytest.approx(0.03)


def test_incidence_on_the_edges() -> None:
    none = cumulative_incidence(kaplan_meier([100, 400], [0, 0], [20, 80]), 365)
    assert (none.estimate, none.interval.low) == (0, 0)
    # Only the 80 followed all the way speak.
    assert none.interval.high == pytest.approx(float(wilson(0, 80).high))
    every = cumulative_incidence(kaplan_meier([100, 200], [1, 1], [20, 30]), 365)
    assert (every.estimate, every.interval.high) == (1, 1)
    assert every.interval.low == pytest.approx(float(wilson(50, 50).low))
    short = cumulative_incidence(kaplan_meier([100, 200], [1, 0], [20, 30]), 365)
    assert (short.estimate, short.interval, short.reasons) == (None, None, ("horizon_not_reached",))
    nobody = cumulative_incidence(kaplan_meier([], [], []), 365)
    assert nobody.reasons == ("horizon_not_reached",)


def test_restricted_mean_by_the_area_under_daily_steps() -> None:
    r = people(1)
    curve = kaplan_meier(r["time"], r["event"], np.ones(300))
    theirs = SurvfuncRight(r["time"], r["event"])
    days = np.arange(365)
    position = np.searchsorted(theirs.surv_times, days, side="right")
    survival = np.concatenate([[1.0], theirs.surv_prob])[position]
    got = restricted_mean(curve, 365)
    assert got.estimate == pytest.approx(survival.sum(), rel=1e-12)
    variance = sum(
        survival[int(t) :].sum() ** 2 * e / (k * (k - e))
        for t, e, k in zip(theirs.surv_times, theirs.n_events, theirs.n_risk, strict=True)
        if t <= 365
    )
    assert got.se == pytest.approx(math.sqrt(variance), rel=1e-12)


def test_restricted_mean_without_censoring_is_the_mean() -> None:
    days, n = np.array([5.0, 10, 20, 200]), np.array([10, 20, 15, 5])
    got = restricted_mean(kaplan_meier(days, np.ones(4), n), 90)
    everyone = np.minimum(np.repeat(days, n), 90)
    assert got.estimate == pytest.approx(everyone.mean(), rel=1e-12)
    assert got.se == pytest.approx(everyone.std() / math.sqrt(50), rel=1e-12)


def test_restricted_mean_when_everyone_is_done_before_tau() -> None:
    got = restricted_mean(kaplan_meier([5, 10], [1, 1], [10, 10]), 90)
    assert got.estimate == pytest.approx(7.5)
    assert got.se == pytest.approx(2.5 / math.sqrt(20))
    assert restricted_mean(kaplan_meier([5, 10], [1, 0], [10, 10]), 90).estimate is None


@pytest.mark.parametrize("stratified", [True, False])
def test_stratified_contrasts_by_hand(stratified) -> None:
    r = people(2, 900)
    if not stratified:
        r["stratum"] = np.zeros_like(r["stratum"])
    weight, risk, mean = [], [], []
    for s in np.unique(r["stratum"]):
        here = r["stratum"] == s
        curves = [
            kaplan_meier(r["time"][k], r["event"][k], np.ones(k.sum()))
            for k in (here & (r["arm"] == 1), here & (r["arm"] == 0))
        ]
        weight.append(curves[0].n * curves[1].n / (curves[0].n + curves[1].n))
        risk.append([(q.estimate, q.se**2) for q in (cumulative_incidence(c, 365) for c in curves)])
        mean.append([(q.estimate, q.se**2) for q in (restricted_mean(c, 365) for c in curves)])
    w = np.array(weight) / np.sum(weight)
    risk, mean = np.array(risk), np.array(mean)
    risks, risk_v = w @ risk[:, :, 0], w**2 @ risk[:, :, 1]
    means, mean_v = w @ mean[:, :, 0], w**2 @ mean[:, :, 1]
    rows = counted(r)
    got = risk_difference(**rows, horizon=365)
    assert (got.estimate, got.se) == pytest.approx((risks[0] - risks[1], math.sqrt(risk_v.sum())), rel=1e-10)
    # With many events the joined limits are close to the plain ones.
    assert got.interval.half_width == pytest.approx(1.96 * got.se, rel=0.01)
    ratio = restricted_mean_ratio(**rows, tau=365)
    assert ratio.estimate == pytest.approx(means[0] / means[1], rel=1e-10)
    assert ratio.se == pytest.approx(math.sqrt((mean_v / means**2).sum()), rel=1e-10)
    assert math.log(ratio.interval.high / ratio.estimate) == pytest.approx(
        1.959963984540054 * ratio.se, rel=1e-9
    )


def test_an_arm_without_events_still_has_a_limit() -> None:
    got = risk_difference([400, 60, 400], [0, 1, 0], [200, 4, 196], [1, 0, 0], horizon=365)
    assert got.estimate == pytest.approx(-0.02)
    like = newcombe(0, 200, 4, 200)
    assert got.interval.low == pytest.approx(float(like.low), abs=0.005)
    assert got.interval.high == pytest.approx(float(like.high), abs=0.005)
    neither = risk_difference([400, 400], [0, 0], [200, 100], [1, 0], horizon=365)
    assert (neither.estimate, neither.p_value) == (0, None)
    assert neither.interval.low < 0 < neither.interval.high
    split = risk_difference(
        [400] * 4, [0] * 4, [100, 50, 100, 50], [1, 0, 1, 0], stratum=[0, 0, 1, 1], horizon=365
    )
    # Two equal halves know as much as the whole.
    assert split.interval.high == pytest.approx(neither.interval.high, rel=1e-9)


def test_strata_not_followed_to_the_horizon_are_dropped() -> None:
    rows = {"time": [400, 400, 100, 400], "event": [0, 0, 0, 0], "n": [50, 60, 30, 40], "arm": [1, 0, 1, 0]}
    got = risk_difference(**rows, stratum=[0, 0, 1, 1], horizon=365)
    assert (got.strata_used, got.strata_dropped, got.n, got.n_dropped) == (1, 1, 110, 70)
    late = risk_difference(**rows, horizon=500)
    assert (late.estimate, late.reasons) == (None, ("horizon_not_reached",))
    one_arm = restricted_mean_ratio([400], [0], [50], [1], tau=90)
    assert (one_arm.estimate, one_arm.reasons) == (None, ("arm_empty",))


def test_swapping_the_arms_turns_the_sign() -> None:
    rows = counted(people(4))
    other = rows | {"arm": 1 - rows["arm"]}
    ours, turned = risk_difference(**rows, horizon=365), risk_difference(**other, horizon=365)
    assert (turned.interval.low, turned.interval.high) == pytest.approx(
        (-ours.interval.high, -ours.interval.low)
    )
    ours, turned = restricted_mean_ratio(**rows, tau=90), restricted_mean_ratio(**other, tau=90)
    assert turned.interval.low == pytest.approx(1 / ours.interval.high)


def test_events_other_than_0_and_1_are_refused() -> None:
    with pytest.raises(AnalysisError, match="event"):
        kaplan_meier([1, 2], [0, 2], [1, 1])
