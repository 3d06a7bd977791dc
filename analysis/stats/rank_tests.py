"""Is one arm's amount larger? Rank tests and the probability that virtual exceeds in person, from value counts.

Every distinct value comes with how often it occurs in each arm, so nothing is expanded and ties are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, HypothesisTest, checked_level
from analysis.stats.pooled import Pooled, amounts, quantile

EXACT_BELOW = 50
"""Arms smaller than this, without ties, can be tested exactly (as R's wilcox.test does)."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of both arms at each distinct value: arrays of shape (values,), values ascending."""

    value: Floats
    n_1: Floats
    n_0: Floats


def tally(value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike) -> Tally:
    """Both arms' counts on their common values.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values in any order, repeated or not, and whole counts, of arm 1 (virtual) and arm 0 (in person).

    Returns
    -------
    Tally

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts or columns of unequal length.

    Examples
    --------
    >>> tally([3, 1], [2, 1], [1, 2], [4, 0])
    Tally(value=array([1., 3.]), n_1=array([1., 2.]), n_0=array([4., 0.]))
    """
    values, counts = [], []
    for given, n in ((value_1, n_1), (value_0, n_0)):
        column, (count,) = np.asarray(given, float), amounts(n=n)
        if column.shape != count.shape or not np.isfinite(column).all() or (count != np.floor(count)).any():
            raise AnalysisError(
                f"values and counts must be columns of equal length, finite and whole; got {given!r}, {n!r}."
            )
        values.append(column[count > 0])
        counts.append(count[count > 0])
    distinct, place = np.unique(np.concatenate(values), return_inverse=True)
    cut = values[0].size
    return Tally(
        distinct,
        np.asarray(np.bincount(place[:cut], counts[0], distinct.size), float),
        np.asarray(np.bincount(place[cut:], counts[1], distinct.size), float),
    )


def mann_whitney(
    value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike, *, continuity: bool = False
) -> HypothesisTest:
    """Wilcoxon–Mann–Whitney test, two-sided: normal, with the variance corrected for ties.

    ``(U − n1 n0/2)/√(n1 n0/12 · (N + 1 − Σ(t³ − t)/(N(N − 1))))`` with t the number of values at each tie.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values and counts of arm 1 (virtual) and arm 0 (in person), as in `tally`.
    continuity : bool
        Whether U is brought half a step nearer to its mean first.

    Returns
    -------
    HypothesisTest
        The statistic is U of arm 1: pairs in which arm 1 is larger, ties one half. NaN where an arm is
        empty; the p-value NaN as well where all values are the same.

    Raises
    ------
    AnalysisError
        As `tally`.

    References
    ----------
    Mann & Whitney (1947), Ann. Math. Stat. 18, 50–60.

    Examples
    --------
    >>> t = mann_whitney([1, 2, 4], [11, 2, 1], [1, 2, 3, 4, 5], [3, 1, 4, 2, 1])
    >>> f"{float(t.statistic):.1f} {float(t.p_value):.5f}"
    '32.5 0.00707'
    """
    counts = tally(value_1, n_1, value_0, n_0)
    size_1, size_0 = float(counts.n_1.sum()), float(counts.n_0.sum())
    u = float(counts.n_1 @ _below(counts.n_0)) if size_1 * size_0 else math.nan
    ties, total = counts.n_1 + counts.n_0, size_1 + size_0
    tied = float((ties**3 - ties).sum()) / max(total * (total - 1), 1)
    variance = size_1 * size_0 / 12 * (total + 1 - tied)
    p = math.nan
    # One value alone leaves rounding behind, not variance.
    if variance > 1e-9 * size_1 * size_0:
        off = max(abs(u - size_1 * size_0 / 2) - 0.5 * continuity, 0.0)
        p = 2 * float(ndtr(-off / math.sqrt(variance)))
    return HypothesisTest(np.asarray(u), np.asarray(p), "Mann–Whitney")


def mann_whitney_exact(x: ArrayLike, y: ArrayLike) -> HypothesisTest:
    """Exact Mann–Whitney test of two small samples without ties, two-sided.

    Parameters
    ----------
    x, y : array_like
        Values of arm 1 (virtual) and arm 0 (in person), shape (n,) each, fewer than 50 and all distinct.

    Returns
    -------
    HypothesisTest
        The statistic is U of arm 1; NaN where a sample is empty.

    Raises
    ------
    AnalysisError
        For values that are not finite, ties (their exact distribution is another), or 50 or more values.

    References
    ----------
    Mann & Whitney (1947), Ann. Math. Stat. 18, 50–60.

    Examples
    --------
    >>> f"{mann_whitney_exact([1, 2, 3], [4, 5, 6]).p_value:.1f}"
    '0.1'
    """
    counts = tally(x, np.ones(np.shape(x)), y, np.ones(np.shape(y)))
    size_1, size_0 = int(counts.n_1.sum()), int(counts.n_0.sum())
    if (counts.n_1 + counts.n_0 > 1).any() or max(size_1, size_0) >= EXACT_BELOW:
        raise AnalysisError(f"the exact test wants distinct values, fewer than {EXACT_BELOW} in each arm.")
    if not size_1 * size_0:
        return HypothesisTest(np.asarray(math.nan), np.asarray(math.nan), "Mann–Whitney exact")
    u = int(counts.n_1 @ (np.cumsum(counts.n_0) - counts.n_0))
    ways = u_distribution(size_1, size_0)
    p = min(1.0, 2 * (sum(ways[: min(u, size_1 * size_0 - u) + 1]) / sum(ways)))
    return HypothesisTest(np.asarray(float(u)), np.asarray(p), "Mann–Whitney exact")


def brunner_munzel(
    value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Probability that a value of arm 1 exceeds one of arm 0 (ties one half), with Brunner and Munzel's test.

    Above ½ arm 1 (virtual) tends to be larger. The error comes from the spread of each arm's placements
    among the other; t with Satterthwaite's degrees of freedom.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values and counts of arm 1 (virtual) and arm 0 (in person), as in `tally`.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Estimate and interval in [0, 1]; the p-value is against ½. Without an interval where an arm has fewer
        than two (``small_numbers``) or the arms do not overlap or vary (``no_variation``); ``None`` with reason
        ``arm_empty`` where an arm is empty.

    Raises
    ------
    AnalysisError
        As `tally`, and for a level outside (0, 1).

    References
    ----------
    Brunner & Munzel (2000), Biom. J. 42, 17–25.

    Examples
    --------
    >>> p = brunner_munzel([1, 2, 3, 4, 5], [3, 1, 4, 2, 1], [1, 2, 4], [11, 2, 1])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}] {p.p_value:.4f}"
    '0.7890 [0.5952, 0.9827] 0.0058'
    """
    checked_level(level)
    counts = tally(value_1, n_1, value_0, n_0)
    size_1, size_0 = float(counts.n_1.sum()), float(counts.n_0.sum())
    n = round(size_1 + size_0)
    if not size_1 * size_0:
        return Pooled(None, None, "identity", None, None, n, reasons=("arm_empty",))
    above_0, above_1 = _below(counts.n_0) / size_0, _below(counts.n_1) / size_1
    estimate = float(counts.n_1 @ above_0) / size_1
    if min(size_1, size_0) < 2:
        return Pooled(estimate, None, "identity", None, None, n, reasons=("small_numbers",))
    part_1 = float(counts.n_1 @ (above_0 - estimate) ** 2) / (size_1 - 1) / size_1
    part_0 = float(counts.n_0 @ (above_1 - (1 - estimate)) ** 2) / (size_0 - 1) / size_0
    variance = part_1 + part_0
    if variance <= 1e-24:
        return Pooled(estimate, None, "identity", None, None, n, reasons=("no_variation",))
    se = math.sqrt(variance)
    df = variance**2 / (part_1**2 / (size_1 - 1) + part_0**2 / (size_0 - 1))
    reach = quantile(level, df) * se
    return Pooled(
        estimate=estimate,
        se=se,
        scale="identity",
        interval=Interval(max(estimate - reach, 0.0), min(estimate + reach, 1.0), level, "Brunner–Munzel"),
        p_value=2 * float(stdtr(df, -abs(estimate - 0.5) / se)),
        n=n,
        df=df,
    )


def u_distribution(size_1: int, size_0: int) -> list[int]:
    """In how many of the orderings of two untied samples each value of U occurs, U = 0 … size_1 · size_0.

    The coefficients of the Gaussian binomial ``Π (1 − q^(m+i))/(1 − q^i)``, in whole numbers.

    >>> u_distribution(2, 2)
    [1, 1, 2, 1, 1]
    """
    length = size_1 * size_0 + 1
    ways = [1] + [0] * (length - 1)
    for i in range(1, size_1 + 1):
        step = size_0 + i
        for k in range(length - 1, step - 1, -1):
            ways[k] -= ways[k - step]
        for k in range(i, length):
            ways[k] += ways[k - i]
    return ways


def _below(n: Floats) -> Floats:
    """How many of an arm lie below each value, those at it counting one half."""
    return np.asarray(np.cumsum(n) - n / 2)
