"""By how much is one arm larger? The Hodges–Lehmann shift: the median of all differences between the arms."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level, normal_quantile
from analysis.stats.pooled import Pooled
from analysis.stats.rank_tests import (
    EXACT_BELOW,
    Tally,
    mann_whitney,
    mann_whitney_exact,
    tally,
    u_distribution,
)

# Up to this many pairs of distinct values all differences are listed (a few hundred megabytes at worst).
_PAIRS = 4_000_000


def hodges_lehmann_exact(x: ArrayLike, y: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Hodges–Lehmann shift of two samples with the limits that the exact rank test gives.

    With D the sorted differences x − y and c the lower quantile of U, the limits are ``D_(c)`` and
    ``D_(mn − c + 1)``. With ties, or 50 or more in an arm, `hodges_lehmann` answers instead.

    Parameters
    ----------
    x, y : array_like
        Values of arm 1 (virtual) and arm 0 (in person), shape (n,) each.
    level : float
        Confidence level; where the samples are too small for it, the limits are the extreme differences and
        the reason is ``small_numbers``.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0, in the unit of the values; the p-value is Mann–Whitney's. ``None`` with reason
        ``arm_empty`` where a sample is empty.

    Raises
    ------
    AnalysisError
        For values that are not finite or a level outside (0, 1).

    References
    ----------
    Hodges & Lehmann (1963), Ann. Math. Stat. 34, 598–611; Bauer (1972), J. Am. Stat. Assoc. 67, 687–690.

    Examples
    --------
    >>> p = hodges_lehmann_exact([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46], [1.15, 0.88, 0.90, 0.74, 1.21])
    >>> f"{p.estimate:.3f} [{p.interval.low:.2f}, {p.interval.high:.2f}] {p.p_value:.4f}"
    '0.305 [-0.15, 0.76] 0.2544'
    """
    one, other = np.asarray(x, float), np.asarray(y, float)
    if one.ndim != 1 or other.ndim != 1:
        raise AnalysisError(f"x and y must be columns; got shapes {one.shape} and {other.shape}.")
    counts = tally(one, np.ones(one.size), other, np.ones(other.size))
    ties = bool((counts.n_1 + counts.n_0 > 1).any())
    if ties or not 0 < min(one.size, other.size) <= max(one.size, other.size) < EXACT_BELOW:
        return _from_tally(counts, level)
    alpha = 1 - checked_level(level)
    differences = np.sort(np.subtract.outer(one, other), axis=None)
    ways = u_distribution(one.size, other.size)
    cumulative = np.cumsum(np.array([w / sum(ways) for w in ways]))
    # A hair of tolerance, so that a tail that equals alpha/2 but for rounding counts as such.
    c = int(np.searchsorted(cumulative, alpha / 2 - 1e-14))
    reasons = () if c else ("small_numbers",)
    c = max(c, 1)
    return Pooled(
        estimate=float(np.median(differences)),
        se=None,
        scale="identity",
        interval=Interval(float(differences[c - 1]), float(differences[-c]), level, "Hodges–Lehmann exact"),
        p_value=mann_whitney_exact(one, other).p(),
        n=one.size + other.size,
        reasons=reasons,
    )


def hodges_lehmann(
    value_1: ArrayLike, n_1: ArrayLike, value_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Hodges–Lehmann shift from value counts, with limits from the normal approximation.

    The median of all n1·n0 differences; the limits are their order statistics number
    ``C = n1 n0/2 − z √(n1 n0 (N + 1)/12)`` from either end. Ties are not taken out of the variance, which
    makes the interval a little too wide where values are few.

    Parameters
    ----------
    value_1, n_1, value_0, n_0 : array_like
        Values and counts of arm 1 (virtual) and arm 0 (in person).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Arm 1 minus arm 0, in the unit of the values; the p-value is Mann–Whitney's with continuity correction. Reason ``small_numbers``
        where the limits are the extreme differences; ``None`` with reason ``arm_empty`` where an arm is empty.

    Raises
    ------
    AnalysisError
        For non-finite values, impossible counts, or a level outside (0, 1).

    References
    ----------
    Hollander, Wolfe & Chicken (2014), Nonparametric Statistical Methods, section 4.3.

    Examples
    --------
    >>> p = hodges_lehmann([3, 5, 9], [10, 20, 10], [2, 4, 8], [10, 20, 10])
    >>> f"{p.estimate:.0f} [{p.interval.low:.0f}, {p.interval.high:.0f}]"
    '1 [1, 1]'
    """
    return _from_tally(tally(value_1, n_1, value_0, n_0), level)


def _from_tally(counts: Tally, level: float) -> Pooled:
    z = normal_quantile(level)
    size_1, size_0 = float(counts.n_1.sum()), float(counts.n_0.sum())
    n, pairs = round(size_1 + size_0), size_1 * size_0
    if not pairs:
        return Pooled(None, None, "identity", None, None, n, reasons=("arm_empty",))
    c = math.floor(pairs / 2 - z * math.sqrt(pairs * (size_1 + size_0 + 1) / 12))
    reasons = () if c >= 1 else ("small_numbers",)
    c = max(c, 1)
    middle = (math.floor((pairs + 1) / 2), math.floor(pairs / 2) + 1)
    low, left, right, high = _ordered_differences(counts, [c, *middle, pairs + 1 - c])
    return Pooled(
        estimate=(left + right) / 2,
        se=None,
        scale="identity",
        interval=Interval(low, high, level, "Hodges–Lehmann (normal)"),
        p_value=mann_whitney(counts.value, counts.n_1, counts.value, counts.n_0, continuity=True).p(),
        n=n,
        reasons=reasons,
    )


def _ordered_differences(counts: Tally, ranks: list[float]) -> list[float]:
    """The differences of given ranks (from 1) among all pairs."""
    in_1, in_0 = counts.n_1 > 0, counts.n_0 > 0
    x, n1, y, n0 = counts.value[in_1], counts.n_1[in_1], counts.value[in_0], counts.n_0[in_0]
    if x.size * y.size <= _PAIRS:
        differences = np.subtract.outer(x, y).ravel()
        order = np.argsort(differences, kind="stable")
        reached = np.cumsum(np.multiply.outer(n1, n0).ravel()[order])
        at = np.searchsorted(reached, np.array(ranks) - 0.5)
        return [float(d) for d in differences[order][at]]
    return [_searched(rank, x, n1, y, n0) for rank in ranks]


def _searched(rank: float, x: Floats, n1: Floats, y: Floats, n0: Floats) -> float:
    """One ordered difference by halving, without listing the pairs; exact to rounding."""
    below = np.concatenate([[0.0], np.cumsum(n0)])
    low, high = float(x[0] - y[-1]), float(x[-1] - y[0])
    low -= 1e-9 * max(1.0, abs(low))
    for _ in range(80):
        middle = (low + high) / 2
        # Pairs with x − y <= middle are those with y >= x − middle.
        reached = float(n1 @ (below[-1] - below[np.searchsorted(y, x - middle, side="left")]))
        low, high = (low, middle) if reached >= rank else (middle, high)
    return high
