"""Do groups differ in their time to an event? The log-rank test, with each group's median time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.errors import AnalysisError
from analysis.results import finite_or_none
from analysis.stats.bounds import Floats
from analysis.stats.pooled import amounts, coded
from analysis.stats.survival import SurvivalCurve, kaplan_meier


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test over groups.

    `statistic` is chi-square on `df` degrees of freedom, ``None`` (as `p_value`) where nothing can be tested.
    `groups` are the codes in ascending order, and by group: `n` observations, `observed` and `expected` events
    and the `median` time (NaN where half of the group was not seen to have the event).
    """

    statistic: float | None
    p_value: float | None
    df: int
    groups: Floats
    n: Floats
    observed: Floats
    expected: Floats
    median: Floats
    reasons: tuple[str, ...] = ()


def log_rank(time: ArrayLike, event: ArrayLike, group: ArrayLike, n: ArrayLike | None = None) -> LogRank:
    """Log-rank test that groups have the same survival, from counts.

    ``(O − E)' V⁻ (O − E)`` with expected events ``Σ d_j Y_gj/Y_j`` and the hypergeometric covariance.

    Parameters
    ----------
    time, event : array_like
        Times and whether the event happened then (1) or the observation ended without (0), shape (rows,).
    group : array_like
        Whole-number codes.
    n : array_like, optional
        How many such observations; 1 without it.

    Returns
    -------
    LogRank

    Raises
    ------
    AnalysisError
        For negative or non-finite numbers, events other than 0 and 1, or columns of unequal length.

    References
    ----------
    Mantel (1966), Cancer Chemother. Rep. 50, 163–170; Peto & Peto (1972), J. R. Stat. Soc. A 135, 185–206.

    Examples
    --------
    >>> t = log_rank([6, 7, 10, 15, 2, 3, 4, 9], [1, 0, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0, 0])
    >>> f"{t.statistic:.3f} {t.p_value:.4f}", t.median
    ('4.422 0.0355', array([ 3.5, 10. ]))
    """
    t, e, count = amounts(time=time, event=event, n=np.ones(np.shape(time)) if n is None else n)
    if not np.isin(e, (0, 1)).all():
        raise AnalysisError(f"event must be 0 or 1; got {e[~np.isin(e, (0, 1))][0]:g}.")
    codes, number = coded(group, t.size, "group")
    curves = [kaplan_meier(t[codes == g], e[codes == g], count[codes == g]) for g in range(number)]
    times, index = np.unique(t, return_inverse=True)
    shape = (number, times.size)
    leaving, deaths = np.zeros(shape), np.zeros(shape)
    np.add.at(leaving, (codes, index), count)
    np.add.at(deaths, (codes, index), count * e)
    at_risk = leaving[:, ::-1].cumsum(axis=1)[:, ::-1]
    total, died = at_risk.sum(axis=0), deaths.sum(axis=0)
    seen = died > 0
    at_risk, total, died = at_risk[:, seen], total[seen], died[seen]
    share = at_risk / total
    expected = np.asarray((share * died).sum(axis=1))
    spread = died * (total - died) / np.maximum(total - 1, 1)
    covariance = np.diag((share * spread).sum(axis=1)) - (share * spread) @ share.T
    observed = np.asarray(deaths.sum(axis=1))
    # The last group's row follows from the others; a group never at risk at an event says nothing.
    told = np.flatnonzero(np.diag(covariance) > 1e-12)
    df, statistic, p = max(told.size - 1, 0), np.nan, np.nan
    if df:
        kept = told[:-1]
        off = (observed - expected)[kept]
        statistic = float(off @ np.linalg.solve(covariance[np.ix_(kept, kept)], off))
        p = float(chdtrc(df, statistic))
    return LogRank(
        statistic=finite_or_none(statistic),
        p_value=finite_or_none(p),
        df=df,
        groups=np.unique(np.asarray(group, float)),
        n=np.array([float(curve.n) for curve in curves]),
        observed=observed,
        expected=expected,
        median=np.array([median_time(curve) for curve in curves]),
        reasons=() if df else ("too_few_events",),
    )


def median_time(curve: SurvivalCurve) -> float:
    """Time by which half had the event; NaN where that was not reached.

    Where the curve is flat at exactly one half, the midpoint of the flat piece.

    >>> median_time(kaplan_meier([2, 3, 4, 9], [1, 1, 1, 1], [1, 1, 1, 1]))
    3.5
    """
    # Products of fractions miss one half by rounding.
    hair = 1e-8
    at = np.flatnonzero(curve.survival < 0.5 + hair)
    if not at.size:
        return float("nan")
    first = int(at[0])
    flat = abs(float(curve.survival[first]) - 0.5) < hair
    if flat and first + 1 < curve.time.size:
        return float(curve.time[first] + curve.time[first + 1]) / 2
    return float(curve.time[first])
