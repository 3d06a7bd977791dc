"""Is there a direction? Tests of a steady rise or fall over ordered periods or classes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from analysis.errors import AnalysisError
from analysis.results import finite_or_none
from analysis.stats.bounds import checked_counts


@dataclass(frozen=True, slots=True)
class Trend:
    """A trend and its test.

    Parameters
    ----------
    slope : float or None
        Change per unit of the scores (Cochran–Armitage), or Sen's median change per period (Mann–Kendall).
    tau : float or None
        Kendall's tau-b between value and time; ``None`` for Cochran–Armitage.
    statistic : float or None
        Chi-square on one degree of freedom (Cochran–Armitage), or standard normal (Mann–Kendall).
    p_value : float or None
        Two-sided, against no trend.
    periods : int
        Periods used.
    method : str
        Name of the test.
    reasons : tuple of str
        Reason codes where there is nothing to test.
    """

    slope: float | None
    tau: float | None
    statistic: float | None
    p_value: float | None
    periods: int
    method: str
    reasons: tuple[str, ...] = ()


def cochran_armitage(events: ArrayLike, n: ArrayLike, *, scores: ArrayLike | None = None) -> Trend:
    """Cochran–Armitage test of a linear trend of proportions.

    ``(Σ x (s − s̄))² / (p q Σ n (s − s̄)²)`` with s̄ the mean score weighted by n, p the overall proportion.

    Parameters
    ----------
    events, n : array_like
        Events and totals per period or class, in order, shape (k,). Those with `n` of 0 drop out.
    scores : array_like, optional
        Positions, shape (k,); 0, 1, 2, … without them.

    Returns
    -------
    Trend
        `slope` is the weighted least-squares change of the proportion per unit of score. ``None`` with
        reason ``too_few_periods`` (fewer than two) or ``no_variation`` (no events, or nothing but events).

    Raises
    ------
    AnalysisError
        For impossible counts, or scores that are not k finite numbers.

    References
    ----------
    Cochran (1954), Biometrics 10, 417–451; Armitage (1955), Biometrics 11, 375–386.

    Examples
    --------
    >>> t = cochran_armitage([83, 90, 129, 70], [86, 93, 136, 82])
    >>> f"{t.slope:.4f} {t.statistic:.4f} {t.p_value:.4f}"
    '-0.0334 8.2249 0.0041'
    """
    x, total = (np.atleast_1d(values) for values in checked_counts(events, n))
    s = np.arange(x.size, dtype=float) if scores is None else np.asarray(scores, float)
    if x.ndim != 1 or s.shape != x.shape or not np.isfinite(s).all():
        raise AnalysisError(
            f"scores must hold one finite number per period, {x.size} in all; got {scores!r}."
        )
    seen = total > 0
    x, total, s = x[seen], total[seen], s[seen]
    method = "Cochran–Armitage"
    if np.unique(s).size < 2:
        return Trend(None, None, None, None, x.size, method, ("too_few_periods",))
    p = float(x.sum() / total.sum())
    if not 0 < p < 1:
        return Trend(None, None, None, None, x.size, method, ("no_variation",))
    off = s - float(total @ s / total.sum())
    lever, square = float(x @ off), float(total @ off**2)
    statistic = lever**2 / (p * (1 - p) * square)
    return Trend(lever / square, None, statistic, float(chdtrc(1.0, statistic)), x.size, method)


def mann_kendall(y: ArrayLike) -> Trend:
    """Mann–Kendall test of a monotone trend over equally spaced periods.

    ``S = Σ sign(y_j − y_i)`` over pairs i < j; the p-value is normal, with the variance corrected for ties
    and S brought one step nearer to zero.

    Parameters
    ----------
    y : array_like
        Finite values in order of time, shape (periods,).

    Returns
    -------
    Trend
        `slope` is Sen's: the median change per period over all pairs. ``None`` with reason
        ``too_few_periods`` (fewer than three) or ``no_variation``.

    Raises
    ------
    AnalysisError
        For values that are not finite.

    References
    ----------
    Mann (1945), Econometrica 13, 245–259; Kendall (1975), Rank Correlation Methods; Sen (1968),
    J. Am. Stat. Assoc. 63, 1379–1389.

    Examples
    --------
    >>> t = mann_kendall([1, 3, 2, 5, 6, 8, 7])
    >>> f"{t.tau:.3f} {t.slope:.2f} {t.p_value:.4f}"
    '0.810 1.25 0.0163'
    """
    values = np.asarray(y, float)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise AnalysisError("y must hold one finite number per period, in order of time.")
    size, method = values.size, "Mann–Kendall"
    if size < 3:
        return Trend(None, None, None, None, size, method, ("too_few_periods",))
    earlier, later = np.triu_indices(size, 1)
    change = values[later] - values[earlier]
    if not change.any():
        return Trend(None, None, None, None, size, method, ("no_variation",))
    score = float(np.sign(change).sum())
    ties = np.unique(values, return_counts=True)[1].astype(float)
    pairs, tied = size * (size - 1) / 2, float((ties * (ties - 1)).sum()) / 2
    variance = (size * (size - 1) * (2 * size + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    statistic = math.copysign(max(abs(score) - 1, 0), score) / math.sqrt(variance)
    return Trend(
        slope=finite_or_none(float(np.median(change / (later - earlier)))),
        tau=score / math.sqrt(pairs * (pairs - tied)),
        statistic=statistic,
        p_value=2 * float(ndtr(-abs(statistic))),
        periods=size,
        method=method,
    )
