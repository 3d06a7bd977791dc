"""Time to an event where not everyone is followed to the end: incidents, reports still being written.

Input is counts: `time` (whole days, or any unit), `event` (1 happened at that time, 0 last seen without),
`n` how many. Someone censored at a time counts as at risk at that time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.pooled import Basis, Pooled, amounts, pooled, quantile
from analysis.stats.proportions import wilson


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """A Kaplan–Meier curve: one row per time with an event.

    `at_risk` and `events` are counts, `survival` is S just after `time` and `variance` Greenwood's of S
    (NaN once S is 0 by Greenwood's formula, 0/0 there). `n` is everyone, `last` the longest time anyone was
    followed and `followed` maps a horizon to how many were still at risk.
    """

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    variance: Floats
    n: int
    last: float
    all_times: Floats
    all_at_risk: Floats

    def followed(self, horizon: float) -> float:
        """How many were at risk at `horizon`: neither had the event before it nor were lost before it."""
        i = int(np.searchsorted(self.all_times, horizon, side="left"))
        return float(self.all_at_risk[i]) if i < self.all_times.size else 0.0


def kaplan_meier(time: ArrayLike, event: ArrayLike, n: ArrayLike) -> SurvivalCurve:
    """Kaplan–Meier estimate of survival from counts.

    ``S(t) = Π (1 − d_j/Y_j)`` over event times up to t; Greenwood's variance is
    ``S² Σ d_j/(Y_j (Y_j − d_j))``.

    Parameters
    ----------
    time, event, n : array_like
        Times (at least 0), 1 or 0, and counts, shape (rows,). Rows may repeat a time.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    AnalysisError
        For negative or non-finite numbers, columns of unequal length, or events other than 0 and 1.

    References
    ----------
    Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457–481; Greenwood (1926).

    Examples
    --------
    >>> c = kaplan_meier([6, 6, 7, 10, 13], [1, 0, 1, 0, 1], [3, 1, 1, 1, 1])
    >>> c.survival.round(3)
    array([0.571, 0.381, 0.   ])
    """
    t, e, count = amounts(time=time, event=event, n=n)
    if not np.isin(e, (0, 1)).all():
        raise AnalysisError(f"event must be 0 or 1; got {e[~np.isin(e, (0, 1))][0]:g}.")
    t, e, count = t[count > 0], e[count > 0], count[count > 0]
    times, index = np.unique(t, return_inverse=True)
    leaving = np.bincount(index, count, times.size)
    deaths = np.asarray(np.bincount(index, count * e, times.size), float)
    at_risk = np.asarray(leaving[::-1].cumsum()[::-1], float)
    at_event = deaths > 0
    y, d = at_risk[at_event], deaths[at_event]
    survival = np.cumprod(1 - d / y)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = survival**2 * np.cumsum(d / (y * (y - d)))
    return SurvivalCurve(
        time=times[at_event],
        at_risk=y,
        events=d,
        survival=survival,
        variance=variance,
        n=round(float(count.sum())),
        last=float(times[-1]) if times.size else math.nan,
        all_times=times,
        all_at_risk=at_risk,
    )


def cumulative_incidence(curve: SurvivalCurve, horizon: float, *, level: float = 0.95) -> Pooled:
    """Risk of the event by `horizon`, with an interval that stays within 0 and 1.

    ``F = 1 − S(horizon)``, the interval from ``log(−log S) ± z √Var / (S |log S|)``. On the edges, where
    Greenwood's variance is 0 or does not exist, it is Wilson's: of 0 among those followed to the horizon
    when no event occurred, of all when everyone had it.

    Parameters
    ----------
    curve : SurvivalCurve
        From `kaplan_meier`.
    horizon : float
        In the unit of the curve's times.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Its `se` is Greenwood's; all ``None`` with reason ``horizon_not_reached`` where nobody was followed
        that long.

    Raises
    ------
    AnalysisError
        For a level outside (0, 1).

    References
    ----------
    Kalbfleisch & Prentice (1980), The Statistical Analysis of Failure Time Data, section 1.3.

    Examples
    --------
    >>> r = cumulative_incidence(kaplan_meier([30, 100, 400], [1, 1, 0], [2, 3, 95]), 365)
    >>> f"{r.estimate:.3f} [{r.interval.low:.4f}, {r.interval.high:.4f}]"
    '0.050 [0.0211, 0.1160]'
    """
    checked_level(level)
    risk, variance = risk_by(curve, horizon)
    if math.isnan(risk):
        return pooled(
            math.nan, math.nan, basis=Basis(curve.n), level=level, method="", reasons=("horizon_not_reached",)
        )
    low, high = risk_limits(risk, variance, size_on_the_edge(curve, horizon), level)
    return Pooled(
        estimate=risk,
        se=math.sqrt(variance),
        scale="identity",
        interval=Interval(low, high, level, "Kaplan–Meier (log-log)"),
        p_value=None,
        n=curve.n,
    )


def restricted_mean(curve: SurvivalCurve, tau: float, *, level: float = 0.95) -> Pooled:
    """Mean time to the event, times beyond `tau` counted as `tau`.

    The area under S up to tau; variance ``Σ A_j² d_j/(Y_j (Y_j − d_j))`` with A_j the area from t_j to tau.

    Parameters
    ----------
    curve : SurvivalCurve
        From `kaplan_meier`.
    tau : float
        Restriction, in the unit of the curve's times.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        In the unit of the times; ``None`` with reason ``horizon_not_reached`` where nobody was followed to
        tau (unless everyone had the event before).

    Raises
    ------
    AnalysisError
        For a level outside (0, 1).

    References
    ----------
    Irwin (1949), J. Hyg. 47, 188–189; Royston & Parmar (2013), BMC Med. Res. Methodol. 13, 152.

    Examples
    --------
    >>> m = restricted_mean(kaplan_meier([10, 20, 40], [1, 1, 0], [1, 1, 2]), 30)
    >>> f"{m.estimate:.2f} {m.se:.3f}"
    '22.50 4.146'
    """
    mean, variance = mean_to(curve, tau)
    reasons = ("horizon_not_reached",) if math.isnan(mean) else ()
    return pooled(
        mean,
        math.sqrt(variance),
        basis=Basis(curve.n),
        level=level,
        method="restricted mean",
        reasons=reasons,
        within=(0.0, tau),
    )


def reached(curve: SurvivalCurve, horizon: float) -> bool:
    """Whether the curve is known at the horizon: someone was followed so far, or everyone had the event."""
    # Once everyone has had the event, what follows is known without following anyone.
    over = curve.survival.size > 0 and curve.survival[-1] == 0
    return curve.n > 0 and (over or curve.followed(horizon) > 0)


def risk_by(curve: SurvivalCurve, horizon: float) -> tuple[float, float]:
    """Risk by the horizon and its Greenwood variance; NaN where it was not reached."""
    if not reached(curve, horizon):
        return math.nan, math.nan
    i = int(np.searchsorted(curve.time, horizon, side="right")) - 1
    if i < 0:
        return 0.0, 0.0
    survival = float(curve.survival[i])
    return 1 - survival, float(curve.variance[i]) if survival > 0 else 0.0


def size_on_the_edge(curve: SurvivalCurve, horizon: float) -> float:
    """The size of the binomial sample that a risk of exactly 0 or 1 stands for."""
    return curve.followed(horizon) or float(curve.events.sum())


def risk_limits(
    risk: float, variance: float, size: float, level: float, *, df: float | None = None
) -> tuple[float, float]:
    """Log-log limits of a risk, with t where the variance has `df`; Wilson's for `size` where it is 0."""
    survival = 1 - risk
    if variance == 0:
        # Wilson's limits with a size that need not be whole: from the two whole sizes around it the
        # smaller, whose interval is the wider.
        whole = max(math.floor(size), 1)
        edge = wilson(whole if risk >= 1 else 0, whole, level=level)
        return float(edge.low), float(edge.high)
    hazard = -math.log(survival)
    spread = math.exp(quantile(level, df) * math.sqrt(variance) / (survival * hazard))
    return -math.expm1(-hazard / spread), -math.expm1(-hazard * spread)


def mean_to(curve: SurvivalCurve, tau: float) -> tuple[float, float]:
    """Restricted mean and its variance; NaN where tau was not reached."""
    if not reached(curve, tau):
        return math.nan, math.nan
    inside = curve.time < tau
    t, s = curve.time[inside], curve.survival[inside]
    y, d = curve.at_risk[inside], curve.events[inside]
    pieces = np.concatenate([[1.0], s]) * np.diff(np.concatenate([[0.0], t, [tau]]))
    ahead = np.asarray(pieces.sum() - np.cumsum(pieces)[:-1])
    # After the last of all events nothing lies ahead: 0 times infinity is 0 there.
    left = y > d
    return float(pieces.sum()), float((ahead[left] ** 2 * d[left] / (y[left] * (y[left] - d[left]))).sum())
