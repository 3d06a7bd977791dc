"""The interval of a difference from the intervals of its two parts."""

from __future__ import annotations

import math

from analysis.results import Interval


def mover_difference(
    estimate_1: float, interval_1: Interval, estimate_0: float, interval_0: Interval
) -> Interval:
    """Interval of ``estimate_1 − estimate_0`` from intervals of two independent estimates (MOVER).

    ``d − √((e1 − l1)² + (u0 − e0)²)`` to ``d + √((u1 − e1)² + (e0 − l0)²)``: each end uses the two limits that face
    it, so that intervals that are not symmetric stay so. Of two Wilson intervals it is Newcombe's.

    Parameters
    ----------
    estimate_1, estimate_0 : float
        On any one scale.
    interval_1, interval_0 : Interval
        Of the same level, holding their estimates.

    Returns
    -------
    Interval

    References
    ----------
    Zou & Donner (2008), Stat. Med. 27, 1693–1702; Newcombe (1998), Stat. Med. 17, 873–890.

    Examples
    --------
    >>> from analysis.stats.proportions import wilson
    >>> one, other = wilson(56, 70), wilson(48, 80)
    >>> found = mover_difference(56 / 70, one.interval(), 48 / 80, other.interval())
    >>> f"{found.low:.4f} {found.high:.4f}"
    '0.0524 0.3339'
    """
    d = estimate_1 - estimate_0
    low = d - math.hypot(estimate_1 - interval_1.low, interval_0.high - estimate_0)
    high = d + math.hypot(interval_1.high - estimate_1, estimate_0 - interval_0.low)
    return Interval(low, high, interval_1.level, "MOVER")
