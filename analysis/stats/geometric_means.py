"""Geometric means of skewed amounts that are all known, such as hours: ratios of them, from counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.durations import in_order
from analysis.stats.pooled import Basis, Codes, Pooled, amounts, basis, checked_arm, coded, pooled
from analysis.stats.survival_influence import arm_spread


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
    values, ends = in_order(value, n)
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
    sums = _sums(arm, stratum, n, log_sum)
    (squares,) = amounts(log_sum_squares=log_sum_squares)
    if squares.shape != sums.n.shape:
        raise AnalysisError(f"log_sum_squares must hold {sums.n.size} numbers; got {log_sum_squares!r}.")
    used = sums.used
    rests_on = basis(np.asarray(sums.size.sum(axis=0)), used)
    if not used.any():
        return _nothing(sums, rests_on, level)
    square = sums.by_arm(squares)[:, used]
    size, total = sums.size[:, used], sums.total[:, used]
    weight = _weights(sums.size, used)[used]
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


def geometric_mean_ratio_clustered(
    *,
    arm: ArrayLike,
    n: ArrayLike,
    log_sum: ArrayLike,
    cluster: ArrayLike,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Ratio of geometric means, stratified, with errors clustered by linearisation.

    The same estimate as `geometric_mean_ratio_from_sums`; the error is that of
    ``Σ_s w_s (r_1s/n_1s − r_0s/n_0s)`` summed by cluster, r being sums of logarithms around the mean of their
    stratum and arm, times ``G/(G − 1)``.

    Parameters
    ----------
    arm, stratum : array_like
        As for `geometric_mean_ratio_from_sums`, shape (groups,).
    n, log_sum : array_like
        Values, and sums of their natural logarithms, shape (groups,).
    cluster : array_like
        Whole-number codes, shape (groups,).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 over arm 0; its `se` is that of the logarithm, `df` that of the arm with fewer clusters. Without an
        interval where an arm has fewer than 5 clusters (``too_few_clusters``).

    Raises
    ------
    AnalysisError
        As for `geometric_mean_ratio_from_sums`.

    References
    ----------
    Binder (1983), Int. Stat. Rev. 51, 279–292.

    Examples
    --------
    >>> logs = [1.0, 1.2, 0.9, 1.3, 1.1, 2.0, 2.2, 1.9, 2.1, 1.8]
    >>> p = geometric_mean_ratio_clustered(
    ...     arm=[1] * 5 + [0] * 5, n=[1] * 10, log_sum=logs, cluster=range(10))
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}]"
    '0.407 [0.313, 0.528]'
    """
    checked_level(level)
    sums = _sums(arm, stratum, n, log_sum)
    used = sums.used
    rests_on = basis(np.asarray(sums.size.sum(axis=0)), used)
    if not used.any():
        return _nothing(sums, rests_on, level)
    codes = coded(cluster, sums.n.size, "cluster")[0]
    mean = np.divide(sums.total, sums.size, out=np.zeros_like(sums.total), where=sums.size > 0)
    weight = np.where(used, _weights(sums.size, used), 0.0)
    side = np.where(sums.one, 0, 1)
    at = (side, sums.stratum)
    with np.errstate(divide="ignore", invalid="ignore"):
        # What one value of each group adds to its arm's mean: residuals of a group are spread evenly over it.
        added = weight[sums.stratum] * (sums.log_sum / sums.n - mean[at]) / sums.size[at]
    kept = used[sums.stratum] & (sums.n > 0)
    spread = arm_spread(added[kept], sums.n[kept], sums.one[kept], codes[kept])
    refused = "too_few_clusters" in spread.reasons
    variance = spread.variance_1 + spread.variance_0 - 2 * spread.covariance
    return pooled(
        float(weight @ (mean[0] - mean[1])),
        # Equal values leave rounding behind, not variance.
        math.nan if refused or variance <= 1e-24 else math.sqrt(variance),
        scale="log",
        basis=rests_on,
        level=level,
        method="ratio of geometric means, clustered",
        df=None if refused else spread.df,
        clusters=spread.clusters,
        reasons=spread.reasons if refused or variance > 1e-24 else (*spread.reasons, "no_variation"),
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Groups with their arm and stratum, and sums per arm and stratum: shape (2, strata), arm 1 first."""

    n: Floats
    log_sum: Floats
    one: NDArray[np.bool_]
    stratum: Codes
    strata: int
    size: Floats
    total: Floats

    @property
    def used(self) -> NDArray[np.bool_]:
        """Strata with at least two values in each arm: fewer have no variance."""
        return np.asarray((self.size >= 2).all(axis=0))

    def by_arm(self, column: Floats) -> Floats:
        sides = (self.one, ~self.one)
        return np.array([np.bincount(self.stratum[s], column[s], self.strata) for s in sides], float)


def _sums(arm: ArrayLike, stratum: ArrayLike | None, n: ArrayLike, log_sum: ArrayLike) -> _Sums:
    (counts,) = amounts(n=n)
    logs = np.asarray(log_sum, float)
    # Sums of logarithms may be negative, so `amounts` cannot check them.
    if logs.shape != counts.shape or not np.isfinite(logs).all():
        raise AnalysisError(f"log_sum must hold {counts.size} finite numbers; got {log_sum!r}.")
    one = checked_arm(arm, counts.size)
    strata, number = coded(stratum, counts.size, "stratum")
    bare = _Sums(counts, logs, one, strata, number, np.zeros((2, number)), np.zeros((2, number)))
    return replace(bare, size=bare.by_arm(counts), total=bare.by_arm(logs))


def _weights(size: Floats, used: NDArray[np.bool_]) -> Floats:
    n1, n0 = size
    weight = np.where(used, n1 * np.divide(n0, n1 + n0, out=np.zeros_like(n0), where=n1 + n0 > 0), 0.0)
    return np.asarray(weight / weight.sum())


def _nothing(sums: _Sums, rests_on: Basis, level: float) -> Pooled:
    reason = "arm_empty" if (sums.size == 0).any(axis=0).all() else "small_numbers"
    return pooled(math.nan, math.nan, scale="log", basis=rests_on, level=level, method="", reasons=(reason,))


def _needs_positive(rests_on: Basis, level: float) -> Pooled:
    reasons = ("geometric_needs_positive",)
    return pooled(math.nan, math.nan, scale="log", basis=rests_on, level=level, method="", reasons=reasons)
