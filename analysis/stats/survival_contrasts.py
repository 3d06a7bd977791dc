"""Two arms followed over time: difference of risks at a horizon, ratio or difference of restricted mean times.

Columns as in `analysis.stats.survival`, with `arm` 1 (virtual) or 0 (in person) and whole-number codes of
strata and clusters. Without clusters observations are taken as independent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.results import Interval
from analysis.stats.bounds import checked_level
from analysis.stats.pooled import Pooled, limits, pooled
from analysis.stats.survival import mean_to, risk_by, risk_limits, size_on_the_edge
from analysis.stats.survival_influence import mean_influence, risk_influence
from analysis.stats.survival_strata import Rows, both_arms, followed_strata, rows_of, stratum_weights


def risk_difference(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    horizon: float,
    stratum: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Difference of cumulative incidences at a horizon, stratified.

    Each arm's risk is the mean over strata with weights ``n1 n0/N``, its variance that of independent strata,
    or clustered; the limits of the difference join the arms' own log-log limits (l, u) as
    ``d − √((F1−l1)² + (u0−F0)² − 2ρ (F1−l1)(u0−F0))`` and likewise above, with ρ the correlation of the arms that
    clusters bring (0 without), so that an arm without events still has an upper limit. The p-value is of
    ``d / se``.

    Parameters
    ----------
    time, event, n : array_like
        As for `kaplan_meier`, shape (rows,).
    arm : array_like
        1 (virtual) or 0 (in person), shape (rows,).
    horizon : float
        In the unit of the times.
    stratum : array_like, optional
        Whole-number codes, shape (rows,).
    cluster : array_like, optional
        Whole-number codes, shape (rows,): errors by the infinitesimal jackknife over clusters, with t of the
        degrees of freedom of the arm with fewer of them.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0. Strata with an empty arm, or one not followed to the horizon, carry no weight;
        without any left, reason ``horizon_not_reached`` (or ``arm_empty``). Without an interval where an arm has
        fewer than 5 clusters (``too_few_clusters``).

    Raises
    ------
    AnalysisError
        As for `kaplan_meier`, for other arms, or missing codes.

    References
    ----------
    Zou & Donner (2008), Stat. Med. 27, 1693–1702, for joining limits; Jaeckel (1972) for the jackknife.

    Examples
    --------
    >>> r = risk_difference([30, 400, 60, 400], [1, 0, 1, 0], [2, 98, 5, 95], [1, 1, 0, 0], horizon=365)
    >>> f"{r.estimate:.2f} [{r.interval.low:.4f}, {r.interval.high:.4f}]"
    '-0.03 [-0.0976, 0.0344]'
    """
    checked_level(level)
    rows = rows_of(time, event, n, arm, stratum, cluster)
    strata, rests_on, reasons = followed_strata(rows, horizon)
    if not strata:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    found = both_arms(
        rows, strata, lambda curve: risk_by(curve, horizon),
        lambda curve, t, e: risk_influence(curve, t, e, horizon), (1.0, 1.0),
    )  # fmt: skip
    weight = stratum_weights(strata)
    arms = []
    for side in (0, 1):
        sizes = np.array([size_on_the_edge(s.curves[side], horizon) for s in strata])
        # 1/Σ(w²/n) is the size of the simple sample with the same variance.
        size = 1 / float((weight**2 / sizes).sum())
        arms.append(risk_limits(found.values[side], found.variances[side], size, level, df=found.df))
    (low_1, high_1), (low_0, high_0) = arms
    risk_1, risk_0 = found.values
    value, rho = risk_1 - risk_0, found.correlation
    low = value - _joined(risk_1 - low_1, high_0 - risk_0, rho)
    high = value + _joined(high_1 - risk_1, risk_0 - low_0, rho)
    p_value = limits(value, found.se, df=found.df, level=level)[2]
    bounds = Interval(max(low, -1.0), min(high, 1.0), level, "Kaplan–Meier (joined log-log)")
    return Pooled(
        estimate=value,
        se=None if found.refused else found.se,
        scale="identity",
        interval=None if found.refused else bounds,
        p_value=None if found.refused or math.isnan(p_value) else p_value,
        n=rests_on.n,
        n_dropped=rests_on.n_dropped,
        strata_used=rests_on.strata_used,
        strata_dropped=rests_on.strata_dropped,
        df=found.df,
        clusters=found.clusters,
        reasons=(*reasons, *found.reasons),
    )


def restricted_mean_ratio(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    tau: float,
    stratum: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Ratio of restricted mean times, stratified, on the log scale.

    Each arm's mean is the mean over strata with weights ``n1 n0/N``; the error of the logarithm of their
    ratio is ``√(V1/M1² + V0/M0²)``, or clustered.

    Parameters
    ----------
    time, event, n, arm, stratum, cluster, level
        As for `risk_difference`.
    tau : float
        Restriction, in the unit of the times.

    Returns
    -------
    Pooled
        Arm 1 over arm 0; its `se` is that of the logarithm.

    Raises
    ------
    AnalysisError
        As for `risk_difference`.

    References
    ----------
    Royston & Parmar (2013), BMC Med. Res. Methodol. 13, 152.

    Examples
    --------
    >>> days, count = [10, 20, 30, 12, 24, 36], [5, 10, 5, 5, 10, 5]
    >>> r = restricted_mean_ratio(days, [1] * 6, count, [1, 1, 1, 0, 0, 0], tau=90)
    >>> f"{r.estimate:.3f} [{r.interval.low:.3f}, {r.interval.high:.3f}]"
    '0.833 [0.669, 1.037]'
    """
    return _restricted("ratio", rows_of(time, event, n, arm, stratum, cluster), tau, level)


def restricted_mean_difference(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    tau: float,
    stratum: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Difference of restricted mean times, stratified.

    Parameters
    ----------
    time, event, n, arm, stratum, cluster, level
        As for `risk_difference`.
    tau : float
        Restriction, in the unit of the times.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0, in the unit of the times.

    Raises
    ------
    AnalysisError
        As for `risk_difference`.

    References
    ----------
    Royston & Parmar (2013), BMC Med. Res. Methodol. 13, 152.

    Examples
    --------
    >>> days, count = [10, 20, 30, 12, 24, 36], [5, 10, 5, 5, 10, 5]
    >>> r = restricted_mean_difference(days, [1] * 6, count, [1, 1, 1, 0, 0, 0], tau=90)
    >>> f"{r.estimate:.1f} [{r.interval.low:.1f}, {r.interval.high:.1f}]"
    '-4.0 [-8.8, 0.8]'
    """
    return _restricted("difference", rows_of(time, event, n, arm, stratum, cluster), tau, level)


def _restricted(measure: str, rows: Rows, tau: float, level: float) -> Pooled:
    strata, rests_on, reasons = followed_strata(rows, tau)
    if not strata:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    weight = stratum_weights(strata)
    one, other = (float(weight @ [mean_to(s.curves[side], tau)[0] for s in strata]) for side in (0, 1))
    if measure == "ratio" and min(one, other) <= 0:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    found = both_arms(
        rows, strata, lambda curve: mean_to(curve, tau),
        lambda curve, t, e: mean_influence(curve, t, e, tau), (one, other) if measure == "ratio" else (1.0, 1.0),
    )  # fmt: skip
    return pooled(
        math.log(one / other) if measure == "ratio" else one - other,
        math.nan if found.refused else found.se,
        scale="log" if measure == "ratio" else "identity",
        basis=rests_on,
        level=level,
        method=f"{measure} of restricted means",
        df=None if found.refused else found.df,
        clusters=found.clusters,
        reasons=(*reasons, *found.reasons),
        within=(-math.inf, math.inf) if measure == "ratio" else (-tau, tau),
    )


def _joined(one: float, other: float, correlation: float) -> float:
    """The distance to a limit of a difference from the distances to the limits of its two parts."""
    return math.sqrt(max(one**2 + other**2 - 2 * correlation * one * other, 0.0))
