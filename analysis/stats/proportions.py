"""One proportion and two: intervals that hold at every table, however small or large.

Arm 1 is virtual and arm 0 in person; differences are arm 1 minus arm 0, ratios arm 1 over arm 0. Every
function broadcasts its counts against each other and loops over nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv

from analysis.stats.bounds import Bounds, Floats, checked_counts, checked_level, normal_quantile

# Each halving of a bracket on the log scale; the widest bracket (about 25 log units) ends below rounding.
_HALVINGS = 60


def wilson(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Wilson score interval of a proportion.

    Limits are ``(x + z²/2 ± z √(x(n−x)/n + z²/4)) / (n + z²)``. The upper limit is one minus the lower
    limit of the non-events, so mirrored counts give exactly mirrored limits.

    Parameters
    ----------
    events, n : array_like
        Events and totals (whole numbers), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Fractions in [0, 1]; NaN where `n` is 0.

    Raises
    ------
    AnalysisError
        For counts that are negative, not whole or above their total, or a level outside (0, 1).

    References
    ----------
    Wilson (1927), J. Am. Stat. Assoc. 22, 209–212.

    Examples
    --------
    >>> b = wilson(81, 263)
    >>> f"{b.low:.4f} {b.high:.4f}"
    '0.2553 0.3662'
    """
    x, total = checked_counts(events, n)
    estimate, low, high = _wilson(x, total, normal_quantile(level))
    return Bounds(estimate, low, high, level, "Wilson")


def clopper_pearson(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Clopper–Pearson interval of a proportion: covers at least `level`, whatever the truth.

    Limits are quantiles of Beta(x, n − x + 1) and Beta(x + 1, n − x).

    Parameters
    ----------
    events, n : array_like
        Events and totals (whole numbers), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Fractions in [0, 1]; NaN where `n` is 0.

    Raises
    ------
    AnalysisError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Clopper & Pearson (1934), Biometrika 26, 404–413.

    Examples
    --------
    >>> b = clopper_pearson(20, 20)
    >>> f"{b.low:.4f} {b.high:.4f}"
    '0.8316 1.0000'
    """
    x, total = checked_counts(events, n)
    tail = (1 - checked_level(level)) / 2
    y = total - x
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = x / total
    # A shape of 0 is a point mass, which the quantile function calls NaN: ask for 1 and overwrite.
    low = np.where(x > 0, betaincinv(np.maximum(x, 1), y + 1, tail), 0.0)
    high = np.where(y > 0, 1 - betaincinv(np.maximum(y, 1), x + 1, tail), 1.0)
    missing = total == 0
    return Bounds(
        estimate, np.where(missing, np.nan, low), np.where(missing, np.nan, high), level, "Clopper–Pearson"
    )


def newcombe(
    events_1: ArrayLike, n_1: ArrayLike, events_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Bounds:
    """Newcombe's hybrid score interval of a difference of two proportions.

    With Wilson limits (l, u) of each arm: ``d − √((p1−l1)² + (u0−p0)²)`` to ``d + √((u1−p1)² + (p0−l0)²)``.

    Parameters
    ----------
    events_1, n_1, events_0, n_0 : array_like
        Events and totals of arm 1 (virtual) and arm 0 (in person), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Differences arm 1 minus arm 0, as fractions in [−1, 1]; NaN where an arm is empty.

    Raises
    ------
    AnalysisError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Newcombe (1998), Stat. Med. 17, 873–890, method 10.

    Examples
    --------
    >>> b = newcombe(56, 70, 48, 80)
    >>> f"{b.estimate:.2f} [{b.low:.4f}, {b.high:.4f}]"
    '0.20 [0.0524, 0.3339]'
    """
    z = normal_quantile(level)
    p1, l1, u1 = _wilson(*checked_counts(events_1, n_1), z)
    p0, l0, u0 = _wilson(*checked_counts(events_0, n_0), z)
    d = np.asarray(p1 - p0)
    low = np.asarray(d - np.sqrt((p1 - l1) ** 2 + (u0 - p0) ** 2))
    high = np.asarray(d + np.sqrt((u1 - p1) ** 2 + (p0 - l0) ** 2))
    return Bounds(d, np.maximum(low, -1.0), np.minimum(high, 1.0), level, "Newcombe")


def miettinen_nurminen(
    events_1: ArrayLike, n_1: ArrayLike, events_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Bounds:
    """Miettinen–Nurminen score interval of a difference of two proportions.

    The limits are the differences δ at which the score statistic
    ``(p̂1 − p̂0 − δ) / √(N/(N−1) · (p̃1(1−p̃1)/n1 + p̃0(1−p̃0)/n0))`` equals ±z, where p̃ are the proportions
    most likely among those that differ by δ.

    Those proportions satisfy ``(x1 − n1 p1)/(p1 q1) = λ = −(x0 − n0 p0)/(p0 q0)``. Walking along the
    multiplier λ instead of δ makes each a plain quadratic, makes the numerator ``λ V`` (V the variance
    without the N/(N−1)) and so turns the question into ``λ √V = z √(N/(N−1))``: nothing cancels, at any
    size of table.

    Parameters
    ----------
    events_1, n_1, events_0, n_0 : array_like
        Events and totals of arm 1 (virtual) and arm 0 (in person), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Differences arm 1 minus arm 0, as fractions in [−1, 1]; NaN where an arm is empty.

    Raises
    ------
    AnalysisError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Miettinen & Nurminen (1985), Stat. Med. 4, 213–226.

    Examples
    --------
    >>> b = miettinen_nurminen(56, 70, 48, 80)
    >>> f"{b.estimate:.2f} [{b.low:.4f}, {b.high:.4f}]"
    '0.20 [0.0528, 0.3382]'
    """
    z = normal_quantile(level)
    counts = np.broadcast_arrays(*checked_counts(events_1, n_1), *checked_counts(events_0, n_0))
    x1, n1, x0, n0 = (np.asarray(c) for c in counts)
    missing = (n1 == 0) | (n0 == 0)
    n1, n0 = np.where(missing, 1.0, n1), np.where(missing, 1.0, n0)
    x1, x0 = np.where(missing, 0.0, x1), np.where(missing, 0.0, x0)
    d = x1 / n1 - x0 / n0
    # The upper limit is minus the lower limit of the swapped arms: one search serves both.
    reach = _score_reach(np.stack([x1, x0]), np.stack([n1, n0]), np.stack([x0, x1]), np.stack([n0, n1]), z)
    low, high = np.maximum(d - reach[0], -1.0), np.minimum(d + reach[1], 1.0)
    estimate, low, high = (np.where(missing, np.nan, v) for v in (d, low, high))
    return Bounds(estimate, low, high, level, "Miettinen–Nurminen")


def ratio_mover_r(
    events_1: ArrayLike, n_1: ArrayLike, events_0: ArrayLike, n_0: ArrayLike, *, level: float = 0.95
) -> Bounds:
    """Interval of a ratio of two proportions from their Wilson limits (MOVER-R).

    With Wilson limits (l, u) of each arm the limits are
    ``(p1 p0 ∓ √((p1 p0)² − a b)) / b`` with ``a = l1 (2p1 − l1), b = u0 (2p0 − u0)`` below and
    ``a = u1 (2p1 − u1), b = l0 (2p0 − l0)`` above; written here so that no zero is divided by.

    Parameters
    ----------
    events_1, n_1, events_0, n_0 : array_like
        Events and totals of arm 1 (virtual) and arm 0 (in person), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Ratios arm 1 over arm 0 in [0, ∞]. Without events in arm 0 the upper limit is infinite and the
        estimate infinite too, or NaN when arm 1 has none either. All NaN where an arm is empty.

    Raises
    ------
    AnalysisError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Donner & Zou (2012), Stat. Methods Med. Res. 21, 347–359.

    Examples
    --------
    >>> b = ratio_mover_r(9, 10, 3, 10)
    >>> f"{b.estimate:.1f} [{b.low:.4f}, {b.high:.4f}]"
    '3.0 [1.3224, 8.3689]'
    """
    z = normal_quantile(level)
    p1, l1, u1 = _wilson(*checked_counts(events_1, n_1), z)
    p0, l0, u0 = _wilson(*checked_counts(events_0, n_0), z)
    product = p1 * p0
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.asarray(p1 / p0)
        a, b = l1 * (2 * p1 - l1), u0 * (2 * p0 - u0)
        low = a / (product + np.sqrt(np.maximum(product**2 - a * b, 0)))
        a, b = u1 * (2 * p1 - u1), l0 * (2 * p0 - l0)
        high = (product + np.sqrt(np.maximum(product**2 - a * b, 0))) / b
    missing = np.isnan(product)
    low = np.where(missing, np.nan, np.where(p1 == 0, 0.0, low))
    high = np.where(missing, np.nan, np.where(p0 == 0, np.inf, high))
    return Bounds(estimate, low, high, level, "MOVER-R (Wilson)")


def _wilson(x: Floats, n: Floats, z: float) -> tuple[Floats, Floats, Floats]:
    # Written out although the libraries have it: as arrays it is hundreds of times faster than a call per
    # table, and the limits at 0 and n come out exact.
    y = n - x
    zz = z * z
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.asarray(x / n)
        root = z * np.sqrt(x * (y / n) + zz / 4)
    low = np.where(x == 0, p, (x + zz / 2 - root) / (n + zz))
    high = np.where(y == 0, p, 1 - (y + zz / 2 - root) / (n + zz))
    # Rounding may leave a limit an ulp on the wrong side of the estimate.
    return p, np.minimum(low, p), np.maximum(high, p)


def _score_reach(x1: Floats, n1: Floats, x0: Floats, n0: Floats, z: float) -> Floats:
    """How far below the estimate the score interval reaches: λV where λ√V = z√(N/(N−1))."""
    total = n1 + n0
    target = z * np.sqrt(total / (total - 1))
    y0 = n0 - x0
    # V is at most (1/n1 + 1/n0)/4, which bounds λ below. From λ >= 2n on, the arm that still varies has
    # V >= 1/(3nλ), which bounds it above.
    low = target / np.sqrt(0.25 / n1 + 0.25 / n0)
    high = np.maximum(2.0, 3 * target**2) * total
    for _ in range(_HALVINGS):
        middle = np.sqrt(low * high)
        short = middle * np.sqrt(_spread(middle, x1, n1) + _spread(middle, y0, n0)) < target
        low, high = np.where(short, middle, low), np.where(short, high, middle)
    # With 0 of n1 against n0 of n0 the difference is -1 already; V is 0 for every λ and the reach 0.
    return high * (_spread(high, x1, n1) + _spread(high, y0, n0))


def _spread(multiplier: Floats, x: Floats, n: Floats) -> Floats:
    """p(1−p)/n at the p below x/n that solves (x − np) / (p(1−p)) = multiplier > 0."""
    y = n - x
    root = np.sqrt((n - multiplier) ** 2 + 4 * multiplier * y)
    p = 2 * x / (n + multiplier + root)
    # Two forms of the same root, each free of cancellation on its side.
    before = multiplier < n
    q = np.where(
        before,
        2 * y / (np.where(before, n - multiplier, 1.0) + root),
        (root + multiplier - n) / (2 * multiplier),
    )
    return np.asarray(p * q / n)
