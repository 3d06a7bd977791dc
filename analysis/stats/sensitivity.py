"""What something unmeasured would need to explain an effect away: E-values."""

from __future__ import annotations

import math
from dataclasses import dataclass

from analysis.errors import AnalysisError
from analysis.results import Interval


@dataclass(frozen=True, slots=True)
class EValue:
    """E-values of a risk ratio and of the limit of its interval nearer to 1 (``None`` without an interval)."""

    estimate: float
    limit: float | None


def e_value(ratio: float, interval: Interval | None = None) -> EValue:
    """E-value: the risk ratio a confounder would need, with mode and outcome both, to explain an effect away.

    ``RR + √(RR (RR − 1))`` of the ratio, or of its inverse where below 1. Of an interval that holds 1 it is 1:
    nothing needs explaining.

    Parameters
    ----------
    ratio : float
        A risk ratio, above 0 (standardised or adjusted, not an odds ratio of a common outcome).
    interval : Interval, optional
        Its interval.

    Returns
    -------
    EValue

    Raises
    ------
    AnalysisError
        For a ratio that is not above 0 and finite, or an interval that does not hold it.

    References
    ----------
    VanderWeele & Ding (2017), Ann. Intern. Med. 167, 268–274.

    Examples
    --------
    >>> e = e_value(3.9, Interval(1.8, 8.7))
    >>> f"{e.estimate:.2f} {e.limit:.2f}"
    '7.26 3.00'
    """
    if not 0 < ratio < math.inf:
        raise AnalysisError(f"ratio must be above 0 and finite; got {ratio!r}.")
    if interval is None:
        return EValue(_needed(ratio), None)
    if not 0 <= interval.low <= ratio <= interval.high:
        raise AnalysisError(
            f"the interval must hold the ratio {ratio!r}; got {interval.low!r} to {interval.high!r}."
        )
    nearer = interval.low if ratio > 1 else interval.high
    return EValue(_needed(ratio), 1.0 if interval.contains(1.0) else _needed(nearer))


def _needed(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))
