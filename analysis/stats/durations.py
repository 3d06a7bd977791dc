"""Skewed amounts that are all known, such as hours: medians and other quantiles from counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_level, normal_quantile
from analysis.stats.pooled import Basis, Pooled, amounts, pooled

_FEWEST_BEYOND = 2.5
"""Values of an arm wanted on the thinner side of a quantile: 5 in all for a median, 10 for a quartile."""


def quantile_from_counts(value: ArrayLike, n: ArrayLike, q: ArrayLike = 0.5) -> Floats:
    """Exact quantiles of values given with their counts.

    Identical to ``numpy.quantile(numpy.repeat(value, n), q)``: linear between neighbouring ranks, so the
    median of an even number is the midpoint of the middle two.

    Parameters
    ----------
    value, n : array_like
        Distinct or repeated values in any order, and how often each occurs, shape (rows,).
    q : array_like
        Quantiles in [0, 1].

    Returns
    -------
    ndarray
        Of the shape of `q`, in the unit of `value`; NaN where nothing was counted.

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts, or `q` outside [0, 1].

    References
    ----------
    Hyndman & Fan (1996), Am. Stat. 50, 361–365, type 7.

    Examples
    --------
    >>> quantile_from_counts([5, 3, 9], [1, 2, 1], [0.25, 0.5])
    array([3., 4.])
    """
    values, ends = in_order(value, n)
    wanted = np.asarray(q, float)
    if not ((wanted >= 0) & (wanted <= 1)).all():
        raise AnalysisError(f"q must lie between 0 and 1; got {q!r}.")
    if not ends.size:
        return np.full(wanted.shape, np.nan)
    rank = wanted * (ends[-1] - 1)
    below = np.floor(rank)
    share = rank - below
    left = values[np.searchsorted(ends, below, side="right")]
    right = values[np.searchsorted(ends, np.minimum(below + 1, ends[-1] - 1), side="right")]
    # From the nearer end, as numpy does: the far one would round differently.
    return np.asarray(
        np.where(share < 0.5, left + (right - left) * share, right - (right - left) * (1 - share))
    )


def quantile_difference(
    value_1: ArrayLike,
    n_1: ArrayLike,
    value_0: ArrayLike,
    n_0: ArrayLike,
    q: float,
    *,
    level: float = 0.95,
) -> Pooled:
    """Difference of one quantile between two arms, with Price and Bonett's interval, from counts.

    The variance of a quantile is ``((X_(b) − X_(a)) / 2z)²`` with a and b about two standard errors of ranks,
    ``2 √(n q (1 − q))``, to either side of ``(n + 1) q``, and z the normal quantile of the exact coverage of that
    pair of order statistics.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values and counts of arm 1 (virtual) and arm 0 (in person).
    q : float
        Which quantile, between 0 and 1.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0, in the unit of the values. No interval with fewer than 5 values in an arm for a median,
        10 for a quartile (``small_numbers``), or where so many share a value that both variances are zero
        (``tied_values``).

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts, `q` outside (0, 1) or a level outside (0, 1).

    References
    ----------
    Price & Bonett (2001), J. Stat. Comput. Simul. 68, 295–305; (2002), 72, 119–124.

    Examples
    --------
    >>> p = quantile_difference(range(1, 31), [1] * 30, range(5, 45), [1] * 40, 0.75)
    >>> f"{p.estimate:.1f} [{p.interval.low:.1f}, {p.interval.high:.1f}]"
    '-11.5 [-18.6, -4.4]'
    """
    checked_level(level)
    if not 0 < q < 1:
        raise AnalysisError(f"q must lie between 0 and 1; got {q!r}.")
    first, second = in_order(value_1, n_1), in_order(value_0, n_0)
    sizes = [round(float(ends[-1])) if ends.size else 0 for _, ends in (first, second)]
    rests_on = Basis(sum(sizes))
    if not all(sizes):
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=("arm_empty",))
    value = float(quantile_from_counts(value_1, n_1, q) - quantile_from_counts(value_0, n_0, q))
    if min(sizes) * min(q, 1 - q) < _FEWEST_BEYOND:
        return pooled(value, math.nan, basis=rests_on, level=level, method="", reasons=("small_numbers",))
    se = math.sqrt(_quantile_variance(*first, q) + _quantile_variance(*second, q))
    reasons = () if se > 0 else ("tied_values",)
    return pooled(value, se, basis=rests_on, level=level, method="Price–Bonett", reasons=reasons)


def median_difference(
    value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Difference of two medians with Price and Bonett's interval, from counts.

    `quantile_difference` at one half: the variance of a median is ``((X_(n−c+1) − X_(c)) / 2z)²`` with c near
    ``(n+1)/2 − √n``.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values and counts of arm 1 (virtual) and arm 0 (in person).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0, in the unit of the values. No interval with fewer than 5 in an arm, or where so
        many share a value that both variances are zero.

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts, or a level outside (0, 1).

    References
    ----------
    Price & Bonett (2002), J. Stat. Comput. Simul. 72, 119–124.

    Examples
    --------
    >>> p = median_difference(range(1, 31), [1] * 30, range(5, 45), [1] * 40)
    >>> f"{p.estimate:.1f} [{p.interval.low:.1f}, {p.interval.high:.1f}]"
    '-9.0 [-17.1, -0.9]'
    """
    return quantile_difference(value_1, n_1, value_0, n_0, 0.5, level=level)


def in_order(value: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Values in ascending order with the number of values up to and including each.

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts or columns of unequal length.

    Examples
    --------
    >>> in_order([5, 3, 9], [1, 2, 0])
    (array([3., 5.]), array([2., 3.]))
    """
    values = np.asarray(value, float)
    (counts,) = amounts(n=n)
    if values.shape != counts.shape or not np.isfinite(values).all() or (counts != np.floor(counts)).any():
        raise AnalysisError(
            f"value and n must be columns of equal length, finite and whole; got {value!r}, {n!r}."
        )
    order = np.argsort(values, kind="stable")
    order = order[counts[order] > 0]
    return values[order], np.cumsum(counts[order])


def _quantile_variance(values: Floats, ends: Floats, q: float) -> float:
    n = float(ends[-1])
    reach = 2 * math.sqrt(n * q * (1 - q))
    # Ranks from the bottom and from the top, so that the median's lie symmetrically.
    below = max(round((n + 1) * q - reach), 1)
    above = max(round((n + 1) * (1 - q) - reach), 1)
    low = values[np.searchsorted(ends, below - 1, side="right")]
    high = values[np.searchsorted(ends, n - above, side="right")]
    outside = float(bdtr(below - 1, int(n), q)) + float(bdtr(above - 1, int(n), 1 - q))
    return float((high - low) / (2 * normal_quantile(1 - outside))) ** 2
