"""Standardised contrasts with few specialists: CR2 and Satterthwaite's degrees of freedom, one row per validation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import sqrtm

from analysis.stats import bias_reduced
from analysis.stats.bias_reduced import adjusted_loadings
from analysis.stats.g_computation import g_computation
from analysis.stats.logit import logit


def program(seed: int, specialists: int, *, spread: float = 0.6, effect: float = 0.0) -> dict[str, Any]:
    """Single validations of specialists of unequal size, who differ in strictness and in how much they do virtually."""
    rng = np.random.default_rng(seed)
    size = rng.integers(10, 70, specialists)
    who = np.repeat(np.arange(specialists), size)
    risk = rng.integers(0, 2, who.size)
    virtual = 1 / (1 + np.exp(-(rng.normal(0, 1.5, specialists)[who] - 0.5 * risk)))
    arm = (rng.random(who.size) < virtual).astype(int)
    # The strictness with which a specialist validates virtually is a habit of its own.
    habit = np.where(arm, rng.normal(0, spread, specialists)[who], rng.normal(0, spread, specialists)[who])
    p = 1 / (1 + np.exp(-(-0.4 + 0.7 * risk + habit + effect * arm)))
    return {"arm": arm, "risk": risk, "who": who, "y": (rng.random(who.size) < p).astype(int)}


def asked(of: dict[str, Any]) -> Any:
    """The contrast from counts, one row per combination of arm, risk and specialist."""
    keys, place = np.unique(np.stack([of["arm"], of["risk"], of["who"]]), axis=1, return_inverse=True)
    y, n = np.bincount(place, of["y"]), np.bincount(place)
    return g_computation(keys[0], keys[1], y.astype(int), n, cluster=keys[2])


def by_hand(of: dict[str, Any]) -> list[tuple[float, float]]:
    """Error and degrees of freedom of difference and log ratio, from n × n matrices as Pustejovsky and Tipton write them."""
    x = np.column_stack([np.ones(of["y"].size), of["arm"], of["risk"]]).astype(float)
    p = logit(x, of["y"], np.ones(of["y"].size, int)).probability
    # On the scale of the outcome, as for any generalised linear model: slopes of the mean, working variances.
    variance = p * (1 - p)
    slope = variance[:, None] * x
    bread = np.linalg.inv(slope.T @ (slope / variance[:, None]))
    residual = of["y"] - p
    away = np.eye(len(p)) - slope @ bread @ (slope / variance[:, None]).T
    risks, slopes = [], []
    coef = np.linalg.lstsq(x, np.log(p / (1 - p)), rcond=None)[0]
    for value in (1.0, 0.0):
        at = x.copy()
        at[:, 1] = value
        q = 1 / (1 + np.exp(-at @ coef))
        risks.append(q.mean())
        slopes.append((q * (1 - q)) @ at / len(at))
    out = []
    for contrast in (slopes[0] - slopes[1], slopes[0] / risks[0] - slopes[1] / risks[1]):
        scores, pulls = [], []
        for g in np.unique(of["who"]):
            own = of["who"] == g
            root = np.diag(np.sqrt(variance[own]))
            spread = root @ (away[own] * variance) @ away[own].T @ root
            adjust = root @ np.linalg.inv(np.real(sqrtm(spread))) @ root
            line = adjust @ (slope[own] / variance[own][:, None]) @ bread @ contrast
            scores.append(line @ residual[own])
            pulls.append(away[own].T @ line)
        gram = np.array(pulls) @ np.diag(variance) @ np.array(pulls).T
        out.append((float(np.sqrt(np.sum(np.square(scores)))), float(np.trace(gram) ** 2 / np.sum(gram**2))))
    return out


@pytest.mark.parametrize("specialists", [6, 12])
def test_errors_and_degrees_are_those_of_single_validations(specialists: int) -> None:
    of = program(3, specialists)
    found, expected = asked(of), by_hand(of)
    assert found.correction == "CR2" and found.reasons == ("few_clusters",)
    for effect, (se, df) in zip((found.difference, found.ratio), expected, strict=True):
        assert (effect.se, effect.df) == pytest.approx((se, df), rel=1e-8)
        assert effect.df < specialists - 1
    reach = stats.t.ppf(0.975, expected[0][1]) * expected[0][0]
    assert found.difference.interval.half_width == pytest.approx(reach, rel=1e-8)


def test_many_rows_of_a_specialist_are_adjusted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 5))
    x[:, 3] = np.arange(600) < 150  # known from the first specialist alone
    n, v = rng.integers(1, 9, 600), rng.uniform(0.01, 0.25, 600)
    rows = np.sqrt(n * v)[:, None] * x
    bread = np.linalg.inv(rows.T @ rows)
    for own in (slice(0, 150), slice(150, 400)):
        quick = adjusted_loadings(v[own], rows[own], bread)
        monkeypatch.setattr(bias_reduced, "_MANY", 1000)
        exact = adjusted_loadings(v[own], rows[own], bread)
        monkeypatch.undo()
        assert np.abs(quick - exact).max() < 1e-9 * np.abs(exact).max()


def test_forty_specialists_need_no_small_sample_correction() -> None:
    of = program(1, 60)
    found = asked(of)
    assert found.correction == "CR1" and found.reasons == () and found.difference.df == 59
    assert asked(program(1, 4)).difference.interval is None


def test_intervals_of_ten_specialists_hold_what_they_promise() -> None:
    """Nothing differs between the modes; specialists do. Normal quantiles on uncorrected errors promise too much."""
    draws, held, naive = 200, 0, 0
    for seed in range(draws):
        found = asked(program(seed, 10)).difference
        if found.interval is None:
            continue
        held += found.interval.contains(0.0)
        naive += abs(found.estimate) < 1.96 * found.se * np.sqrt(0.9)
    assert 0.90 <= held / draws <= 0.985, held / draws
    assert naive < held
