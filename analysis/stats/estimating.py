"""Weighted risks by stacked estimating equations: the machinery behind `analysis.stats.weighting`.

Every estimate is a ratio of sums; its error is the spread of each observation's influence, which adds to the
direct one what the observation does to the propensity and the outcome models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_counts, checked_level
from analysis.stats.g_computation import columns, without_repeats
from analysis.stats.linearised import cluster_reasons
from analysis.stats.logit import logit
from analysis.stats.pooled import Codes, checked_arm, coded
from analysis.stats.two_risks import Standardised, no_risks, standardised

Population = Literal["everyone", "overlap"]


@dataclass(frozen=True, slots=True)
class _Rows:
    """One row per combination of covariates and outcome: `y` is 0 or 1, `f` counts such observations."""

    one: NDArray[np.bool_]
    x: Floats
    z: Floats
    y: Floats
    f: Floats


@dataclass(frozen=True, slots=True)
class _Model:
    """A logistic model: probabilities of all rows, and what one observation of each does to the coefficients."""

    p: Floats
    influence: Floats
    reasons: tuple[str, ...]


def weighted(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    population: Population,
    augmented: bool,
    outcome_covariates: ArrayLike | None,
    cluster: ArrayLike | None,
    trim: float,
    level: float,
) -> Standardised:
    """Risks of both arms weighted to a population, with or without an outcome model.

    The arguments are those of the functions of `analysis.stats.weighting`.
    """
    checked_level(level)
    if not 0 <= trim < 0.5:
        raise AnalysisError(f"trim must be at least 0 and below 0.5; got {trim!r}.")
    y, total = checked_counts(events, n)
    one = checked_arm(arm, y.size)
    x = columns(covariates, y.size)
    z = x if outcome_covariates is None else columns(outcome_covariates, y.size)
    codes = None if cluster is None else coded(cluster, y.size, "cluster")[0]
    size = round(float(total.sum()))
    kept = _kept(one, x, total, trim) & (total > 0)
    if not (kept & one).any() or not (kept & ~one).any():
        return no_risks(size, level, ("arm_empty",))
    trimmed = size - round(float(total[kept].sum()))
    one, y, total = one[kept], y[kept], total[kept]
    # Trimming may leave levels empty, so the columns are looked at again.
    x, z = (_with_intercept(values[kept], total) for values in (x, z))
    outcome, f = np.repeat([1.0, 0.0], y.size), np.concatenate([y, total - y])
    # Outcomes that no observation of a combination has are no rows.
    place = np.tile(np.arange(y.size), 2)[f > 0]
    rows = _Rows(one[place], x[place], z[place], outcome[f > 0], f[f > 0])
    propensity = _model(x, total * one, total, place, rows.one.astype(float))
    if propensity.reasons:
        return no_risks(size, level, propensity.reasons)
    risks, influences, effective = [], [], []
    for side in (True, False):
        in_arm = one == side
        predicting = _model(z, y * in_arm, total * in_arm, place, rows.y) if augmented else None
        if predicting is not None and predicting.reasons:
            return no_risks(size, level, predicting.reasons)
        risk, influence, worth = _risk(rows, side, propensity, predicting, population)
        risks.append(risk)
        influences.append(influence)
        effective.append(worth)
    spread, df, clusters, reasons = _spread(
        np.stack(influences, 1), rows, None if codes is None else codes[kept][place]
    )
    return standardised(
        risks[0],
        risks[1],
        spread,
        n=size - trimmed,
        level=level,
        method=f"{'augmented ' if augmented else ''}{'overlap' if population == 'overlap' else 'inverse-probability'} weighting",
        df=df,
        clusters=clusters,
        reasons=(*(("trimmed",) if trimmed else ()), *reasons),
        n_trimmed=trimmed,
        effective=(effective[0], effective[1]),
        correction=None if df is None else "CR1",
    )


def _risk(
    rows: _Rows, side: bool, propensity: _Model, outcome: _Model | None, population: Population
) -> tuple[float, Floats, float]:
    """An arm's weighted risk, the influence of one observation of each row, and the effective sample size."""
    in_arm = (rows.one == side).astype(float)
    sign = 1.0 if side else -1.0
    own = propensity.p if side else 1 - propensity.p
    # Weight in the arm, weight of the population, and how both change with the propensity.
    if population == "overlap":
        weight, weight_slope = 1 - own, np.full(own.shape, -sign)
        tilt, tilt_slope = own * (1 - own), 1 - 2 * propensity.p
    else:
        weight, weight_slope = 1 / own, -sign / own**2
        tilt, tilt_slope = np.ones(own.shape), np.zeros(own.shape)
    steepness = propensity.p * (1 - propensity.p)
    predicted = np.zeros(own.shape) if outcome is None else outcome.p
    f, residual = rows.f, rows.y - predicted
    weight_sum = float((f * in_arm) @ weight)
    correction = float((f * in_arm * weight) @ residual) / weight_sum
    influence = in_arm * weight * (residual - correction) / weight_sum
    by_propensity = (f * in_arm * weight_slope * (residual - correction) * steepness) @ rows.x / weight_sum
    mean = 0.0
    if outcome is not None:
        tilt_sum = float(f @ tilt)
        mean = float((f * tilt) @ predicted) / tilt_sum
        influence = influence + tilt * (predicted - mean) / tilt_sum
        by_propensity = by_propensity + (f * tilt_slope * (predicted - mean) * steepness) @ rows.x / tilt_sum
        bend = f * predicted * (1 - predicted)
        by_outcome = (bend * (tilt / tilt_sum - in_arm * weight / weight_sum)) @ rows.z
        influence = influence + outcome.influence @ by_outcome
    influence = influence + propensity.influence @ by_propensity
    return mean + correction, influence, weight_sum**2 / float((f * in_arm) @ weight**2)


def _spread(
    influence: Floats, rows: _Rows, codes: Codes | None
) -> tuple[Floats, float | None, int | None, tuple[str, ...]]:
    """Covariance of both risks, degrees of freedom, number of clusters and reasons."""
    if codes is None:
        return (influence * rows.f[:, None]).T @ influence, None, None, ()
    codes, number = coded(codes, codes.size, "cluster")
    fewest = min(np.unique(codes[rows.one == side]).size for side in (True, False))
    reasons = cluster_reasons(number, fewest)
    if "too_few_clusters" in reasons:
        return np.full((2, 2), np.nan), None, number, reasons
    sums = np.zeros((number, 2))
    np.add.at(sums, codes, influence * rows.f[:, None])
    # The arm with fewer clusters decides: it is known no better than they allow.
    return sums.T @ sums * (number / (number - 1)), fewest - 1.0, number, reasons


def _model(x: Floats, events: Floats, n: Floats, place: Codes, outcome: Floats) -> _Model:
    """Logistic regression of combinations, for rows at a `place` among them with a 0/1 `outcome`.

    Combinations whose `n` is 0 are predicted only.
    """
    fit = logit(x, events, n)
    p = fit.probability[place]
    score = x[place] * ((n > 0)[place] * (outcome - p))[:, None]
    return _Model(p, score @ fit.covariance, fit.reasons)


def _kept(one: NDArray[np.bool_], x: Floats, n: Floats, trim: float) -> NDArray[np.bool_]:
    """Rows whose propensity lies within the trimmed range."""
    if trim == 0 or not (n[one].sum() and n[~one].sum()):
        return np.ones(one.shape, bool)
    p = logit(_with_intercept(x, n), n * one, n).probability
    # A model that does not exist trims nothing; it is reported when it is fitted for good.
    return np.asarray(np.isnan(p) | ((p >= trim) & (p <= 1 - trim)))


def _with_intercept(covariates: Floats, n: Floats) -> Floats:
    return np.column_stack([np.ones(n.size), without_repeats(covariates, n)])
