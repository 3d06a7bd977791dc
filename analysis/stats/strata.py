"""Like with like: Mantel–Haenszel estimates over strata of 2×2 tables.

Each stratum is a table with rows arm 1 (virtual), arm 0 (in person) and columns events, non-events; arrays
of strata have shape (K, 2, 2). A stratum with an empty arm has weight zero in every estimate and is counted
as dropped. A stratum without events keeps its weight in the difference (it says: no difference there) and
cannot speak on ratios.

All of these treat observations as independent. For rates summed over validations, or validations of few
specialists, use `analysis.stats.rates`.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, HypothesisTest
from analysis.stats.pooled import Basis, Pooled, amounts, basis, pooled
from analysis.stats.tables import cells


def mh_difference(tables: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Mantel–Haenszel difference of proportions with Sato's variance.

    ``Σ w_s (p1s − p0s) / Σ w_s`` with ``w_s = n1s n0s / N_s``. Sato's variance holds both for a few large
    strata and for many small ones.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        A difference as a fraction. No interval where nothing varies (no events, or nothing but events).

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Mantel & Haenszel (1959), J. Natl. Cancer Inst. 22, 719–748; Sato (1989), Biometrics 45, 1323–1324.

    Examples
    --------
    >>> p = mh_difference([[[21, 443], [26, 427]], [[11, 154], [25, 149]], [[8, 61], [11, 59]]])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}]"
    '-0.0308 [-0.0579, -0.0037]'
    """
    a, b, c, d, rests_on = _usable(tables)
    if not a.size:
        return pooled(math.nan, math.nan, level=level, method="", reasons=("arm_empty",), basis=rests_on)
    n1, n0 = a + b, c + d
    total = n1 + n0
    f1, f0 = n1 / total, n0 / total
    weight = (n1 * f0).sum()
    # a n0 − c n1 written as a d − c b: exactly zero where nothing varies.
    estimate = (a * (d / total) - c * (b / total)).sum() / weight
    lopsided = (c * f1**2 - a * f0**2 + f1 * f0 * (n0 - n1) / 2).sum()
    mixed = (a * (d / total) + c * (b / total)).sum() / 2
    variance = max((estimate * lopsided + mixed) / weight**2, 0.0)
    reasons = () if variance > 0 else ("too_few_events",)
    return pooled(
        estimate,
        math.sqrt(variance),
        level=level,
        method="Mantel–Haenszel (Sato)",
        reasons=reasons,
        within=(-1.0, 1.0),
        basis=rests_on,
    )


def mh_ratio(tables: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Mantel–Haenszel ratio of proportions with the Greenland–Robins variance of its logarithm.

    ``Σ a n0/N / Σ c n1/N`` with a and c the events of arms 1 and 0.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        A ratio; its `se` is that of the logarithm. Without events in arm 1 the estimate is 0 without an
        interval, without events in arm 0 there is none.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Greenland & Robins (1985), Biometrics 41, 55–68.

    Examples
    --------
    >>> p = mh_ratio([[[647, 622], [2, 27]], [[41, 28], [19, 32]]])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}]"
    '2.4751 [1.5831, 3.8698]'
    """
    a, b, c, d, rests_on = _usable(tables)
    n1, n0 = a + b, c + d
    total = n1 + n0
    f1, f0 = n1 / total, n0 / total
    top, bottom = float((a * f0).sum()), float((c * f1).sum())
    # n1 n0 (a + c) − N a c written as n1 a d + n0 c b: exactly zero where nothing varies.
    spread = float((f1 * a * (d / total) + f0 * c * (b / total)).sum())
    return _log_ratio(
        top, bottom, spread, method="Mantel–Haenszel (Greenland–Robins)", level=level, rests_on=rests_on
    )


def mh_odds_ratio(tables: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Mantel–Haenszel odds ratio with the Robins–Breslow–Greenland variance of its logarithm.

    ``Σ a d/N / Σ b c/N``.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        An odds ratio; its `se` is that of the logarithm. Estimate 0 without an interval where ``Σ ad/N``
        is zero, none where ``Σ bc/N`` is.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Robins, Breslow & Greenland (1986), Biometrics 42, 311–323.

    Examples
    --------
    >>> p = mh_odds_ratio([[[647, 622], [2, 27]], [[41, 28], [19, 32]]])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}]"
    '4.5239 [2.4171, 8.4671]'
    """
    a, b, c, d, rests_on = _usable(tables)
    total = a + b + c + d
    agree, differ = (a + d) / total, (b + c) / total
    r, s = a * (d / total), b * (c / total)
    top, bottom = float(r.sum()), float(s.sum())
    spread = 0.0
    if top > 0 and bottom > 0:
        # _log_ratio divides by top·bottom.
        spread = (
            float(
                (agree * r).sum() * bottom / top
                + (agree * s + differ * r).sum()
                + (differ * s).sum() * top / bottom
            )
            / 2
        )
    return _log_ratio(top, bottom, spread, method="Mantel–Haenszel (RBG)", level=level, rests_on=rests_on)


def mh_rate_ratio(
    events_1: ArrayLike, time_1: ArrayLike, events_0: ArrayLike, time_0: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Mantel–Haenszel ratio of event rates per time at risk, with the Greenland–Robins variance.

    ``Σ x1 t0/T / Σ x0 t1/T`` with T = t1 + t0; events are taken as Poisson.

    Parameters
    ----------
    events_1, time_1, events_0, time_0 : array_like
        Events and time at risk per stratum, shape (K,), arm 1 (virtual) and arm 0 (in person).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        A ratio; its `se` is that of the logarithm, its `n` the events.

    Raises
    ------
    AnalysisError
        For negative or non-finite amounts, columns of unequal length, or a level outside (0, 1).

    References
    ----------
    Greenland & Robins (1985), Biometrics 41, 55–68.

    Examples
    --------
    >>> p = mh_rate_ratio([4, 10, 3], [1000, 2500, 800], [9, 14, 2], [1200, 2000, 900])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}]"
    '0.6413 [0.3463, 1.1873]'
    """
    x1, t1, x0, t0 = amounts(
        events_1=np.atleast_1d(events_1),
        time_1=np.atleast_1d(time_1),
        events_0=np.atleast_1d(events_0),
        time_0=np.atleast_1d(time_0),
    )
    used = (t1 > 0) & (t0 > 0)
    rests_on = basis(x1 + x0, used)
    x1, t1, x0, t0 = x1[used], t1[used], x0[used], t0[used]
    f1, f0 = t1 / (t1 + t0), t0 / (t1 + t0)
    top, bottom = float((x1 * f0).sum()), float((x0 * f1).sum())
    spread = float((f1 * f0 * (x1 + x0)).sum())
    return _log_ratio(
        top, bottom, spread, method="Mantel–Haenszel (Greenland–Robins)", level=level, rests_on=rests_on
    )


def cmh_test(tables: ArrayLike) -> HypothesisTest:
    """Cochran–Mantel–Haenszel test of no association in any stratum, without continuity correction.

    ``(Σ a − E a)² / Σ Var a`` given all margins, on one degree of freedom. Strata of fewer than two
    observations or with an empty margin have no variance and drop out.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).

    Returns
    -------
    HypothesisTest
        0-d; NaN where no stratum has anything to test.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Cochran (1954), Biometrics 10, 417–451; Mantel & Haenszel (1959).

    Examples
    --------
    >>> t = cmh_test([[[647, 622], [2, 27]], [[41, 28], [19, 32]]])
    >>> f"{t.statistic:.4f} {t.p_value:.1e}"
    '24.9200 6.0e-07'
    """
    a, b, c, d, _ = _usable(tables)
    n1, n0, events, rest = a + b, c + d, a + c, b + d
    total = n1 + n0
    variance = (n1 * (n0 / total) * (events / total) * (rest / (total - 1))).sum()
    # (ad − bc)/N is a − E a without the cancellation.
    surplus = (a * (d / total) - b * (c / total)).sum()
    statistic = np.asarray(surplus**2 / variance if variance > 0 else math.nan)
    method = "Cochran–Mantel–Haenszel"
    return HypothesisTest(statistic, np.asarray(chdtrc(1.0, statistic)), method, np.asarray(1.0))


def stacked(tables: ArrayLike) -> tuple[Floats, Floats, Floats, Floats]:
    """The cells of strata, each of shape (K,).

    Raises
    ------
    AnalysisError
        When the shape is not (K, 2, 2) or a count is impossible.
    """
    a, b, c, d = cells(tables)
    if a.ndim != 1:
        raise AnalysisError(f"strata have shape (K, 2, 2); got {np.shape(tables)}.")
    return a, b, c, d


def _usable(tables: ArrayLike) -> tuple[Floats, Floats, Floats, Floats, Basis]:
    a, b, c, d = stacked(tables)
    used = (a + b > 0) & (c + d > 0)
    return a[used], b[used], c[used], d[used], basis(a + b + c + d, used)


def _log_ratio(
    top: float, bottom: float, spread: float, *, method: str, level: float, rests_on: Basis
) -> Pooled:
    if top > 0 and bottom > 0:
        se = math.sqrt(spread / top / bottom)
        reasons = () if se > 0 else ("too_few_events",)
        return pooled(
            math.log(top / bottom),
            se,
            scale="log",
            level=level,
            method=method,
            basis=rests_on,
            reasons=reasons,
        )
    # exp(−inf) is the ratio 0; infinity and 0/0 do not exist as numbers.
    value = -math.inf if bottom > 0 else math.nan
    reason = "ratio_needs_events" if rests_on.strata_used else "arm_empty"
    return pooled(value, math.nan, scale="log", level=level, method=method, reasons=(reason,), basis=rests_on)
