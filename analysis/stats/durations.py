"""Skewed amounts that are all known, such as hours: medians and geometric means from counts."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_level, normal_quantile
from analysis.stats.pooled import Basis, Pooled, amounts, basis, checked_arm, coded, pooled


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
    values, ends = _ordered(value, n)
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


def median_difference(
    value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Difference of two medians with Price and Bonett's interval, from counts.

    The variance of a median is ``((X_(n−c+1) − X_(c)) / 2z)²`` with c near ``(n+1)/2 − √n`` and z the normal
    quantile of the exact coverage of that pair of order statistics.

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
    checked_level(level)
    first, second = _ordered(value_1, n_1), _ordered(value_0, n_0)
    sizes = [round(float(ends[-1])) if ends.size else 0 for _, ends in (first, second)]
    rests_on = Basis(sum(sizes))
    if not all(sizes):
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=("arm_empty",))
    value = float(quantile_from_counts(value_1, n_1) - quantile_from_counts(value_0, n_0))
    se = math.sqrt(_median_variance(*first) + _median_variance(*second)) if min(sizes) >= 5 else math.nan
    reasons = () if se > 0 else ("small_numbers",)
    return pooled(value, se, basis=rests_on, level=level, method="Price–Bonett", reasons=reasons)


def geometric_mean(value: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Geometric mean of values given with their counts, with Student's interval on the log scale.

    Parameters
    ----------
    value, n : array_like
        Positive values and how often each occurs, shape (rows,).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        In the unit of `value`; its `se` is that of the logarithm. ``None`` with reason
        ``geometric_needs_positive`` where a value is not above zero.

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts, or a level outside (0, 1).

    References
    ----------
    Student (1908), Biometrika 6, 1–25.

    Examples
    --------
    >>> p = geometric_mean([2, 4, 8], [1, 1, 1])
    >>> f"{p.estimate:.2f} [{p.interval.low:.2f}, {p.interval.high:.2f}]"
    '4.00 [0.71, 22.38]'
    """
    values, ends = _ordered(value, n)
    size = float(ends[-1]) if ends.size else 0.0
    if (values <= 0).any():
        return _needs_positive(Basis(round(size)), level)
    counts, logs = np.diff(ends, prepend=0.0), np.log(values)
    mean = float(counts @ logs / size) if size else math.nan
    spread = float(counts @ (logs - mean) ** 2) / (size - 1) if size > 1 else math.nan
    return pooled(
        mean,
        math.sqrt(spread / size) if size > 1 else math.nan,
        scale="log",
        basis=Basis(round(size)),
        level=level,
        method="geometric mean",
        df=size - 1 if size > 1 else None,
    )


def geometric_mean_ratio(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Ratio of geometric means of two samples: Welch's t on logarithms.

    Parameters
    ----------
    x, y : array_like
        Positive values of arm 1 (virtual) and arm 0 (in person), shape (n,) each.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 over arm 0; its `se` is that of the logarithm, `df` Satterthwaite's. ``None`` with reason
        ``geometric_needs_positive`` where a value is not above zero.

    Raises
    ------
    AnalysisError
        For non-finite values or a level outside (0, 1).

    References
    ----------
    Welch (1947), Biometrika 34, 28–35.

    Examples
    --------
    >>> p = geometric_mean_ratio([10, 12, 9, 14], [16, 20, 15, 18, 22])
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}]"
    '0.615 [0.457, 0.829]'
    """
    first, second = np.asarray(x, float).ravel(), np.asarray(y, float).ravel()
    both = np.concatenate([first, second])
    if not np.isfinite(both).all():
        raise AnalysisError("x and y must be finite numbers; leave missing values out before.")
    if (both <= 0).any():
        return _needs_positive(Basis(both.size), level)
    # Logarithms around their common mean: sums of squares then lose no digits.
    logs = [np.log(values) for values in (first, second)]
    centre = float(np.concatenate(logs).mean()) if both.size else 0.0
    return geometric_mean_ratio_from_sums(
        arm=[1, 0],
        n=[values.size for values in logs],
        log_sum=[float((values - centre).sum()) for values in logs],
        log_sum_squares=[float(((values - centre) ** 2).sum()) for values in logs],
        level=level,
    )


def geometric_mean_ratio_from_sums(
    *,
    arm: ArrayLike,
    n: ArrayLike,
    log_sum: ArrayLike,
    log_sum_squares: ArrayLike,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Ratio of geometric means from sums of logarithms, stratified.

    The difference of mean logs is averaged over strata with weights ``n1 n0/N``; each arm of each stratum has
    its own variance, and Satterthwaite's degrees of freedom join them all.

    Parameters
    ----------
    arm, stratum : array_like
        1 (virtual) or 0 (in person), and whole-number codes, shape (groups,); groups of the same stratum and
        arm are added up.
    n, log_sum, log_sum_squares : array_like
        Values, and sums of their natural logarithms and of the squares of those, shape (groups,).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 over arm 0; its `se` is that of the logarithm. Strata with fewer than two values in an arm have
        no variance and carry no weight.

    Raises
    ------
    AnalysisError
        For non-finite sums, columns of unequal length, other arms or missing codes.

    References
    ----------
    Welch (1947), Biometrika 34, 28–35; Satterthwaite (1946), Biometrics Bull. 2, 110–114.

    Examples
    --------
    >>> p = geometric_mean_ratio_from_sums(arm=[1, 0], n=[20, 30], log_sum=[40.0, 66.0],
    ...                                    log_sum_squares=[84.0, 150.0])
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}]"
    '0.819 [0.633, 1.058]'
    """
    checked_level(level)
    # The squares column carries the checks for length; sums of logarithms may be negative.
    counts, squares = amounts(n=n, log_sum_squares=log_sum_squares)
    logs = np.asarray(log_sum, float)
    if logs.shape != counts.shape or not np.isfinite(logs).all():
        raise AnalysisError(f"log_sum must hold {counts.size} finite numbers; got {log_sum!r}.")
    one = checked_arm(arm, counts.size)
    strata, number = coded(stratum, counts.size, "stratum")

    def summed(column: Floats) -> Floats:
        # Shape (2, strata): arm 1, arm 0.
        return np.array([np.bincount(strata[side], column[side], number) for side in (one, ~one)], float)

    size, total, square = summed(counts), summed(logs), summed(squares)
    used = np.asarray((size >= 2).all(axis=0))
    rests_on = basis(np.asarray(size.sum(axis=0)), used)
    if not used.any():
        reason = "arm_empty" if (size == 0).any(axis=0).all() else "small_numbers"
        return pooled(math.nan, math.nan, basis=rests_on, level=level, method="", reasons=(reason,))
    size, total, square = size[:, used], total[:, used], square[:, used]
    weight = size[0] * (size[1] / size.sum(axis=0))
    weight /= weight.sum()
    mean = total / size
    about_mean = square - total * mean
    # Equal values leave rounding behind, not variance.
    about_mean = np.where(about_mean > 1e-13 * square, about_mean, 0.0)
    variance = about_mean / (size - 1) / size
    parts = weight**2 * variance
    se2 = float(parts.sum())
    df = se2**2 / float((parts**2 / (size - 1)).sum()) if se2 > 0 else None
    return pooled(
        float(weight @ (mean[0] - mean[1])),
        math.sqrt(se2),
        scale="log",
        basis=rests_on,
        level=level,
        method="ratio of geometric means (Welch)",
        df=df,
        reasons=() if se2 > 0 else ("small_numbers",),
    )


def _needs_positive(rests_on: Basis, level: float) -> Pooled:
    reasons = ("geometric_needs_positive",)
    return pooled(math.nan, math.nan, scale="log", basis=rests_on, level=level, method="", reasons=reasons)


def _ordered(value: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Values in order with the number of values up to and including each."""
    values = np.asarray(value, float)
    (counts,) = amounts(n=n)
    if values.shape != counts.shape or not np.isfinite(values).all() or (counts != np.floor(counts)).any():
        raise AnalysisError(
            f"value and n must be columns of equal length, finite and whole; got {value!r}, {n!r}."
        )
    order = np.argsort(values, kind="stable")
    order = order[counts[order] > 0]
    return values[order], np.cumsum(counts[order])


def _median_variance(values: Floats, ends: Floats) -> float:
    n = float(ends[-1])
    c = max(round((n + 1) / 2 - math.sqrt(n)), 1)
    low = values[np.searchsorted(ends, c - 1, side="right")]
    high = values[np.searchsorted(ends, n - c, side="right")]
    outside = 2 * float(bdtr(c - 1, int(n), 0.5))
    return float((high - low) / (2 * normal_quantile(1 - outside))) ** 2
