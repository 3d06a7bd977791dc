"""The test that belongs to Newcombe's interval: below 0.05 exactly where the 95 % interval leaves no difference out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analysis.stats.bounds import Floats, HypothesisTest, checked_counts

# Halvings of a bracket of 46 log units: what is left is below rounding.
_HALVINGS = 64
_WIDEST = 1e10


def newcombe_test(events_1: ArrayLike, n_1: ArrayLike, events_0: ArrayLike, n_0: ArrayLike) -> HypothesisTest:
    """Test of no difference that inverts Newcombe's hybrid score interval.

    The statistic is the quantile z at which a limit of the interval touches 0, that is
    ``d² = (p1 − l1(z))² + (u0(z) − p0)²`` for d above 0, with the Wilson limits of both arms. At the same z the MOVER-R
    interval of the ratio touches 1, so that one p-value belongs to both.

    Parameters
    ----------
    events_1, n_1, events_0, n_0 : array_like
        Events and totals of arm 1 (virtual) and arm 0 (in person), broadcast against each other.

    Returns
    -------
    HypothesisTest
        Statistic, signed as arm 1 minus arm 0, and two-sided p-value; NaN where an arm is empty or nothing varies.

    Raises
    ------
    AnalysisError
        For impossible counts.

    References
    ----------
    Newcombe (1998), Stat. Med. 17, 873–890, method 10.

    Examples
    --------
    >>> t = newcombe_test(56, 70, 48, 80)
    >>> f"{t.statistic:.4f} {t.p_value:.4f}"
    '2.6465 0.0081'
    """
    counts = np.broadcast_arrays(*checked_counts(events_1, n_1), *checked_counts(events_0, n_0))
    events, others = counts[0] + counts[2], counts[1] + counts[3] - counts[0] - counts[2]
    untested = (counts[1] == 0) | (counts[3] == 0) | (events == 0) | (others == 0)
    # A table that stands in for what cannot be tested.
    x1, n1, x0, n0 = (np.where(untested, float(i % 2), c) for i, c in enumerate(counts))
    gap = x1 / n1 - x0 / n0
    turned = gap < 0
    x_above, n_above = np.where(turned, x0, x1), np.where(turned, n0, n1)
    x_below, n_below = np.where(turned, x1, x0), np.where(turned, n1, n0)
    low, high = np.full(gap.shape, -np.log(_WIDEST)), np.full(gap.shape, np.log(_WIDEST))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        z = np.exp(middle)
        # The non-events of the lower arm mirror its upper limit into a lower one.
        reached = _down(x_above, n_above, z) ** 2 + _down(n_below - x_below, n_below, z) ** 2 >= gap**2
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    z = np.where(gap == 0, 0.0, np.exp(high))
    statistic = np.where(untested, np.nan, np.where(turned, -z, z))
    return HypothesisTest(statistic, 2 * ndtr(-np.abs(statistic)), "Newcombe")


def _down(x: Floats, n: Floats, z: Floats) -> Floats:
    """Distance of Wilson's lower limit at z below the proportion."""
    p = x / n
    reach = z * np.sqrt(x * (1 - p) + z**2 / 4)
    return np.asarray((z**2 * (p - 0.5) + reach) / (n + z**2))
