"""How many times as often, at any moment, does the event strike one arm? Cox's hazard ratio from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_level, normal_quantile
from analysis.stats.pooled import Pooled, amounts, basis, checked_arm, coded, pooled
from analysis.stats.survival_influence import arm_spread

_FURTHEST = 30.0
"""Logarithms of hazard ratios are looked for between minus and plus this."""


def hazard_ratio(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Hazard ratio of two arms: Cox's model with the arm alone, stratified, ties by Breslow.

    With θ the ratio and ``p_j = n1_j θ/(n1_j θ + n0_j)`` the estimate solves ``Σ d1_j = Σ d_j p_j`` over the event
    times of all strata; its error is ``1/√(Σ d_j p_j (1 − p_j))`` on the log scale, or, clustered, that of the
    score residuals summed by cluster.

    Parameters
    ----------
    time, event, n : array_like
        As for `kaplan_meier`, shape (rows,).
    arm : array_like
        1 (virtual) or 0 (in person), shape (rows,).
    stratum : array_like, optional
        Whole-number codes: each stratum has a baseline hazard of its own.
    cluster : array_like, optional
        Whole-number codes; t of the degrees of freedom of the arm with fewer clusters.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 over arm 0; its `se` is that of the logarithm and `n` counts strata in which somebody of both arms
        was at risk at an event. Without events in both arms there is no estimate (``ratio_needs_events``), with an
        empty arm neither (``arm_empty``); without an interval where an arm has fewer than 5 clusters
        (``too_few_clusters``).

    Raises
    ------
    AnalysisError
        As for `kaplan_meier`, for other arms, or missing codes.

    References
    ----------
    Cox (1972), J. R. Stat. Soc. B 34, 187–220; Breslow (1974), Biometrics 30, 89–99; Lin & Wei (1989), J. Am.
    Stat. Assoc. 84, 1074–1078, for the clustered error.

    Examples
    --------
    >>> days, seen = [5, 8, 12, 20, 3, 6, 9, 20], [1, 1, 0, 0, 1, 1, 1, 0]
    >>> r = hazard_ratio(days, seen, [10] * 8, [1] * 4 + [0] * 4)
    >>> f"{r.estimate:.3f} [{r.interval.low:.3f}, {r.interval.high:.3f}]"
    '0.579 [0.328, 1.021]'
    """
    checked_level(level)
    t, e, count = amounts(time=time, event=event, n=n)
    if not np.isin(e, (0, 1)).all():
        raise AnalysisError(f"event must be 0 or 1; got {e[~np.isin(e, (0, 1))][0]:g}.")
    one = checked_arm(arm, t.size)
    strata, number = coded(stratum, t.size, "stratum")
    sets = [_RiskSets.of(t[here], e[here], count[here], one[here]) for here in _each(strata, number)]
    used = np.array([bool(s.informative.any()) for s in sets], bool)
    rests_on = basis(np.asarray(np.bincount(strata, count, number), float), used)
    d1, d, n1, n0 = np.concatenate(
        [np.stack([s.d1, s.d, s.n1, s.n0])[:, s.informative] for s in sets], axis=1
    )
    if not 0 < d1.sum() < d.sum():
        empty = not (count[one].sum() and count[~one].sum())
        reason = "arm_empty" if empty else "ratio_needs_events"
        return pooled(
            math.nan, math.nan, scale="log", basis=rests_on, level=level, method="", reasons=(reason,)
        )

    def excess(beta: float) -> float:
        # Written so that neither end overflows.
        return float(d1.sum() - (d / (1 + n0 / n1 * math.exp(-beta))).sum())

    # Only here, since it takes a good part of a second to import.
    from scipy.optimize import brentq

    beta = float(brentq(excess, -_FURTHEST, _FURTHEST, xtol=1e-13, rtol=1e-14))
    p = 1 / (1 + n0 / n1 * math.exp(-beta))
    information = float((d * p * (1 - p)).sum())
    if cluster is None:
        return pooled(
            beta, 1 / math.sqrt(information), scale="log", basis=rests_on, level=level, method="Cox"
        )
    residual = np.zeros(t.size)
    for here, risk_set in zip(_each(strata, number), sets, strict=True):
        residual[here] = risk_set.residuals(t[here], e[here], one[here], math.exp(beta))
    kept = used[strata]
    codes = coded(cluster, t.size, "cluster")[0]
    spread = arm_spread(residual[kept], count[kept], one[kept], codes[kept])
    # Residuals of the two arms add up within a cluster: they are parts of one score.
    variance = (spread.variance_1 + spread.variance_0 + 2 * spread.covariance) / information**2
    refused = "too_few_clusters" in spread.reasons
    return pooled(
        beta,
        math.nan if refused else math.sqrt(max(variance, 0.0)),
        scale="log",
        basis=rests_on,
        level=level,
        method="Cox, clustered",
        df=None if refused else spread.df,
        clusters=spread.clusters,
        reasons=spread.reasons,
    )


def detectable_hazard_ratio(
    events: float, share: float, *, power: float = 0.8, level: float = 0.95
) -> float | None:
    """The hazard ratio above 1 that so many events would show with the given power; its inverse below 1.

    ``exp((z + z_power)/√(events · share · (1 − share)))``.

    Parameters
    ----------
    events : float
        In both arms together.
    share : float
        Share of the time at risk (or of the people) in one arm.
    power, level : float
        Chance to see it; confidence level.

    Returns
    -------
    float or None
        ``None`` without events or with one arm only.

    Raises
    ------
    AnalysisError
        For negative events, a share outside [0, 1], or a power or level outside (0, 1).

    References
    ----------
    Schoenfeld (1981), Biometrika 68, 316–319.

    Examples
    --------
    >>> f"{detectable_hazard_ratio(26, 0.5):.2f}"
    '3.00'
    """
    if not (events >= 0 and 0 <= share <= 1 and 0 < power < 1):
        raise AnalysisError(
            f"events must be at least 0, share within [0, 1] and power within (0, 1); got {events!r}, {share!r}, {power!r}."
        )
    information = events * share * (1 - share)
    if information == 0:
        return None
    return math.exp((normal_quantile(level) + float(ndtri(power))) / math.sqrt(information))


@dataclass(frozen=True, slots=True)
class _RiskSets:
    """Per event time of one stratum: events of arm 1 and of both, and who was at risk in each arm."""

    time: Floats
    d1: Floats
    d: Floats
    n1: Floats
    n0: Floats

    @classmethod
    def of(cls, time: Floats, event: Floats, n: Floats, one: NDArray[np.bool_]) -> _RiskSets:
        times, index = np.unique(time, return_inverse=True)
        leaving, deaths = (
            np.array([np.bincount(index[side], amount[side], times.size) for side in (one, ~one)], float)
            for amount in (n, n * event)
        )
        at_risk, d = leaving[:, ::-1].cumsum(axis=1)[:, ::-1], deaths.sum(axis=0)
        seen = d > 0
        return cls(times[seen], deaths[0, seen], d[seen], at_risk[0, seen], at_risk[1, seen])

    @property
    def informative(self) -> NDArray[np.bool_]:
        """Event times at which somebody of both arms was at risk."""
        return np.asarray((self.n1 > 0) & (self.n0 > 0))

    def residuals(self, time: Floats, event: Floats, one: NDArray[np.bool_], ratio: float) -> Floats:
        """Score residuals: ``δ (x − p(T)) − Σ_{t_j ≤ T} d_j θ^x (x − p_j)/(n1_j θ + n0_j)``."""
        total = self.n1 * ratio + self.n0
        p = self.n1 * ratio / total
        reached = np.searchsorted(self.time, time, side="right")
        at = np.concatenate([[0.0], p])[reached]
        x = one.astype(float)
        out = event * (x - at)
        for side, weight in ((1.0, ratio), (0.0, 1.0)):
            drift = np.concatenate([[0.0], np.cumsum(self.d * weight * (side - p) / total)])
            out -= np.where(x == side, drift[reached], 0.0)
        return np.asarray(out)


def _each(codes: NDArray[np.int64], number: int) -> list[NDArray[np.bool_]]:
    return [codes == code for code in range(number)]
