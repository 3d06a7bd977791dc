"""What something unmeasured would need to explain an effect away: E-values, and the pairs of strengths behind them."""

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


def bias_factor(with_mode: float, with_outcome: float) -> float:
    """The most by which a factor left out can move a ratio: ``ab/(a + b − 1)``.

    Parameters
    ----------
    with_mode, with_outcome : float
        Its associations with mode and outcome as ratios, each at least 1.

    Raises
    ------
    AnalysisError
        For a ratio below 1 or not finite.

    References
    ----------
    Ding & VanderWeele (2016), Epidemiology 27, 368–377.

    Examples
    --------
    >>> bias_factor(2.0, 3.0)
    1.5
    """
    if not (1 <= with_mode < math.inf and 1 <= with_outcome < math.inf):
        raise AnalysisError(
            f"associations must be at least 1 and finite; got {with_mode!r} and {with_outcome!r}."
        )
    return with_mode * with_outcome / (with_mode + with_outcome - 1)


def needed_strength(factor: float, with_mode: float) -> float | None:
    """The association with the outcome that makes `bias_factor` reach `factor`; ``None`` where none would.

    ``b = f (a − 1)/(a − f)``, which needs an association a with the mode above f.

    Parameters
    ----------
    factor : float
        By how much a ratio must move, at least 1.
    with_mode : float
        The association with the mode, at least 1.

    Raises
    ------
    AnalysisError
        For a ratio below 1 or not finite.

    Examples
    --------
    >>> needed_strength(1.5, 2.0)
    3.0
    """
    if not (1 <= factor < math.inf and 1 <= with_mode < math.inf):
        raise AnalysisError(f"ratios must be at least 1 and finite; got {factor!r} and {with_mode!r}.")
    if factor == 1:
        return 1.0
    return factor * (with_mode - 1) / (with_mode - factor) if with_mode > factor else None


def _needed(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))
