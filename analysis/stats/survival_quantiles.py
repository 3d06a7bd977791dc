"""By when had a quarter, a half, three quarters the event? Quantiles of times of which some are still open."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.pooled import Pooled
from analysis.stats.survival import SurvivalCurve, risk_limits

# Products of fractions miss a quantile by rounding.
_HAIR = 1e-9


def survival_quantile(curve: SurvivalCurve, q: float, *, level: float = 0.95) -> Pooled:
    """First time by which a share `q` had the event, by Kaplan–Meier.

    The limits are the first times at which the upper and the lower log-log limit of the risk reach `q`.

    Parameters
    ----------
    curve : SurvivalCurve
        From `kaplan_meier`.
    q : float
        Between 0 and 1.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        In the unit of the curve's times. ``None`` with reason ``horizon_not_reached`` where so large a share was
        never seen to have the event; without an interval where its upper limit was not reached.

    Raises
    ------
    AnalysisError
        For `q` or a level outside (0, 1).

    References
    ----------
    Brookmeyer & Crowley (1982), Biometrics 38, 29–41, on the log-log scale.

    Examples
    --------
    >>> from analysis.stats.survival import kaplan_meier
    >>> curve = kaplan_meier(range(1, 41), [1] * 35 + [0] * 5, [1] * 40)
    >>> p = survival_quantile(curve, 0.5)
    >>> p.estimate, p.interval.low, p.interval.high
    (20.0, 14.0, 26.0)
    """
    checked_level(level)
    if not 0 < q < 1:
        raise AnalysisError(f"q must lie between 0 and 1; got {q!r}.")
    at = _first(curve.time, 1 - curve.survival >= q - _HAIR)
    if at is None:
        return Pooled(None, None, "identity", None, None, curve.n, reasons=("horizon_not_reached",))
    bands = np.array(
        [
            # Greenwood's variance does not exist once everyone had the event: the limits are those of a certain risk.
            risk_limits(1 - s, v if s > 0 else 0.0, curve.n, level)
            for s, v in zip(curve.survival, curve.variance, strict=True)
        ]
    )
    low, high = _first(curve.time, bands[:, 1] >= q), _first(curve.time, bands[:, 0] >= q)
    interval = None
    if low is not None and high is not None:
        interval = Interval(low, high, level, "Brookmeyer–Crowley (log-log)")
    reasons = () if interval else ("horizon_not_reached",)
    return Pooled(at, None, "identity", interval, None, curve.n, reasons=reasons)


def survival_quantile_difference(
    one: SurvivalCurve, other: SurvivalCurve, q: float, *, level: float = 0.95
) -> Pooled:
    """Difference of a quantile of two arms' times, joining the limits of each.

    ``d − √((Q1 − l1)² + (u0 − Q0)²)`` to ``d + √((u1 − Q1)² + (Q0 − l0)²)``.

    Parameters
    ----------
    one, other : SurvivalCurve
        Of arm 1 (virtual) and arm 0 (in person).
    q, level
        As for `survival_quantile`.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0. ``None`` with reason ``horizon_not_reached`` where an arm's quantile was not reached, or
        ``arm_empty``.

    Raises
    ------
    AnalysisError
        As for `survival_quantile`.

    References
    ----------
    Zou & Donner (2008), Stat. Med. 27, 1693–1702.

    Examples
    --------
    >>> from analysis.stats.survival import kaplan_meier
    >>> fast, slow = (kaplan_meier(range(1, 41), [1] * 40, [k] * 40) for k in (1, 2))
    >>> survival_quantile_difference(fast, slow, 0.5).estimate
    0.0
    """
    first, second = survival_quantile(one, q, level=level), survival_quantile(other, q, level=level)
    n = one.n + other.n
    if not (one.n and other.n):
        return Pooled(None, None, "identity", None, None, n, reasons=("arm_empty",))
    if first.estimate is None or second.estimate is None:
        return Pooled(None, None, "identity", None, None, n, reasons=("horizon_not_reached",))
    value = first.estimate - second.estimate
    a, b = first.interval, second.interval
    if a is None or b is None:
        return Pooled(value, None, "identity", None, None, n, reasons=("horizon_not_reached",))
    low = value - math.hypot(first.estimate - a.low, b.high - second.estimate)
    high = value + math.hypot(a.high - first.estimate, second.estimate - b.low)
    bounds = Interval(low, high, level, "Kaplan–Meier quantiles (joined)")
    return Pooled(value, None, "identity", bounds, None, n)


def _first(time: Floats, reached: NDArray[np.bool_]) -> float | None:
    """The first time at which something was reached; None where it never was."""
    return float(time[int(np.argmax(reached))]) if reached.any() else None
