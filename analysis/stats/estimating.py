"""Weighted risks by stacked estimating equations: the machinery behind `analysis.stats.weighting`.

Every estimate is a ratio of sums; its error is the spread of each observation's influence, which adds to the
direct one what the observation does to the propensity and the outcome models. An influence is linear in the outcome,
so two numbers per pattern of covariates tell those of all its observations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_counts, checked_level
from analysis.stats.clusters import Clusters, clusters_of
from analysis.stats.g_computation import columns, without_repeats
from analysis.stats.linearised import cluster_reasons
from analysis.stats.logit import LogitFit, logit
from analysis.stats.pooled import checked_arm
from analysis.stats.two_risks import Standardised, no_risks, standardised

Population = Literal["everyone", "overlap"]
_SIDES = (True, False)


@dataclass(frozen=True, slots=True)
class Way:
    """A way of weighting: to whom, with or without outcome models, and which propensities are left out."""

    population: Population
    augmented: bool
    trim: float = 0.0


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Combinations of arm and covariates: `y` of `n` observations had the event."""

    one: NDArray[np.bool_]
    x: Floats
    z: Floats
    y: Floats
    n: Floats
    who: Clusters | None

    def of(self, kept: NDArray[np.bool_]) -> _Patterns:
        """Some of the patterns."""
        who = None if self.who is None else self.who.of(kept)
        return _Patterns(self.one[kept], self.x[kept], self.z[kept], self.y[kept], self.n[kept], who)

    @property
    def size(self) -> int:
        """Observations."""
        return round(float(self.n.sum()))

    @property
    def compares(self) -> bool:
        """Whether both arms are there."""
        return bool(self.one.any() and not self.one.all())


@dataclass(frozen=True, slots=True)
class _Fitted:
    """Patterns with their models; `x` and `z` are the columns of these, intercept included."""

    patterns: _Patterns
    x: Floats
    z: Floats
    propensity: LogitFit
    outcomes: dict[bool, LogitFit]


@dataclass(frozen=True, slots=True)
class _Influence:
    """What one observation of each pattern does to a risk: `base`, and `event` more if it had the event."""

    base: Floats
    event: Floats


def weighted(
    ways: Sequence[Way],
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    outcome_covariates: ArrayLike | None,
    cluster: ArrayLike | Clusters | None,
    level: float,
) -> list[Standardised]:
    """Risks of both arms weighted to populations, with or without an outcome model; the models are fitted once.

    The arguments are those of the functions of `analysis.stats.weighting`.
    """
    checked_level(level)
    for way in ways:
        if not 0 <= way.trim < 0.5:
            raise AnalysisError(f"trim must be at least 0 and below 0.5; got {way.trim!r}.")
    y, total = checked_counts(events, n)
    one = checked_arm(arm, y.size)
    x = columns(covariates, y.size)
    z = x if outcome_covariates is None else columns(outcome_covariates, y.size)
    who = None if cluster is None else clusters_of(cluster, y, total)
    everyone = _Patterns(one, x, z, y, total, who).of(total > 0)
    if not everyone.compares:
        return [no_risks(everyone.size, level, ("arm_empty",)) for _ in ways]
    propensity = _propensity(everyone)
    outcomes = any(way.augmented for way in ways)
    fitted: dict[float, _Fitted | None] = {}
    for trim in dict.fromkeys(way.trim for way in ways):
        kept = _plausible(propensity, trim)
        if kept.all():
            same = next((known for known in fitted.values() if known and known.patterns is everyone), None)
            fitted[trim] = same or _fit(everyone, propensity, outcomes=outcomes)
        else:
            some = everyone.of(kept)
            # Trimming may leave levels empty, so the columns are looked at again.
            fitted[trim] = _fit(some, _propensity(some), outcomes=outcomes) if some.compares else None
    return [_answer(way, fitted[way.trim], everyone.size, level) for way in ways]


def _answer(way: Way, fitted: _Fitted | None, size: int, level: float) -> Standardised:
    if fitted is None:
        return no_risks(size, level, ("arm_empty",))
    if fitted.propensity.reasons:
        return no_risks(size, level, fitted.propensity.reasons)
    if way.augmented:
        for side in _SIDES:
            if fitted.outcomes[side].reasons:
                return no_risks(size, level, fitted.outcomes[side].reasons)
    risks, influences, effective = zip(*(_risk(fitted, side, way) for side in _SIDES), strict=True)
    spread, df, clusters, reasons = _spread(influences, fitted.patterns)
    trimmed = size - fitted.patterns.size
    weighting = "overlap" if way.population == "overlap" else "inverse-probability"
    return standardised(
        risks[0],
        risks[1],
        spread,
        n=size - trimmed,
        level=level,
        method=f"{'augmented ' if way.augmented else ''}{weighting} weighting",
        df=df,
        clusters=clusters,
        reasons=(*(("trimmed",) if trimmed else ()), *reasons),
        n_trimmed=trimmed,
        effective=(effective[0], effective[1]),
        correction=None if df is None else "CR1",
    )


def _risk(fitted: _Fitted, side: bool, way: Way) -> tuple[float, _Influence, float]:
    """An arm's weighted risk, the influence of one observation of each pattern, and the effective sample size."""
    rows, p = fitted.patterns, fitted.propensity.probability
    in_arm = (rows.one == side).astype(float)
    sign = 1.0 if side else -1.0
    own = p if side else 1 - p
    # Weight in the arm, weight of the population, and how both change with the propensity.
    if way.population == "overlap":
        weight, weight_slope = 1 - own, np.full(own.shape, -sign)
        tilt, tilt_slope = own * (1 - own), 1 - 2 * p
    else:
        weight, weight_slope = 1 / own, -sign / own**2
        tilt, tilt_slope = np.ones(own.shape), np.zeros(own.shape)
    steepness = p * (1 - p)
    model = fitted.outcomes[side] if way.augmented else None
    predicted = np.zeros(own.shape) if model is None else model.probability
    weight_sum = float((rows.n * in_arm) @ weight)
    correction = float((in_arm * weight) @ (rows.y - rows.n * predicted)) / weight_sum
    event = in_arm * weight / weight_sum
    base = -event * (predicted + correction)
    left = rows.y - rows.n * (predicted + correction)
    by_propensity = (in_arm * weight_slope * left * steepness) @ fitted.x / weight_sum
    mean = 0.0
    if model is not None:
        tilt_sum = float(rows.n @ tilt)
        mean = float((rows.n * tilt) @ predicted) / tilt_sum
        base = base + tilt * (predicted - mean) / tilt_sum
        by_propensity = (
            by_propensity + (rows.n * tilt_slope * (predicted - mean) * steepness) @ fitted.x / tilt_sum
        )
        bend = rows.n * predicted * (1 - predicted)
        by_outcome = (bend * (tilt / tilt_sum - in_arm * weight / weight_sum)) @ fitted.z
        moved = in_arm * (fitted.z @ (model.covariance @ by_outcome))
        event, base = event + moved, base - predicted * moved
    base = base + (rows.one - p) * (fitted.x @ (fitted.propensity.covariance @ by_propensity))
    return mean + correction, _Influence(base, event), weight_sum**2 / float((rows.n * in_arm) @ weight**2)


def _spread(
    influences: Sequence[_Influence], rows: _Patterns
) -> tuple[Floats, float | None, int | None, tuple[str, ...]]:
    """Covariance of both risks, degrees of freedom, number of clusters and reasons."""
    base = np.stack([one.base for one in influences], axis=1)
    event = np.stack([one.event for one in influences], axis=1)
    if rows.who is None:
        with_event = base + event
        without = (base * (rows.n - rows.y)[:, None]).T @ base
        return (with_event * rows.y[:, None]).T @ with_event + without, None, None, ()
    number, fewest = rows.who.number, min(rows.who.within(rows.one == side) for side in _SIDES)
    reasons = cluster_reasons(number, fewest)
    if "too_few_clusters" in reasons:
        return np.full((2, 2), np.nan), None, number, reasons
    sums = rows.who.sums(event, base)
    # The arm with fewer clusters decides: it is known no better than they allow.
    return sums.T @ sums * (number / (number - 1)), fewest - 1.0, number, reasons


def _fit(rows: _Patterns, propensity: LogitFit, *, outcomes: bool) -> _Fitted:
    """The models of some patterns: the propensity, and the outcome in each arm, predicted for all."""
    z = _with_intercept(rows.z, rows.n)
    arms = {side: rows.one == side for side in _SIDES} if outcomes and not propensity.reasons else {}
    models = {side: logit(z, rows.y * of, rows.n * of) for side, of in arms.items()}
    return _Fitted(rows, _with_intercept(rows.x, rows.n), z, propensity, models)


def _propensity(rows: _Patterns) -> LogitFit:
    return logit(_with_intercept(rows.x, rows.n), rows.n * rows.one, rows.n)


def _plausible(propensity: LogitFit, trim: float) -> NDArray[np.bool_]:
    """Patterns whose propensity lies within the trimmed range."""
    p = propensity.probability
    # A model that does not exist trims nothing; it is reported when it is fitted for good.
    return np.asarray(np.isnan(p) | ((p >= trim) & (p <= 1 - trim)))


def _with_intercept(covariates: Floats, n: Floats) -> Floats:
    return np.column_stack([np.ones(n.size), without_repeats(covariates, n)])
