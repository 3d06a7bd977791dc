"""Two arms followed over time: difference of risks at a horizon, ratio of restricted mean times.

Columns as in `analysis.stats.survival`, with `arm` 1 (virtual) or 0 (in person) and whole-number codes of
strata. Observations are taken as independent.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.pooled import Basis, Pooled, amounts, basis, checked_arm, coded, limits, pooled
from analysis.stats.survival import (
    SurvivalCurve,
    kaplan_meier,
    mean_to,
    reached,
    risk_by,
    risk_limits,
    size_on_the_edge,
)


def risk_difference(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    horizon: float,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Difference of cumulative incidences at a horizon, stratified.

    Each arm's risk is the mean over strata with weights ``n1 n0/N``, its variance that of independent strata;
    the limits of the difference join the arms' own log-log limits (l, u) as
    ``d − √((F1−l1)² + (u0−F0)²)`` to ``d + √((u1−F1)² + (F0−l0)²)``, so that an arm without events still has
    an upper limit. The p-value is of ``d / se``.

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
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0. Strata with an empty arm, or one not followed to the horizon, carry no weight;
        without any left, reason ``horizon_not_reached`` (or ``arm_empty``).

    Raises
    ------
    AnalysisError
        As for `kaplan_meier`, for other arms, or missing codes.

    References
    ----------
    Zou & Donner (2008), Stat. Med. 27, 1693–1702, for joining limits.

    Examples
    --------
    >>> r = risk_difference([30, 400, 60, 400], [1, 0, 1, 0], [2, 98, 5, 95], [1, 1, 0, 0], horizon=365)
    >>> f"{r.estimate:.2f} [{r.interval.low:.4f}, {r.interval.high:.4f}]"
    '-0.03 [-0.0976, 0.0344]'
    """
    checked_level(level)
    pairs, rests_on, reasons = _pairs(time, event, n, arm, stratum, horizon)
    if not pairs:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    weight = _weights(pairs)
    arms = []
    for side in (0, 1):
        risks, variances = np.array([risk_by(pair[side], horizon) for pair in pairs]).T
        sizes = np.array([size_on_the_edge(pair[side], horizon) for pair in pairs])
        risk, variance = float(weight @ risks), float(weight**2 @ variances)
        # 1/Σ(w²/n) is the size of the simple sample with the same variance.
        size = 1 / float((weight**2 / sizes).sum())
        arms.append((risk, variance, *risk_limits(risk, variance, size, level)))
    (risk_1, variance_1, low_1, high_1), (risk_0, variance_0, low_0, high_0) = arms
    value, se = risk_1 - risk_0, math.sqrt(variance_1 + variance_0)
    low = value - math.hypot(risk_1 - low_1, high_0 - risk_0)
    high = value + math.hypot(high_1 - risk_1, risk_0 - low_0)
    p_value = limits(value, se, level=level)[2]
    return Pooled(
        estimate=value,
        se=se,
        scale="identity",
        interval=Interval(max(low, -1.0), min(high, 1.0), level, "Kaplan–Meier (joined log-log)"),
        p_value=None if math.isnan(p_value) else p_value,
        n=rests_on.n,
        n_dropped=rests_on.n_dropped,
        strata_used=rests_on.strata_used,
        strata_dropped=rests_on.strata_dropped,
        reasons=reasons,
    )


def restricted_mean_ratio(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    *,
    tau: float,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Ratio of restricted mean times, stratified, on the log scale.

    Each arm's mean is the mean over strata with weights ``n1 n0/N``; the error of the logarithm of their
    ratio is ``√(V1/M1² + V0/M0²)``.

    Parameters
    ----------
    time, event, n, arm, stratum, level
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
    pairs, rests_on, reasons = _pairs(time, event, n, arm, stratum, tau)
    if not pairs:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    weight = _weights(pairs)
    means, variances = [], []
    for side in (0, 1):
        mean, variance = np.array([mean_to(pair[side], tau) for pair in pairs]).T
        means.append(float(weight @ mean))
        variances.append(float(weight**2 @ variance))
    if min(means) <= 0:
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=reasons)
    se = math.sqrt(variances[0] / means[0] ** 2 + variances[1] / means[1] ** 2)
    return pooled(
        math.log(means[0] / means[1]),
        se,
        scale="log",
        basis=rests_on,
        level=level,
        method="ratio of restricted means",
        reasons=reasons,
    )


_Pair = tuple[SurvivalCurve, SurvivalCurve]


def _pairs(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike | None,
    horizon: float,
) -> tuple[list[_Pair], Basis, tuple[str, ...]]:
    """Curves (arm 1, arm 0) of every stratum where both reach the horizon."""
    t, e, count = amounts(time=time, event=event, n=n)
    one = checked_arm(arm, t.size)
    strata, number = coded(stratum, t.size, "stratum")
    pairs: list[_Pair] = []
    used, empty = np.zeros(number, bool), True
    for s in range(number):
        here = [(strata == s) & side for side in (one, ~one)]
        first, second = (kaplan_meier(t[rows], e[rows], count[rows]) for rows in here)
        empty &= not (first.n and second.n)
        # One person has no spread: such a stratum would only make the interval too narrow.
        enough = number == 1 or min(first.n, second.n) >= 2
        used[s] = enough and reached(first, horizon) and reached(second, horizon)
        if used[s]:
            pairs.append((first, second))
    reasons: tuple[str, ...] = ()
    if not pairs:
        reasons = ("arm_empty",) if empty else ("horizon_not_reached",)
    return pairs, basis(np.asarray(np.bincount(strata, count, number), float), used), reasons


def _weights(pairs: list[_Pair]) -> Floats:
    n1, n0 = np.array([(first.n, second.n) for first, second in pairs], float).T
    weight = n1 * (n0 / (n1 + n0))
    return np.asarray(weight / weight.sum())
