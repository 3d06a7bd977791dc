"""Yes or no twice on the same member: tests and differences that know the two belong together.

Tables are ``[[yes-yes, yes-no], [no-yes, no-no]]`` of shape (…, 2, 2), rows the first of the pair; the difference
is first minus second, so only the two discordant cells speak of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, chdtrc, gammaln

from analysis.stats.bounds import Bounds, Floats, HypothesisTest, checked_level, normal_quantile
from analysis.stats.proportions import wilson
from analysis.stats.tables import cells

# Halvings of an interval of length at most 2: ends at rounding.
_HALVINGS = 60


def mcnemar(table: ArrayLike) -> HypothesisTest:
    """McNemar's test without continuity correction: ``(b − c)²/(b + c)`` on one degree of freedom.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2), as in the module's head.

    Returns
    -------
    HypothesisTest
        NaN where no pair is discordant.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    McNemar (1947), Psychometrika 12, 153–157.

    Examples
    --------
    >>> f"{mcnemar([[59, 6], [16, 80]]).p_value:.4f}"
    '0.0330'
    """
    _, b, c, _ = cells(table)
    with np.errstate(invalid="ignore"):
        statistic = np.asarray((b - c) ** 2 / (b + c))
    return HypothesisTest(statistic, chdtrc(1.0, statistic), "McNemar", np.ones_like(statistic))


def mcnemar_exact(table: ArrayLike) -> HypothesisTest:
    """Exact McNemar test: the discordant pairs fall either way with probability ½.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).

    Returns
    -------
    HypothesisTest
        The statistic is b, the p-value two-sided and 1 where no pair is discordant.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    McNemar (1947), Psychometrika 12, 153–157.

    Examples
    --------
    >>> f"{mcnemar_exact([[59, 6], [16, 80]]).p_value:.4f}"
    '0.0525'
    """
    _, b, c, _ = cells(table)
    return HypothesisTest(b, np.minimum(2 * _tail(b, c), 1.0), "McNemar exact")


def mcnemar_mid_p(table: ArrayLike) -> HypothesisTest:
    """McNemar's test with half weight for the split that was seen (mid-p): close to its level, not cautious.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).

    Returns
    -------
    HypothesisTest
        The statistic is b; NaN p-value where no pair is discordant.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Fagerland, Lydersen & Laake (2013), BMC Med. Res. Methodol. 13, 91.

    Examples
    --------
    >>> f"{mcnemar_mid_p([[59, 6], [16, 80]]).p_value:.4f}"
    '0.0347'
    """
    _, b, c, _ = cells(table)
    seen = np.exp(gammaln(b + c + 1) - gammaln(b + 1) - gammaln(c + 1) - (b + c) * np.log(2))
    # With as many one way as the other both tails hold the split seen.
    p = np.where(b == c, 1 - seen / 2, 2 * _tail(b, c) - seen)
    return HypothesisTest(b, np.where(b + c == 0, np.nan, p), "McNemar mid-p")


def paired_newcombe(table: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Newcombe's square-and-add interval of a paired difference.

    From Wilson limits (l, u) of both margins: ``d − √(δ1² − 2φ δ1 ε2 + ε2²)`` with ``δ1 = p1 − l1, ε2 = u2 − p2``,
    and likewise above; φ is the correlation of the pair, its numerator ``ad − bc`` brought nearer to zero by
    N/2 where positive.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        First minus second, as fractions in [−1, 1]; NaN without pairs.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape or a level outside (0, 1).

    References
    ----------
    Newcombe (1998), Stat. Med. 17, 2635–2650, method 10.

    Examples
    --------
    >>> b = paired_newcombe([[59, 6], [16, 80]])
    >>> f"{b.estimate:.4f} [{b.low:.4f}, {b.high:.4f}]"
    '-0.0621 [-0.1186, -0.0046]'
    """
    a, b, c, d = cells(table)
    n = a + b + c + d
    first, second = wilson(a + b, n, level=level), wilson(a + c, n, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = np.where(a * d > b * c, np.maximum(a * d - b * c - n / 2, 0), a * d - b * c)
        scale = np.sqrt(a + b) * np.sqrt(c + d) * np.sqrt(a + c) * np.sqrt(b + d)
        correlation = np.where(scale > 0, excess / np.where(scale > 0, scale, 1.0), 0.0)
        estimate = np.asarray((b - c) / n)

    def reach(one: Floats, two: Floats) -> Floats:
        return np.asarray(np.sqrt(np.maximum(one**2 - 2 * correlation * one * two + two**2, 0)))

    low = estimate - reach(first.estimate - first.low, second.high - second.estimate)
    high = estimate + reach(first.high - first.estimate, second.estimate - second.low)
    return Bounds(estimate, np.maximum(low, -1.0), np.minimum(high, 1.0), level, "Newcombe paired")


def tango(table: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Tango's score interval of a paired difference.

    The limits are the differences δ at which ``(b − c − Nδ)/√(N (2q + δ(1 − δ)))`` equals ±z, with q the
    likeliest probability of no-yes given δ.

    Parameters
    ----------
    table : array_like
        Shape (…, 2, 2).
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        First minus second, as fractions in [−1, 1]; NaN without pairs.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape or a level outside (0, 1).

    References
    ----------
    Tango (1998), Stat. Med. 17, 891–908.

    Examples
    --------
    >>> b = tango([[59, 6], [16, 80]])
    >>> f"{b.estimate:.4f} [{b.low:.4f}, {b.high:.4f}]"
    '-0.0621 [-0.1240, -0.0054]'
    """
    a, b, c, d = cells(table)
    n = a + b + c + d
    z = normal_quantile(checked_level(level))
    with np.errstate(invalid="ignore"):
        estimate = np.asarray((b - c) / n)
    # The upper limit is minus the lower one of the transposed table.
    low = _tango_low(b, c, n, z, estimate)
    high = -_tango_low(c, b, n, z, -estimate)
    return Bounds(estimate, low, high, level, "Tango")


def _tango_low(b: Floats, c: Floats, n: Floats, z: float, estimate: Floats) -> Floats:
    inside, outside = estimate, np.where(np.isnan(estimate), np.nan, -1.0)
    for _ in range(_HALVINGS):
        delta = (inside + outside) / 2
        # The likeliest q is the larger root of 2n q² + slope q − c δ (1 − δ) = 0.
        slope = (2 * n - b + c) * delta - b - c
        root = np.sqrt(np.maximum(slope**2 + 8 * n * c * delta * (1 - delta), 0))
        q = np.maximum((root - slope) / np.maximum(4 * n, 1), np.maximum(-delta, 0))
        near = (b - c - n * delta) ** 2 <= z**2 * n * (2 * q + delta * (1 - delta))
        inside, outside = np.where(near, delta, inside), np.where(near, outside, delta)
    return np.asarray((inside + outside) / 2)


def _tail(b: Floats, c: Floats) -> Floats:
    fewer = np.minimum(b, c)
    # The library wants integers for the number of trials.
    return np.asarray(bdtr(fewer, (b + c).astype(np.int64), 0.5))
