"""One number or an average? Whether strata agree, and whether adjusting changes the story (Simpson)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.results import Interval
from analysis.stats.bounds import Floats, HypothesisTest
from analysis.stats.pooled import Pooled
from analysis.stats.strata import mh_difference, mh_odds_ratio, stacked

Adjustment = Literal["reversal", "sign_turned", "attenuation"]


def tarone(tables: ArrayLike) -> HypothesisTest:
    """Breslow–Day test that the odds ratio is one and the same, with Tarone's correction.

    ``Σ (a − E)²/V − (Σ(a − E))²/ΣV`` with E the count of arm-1 events that the Mantel–Haenszel odds ratio
    expects in a stratum, given its margins, and ``1/V`` the sum of the reciprocals of the four expected
    counts. Strata with an empty margin drop out; df is one less than the strata left.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).

    Returns
    -------
    HypothesisTest
        0-d. NaN where no common odds ratio exists; of one stratum the statistic is 0 and the p-value NaN.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Breslow & Day (1980), IARC Sci. Publ. 32, p. 142; Tarone (1985), Biometrika 72, 91–95.

    Examples
    --------
    >>> t = tarone([[[647, 622], [2, 27]], [[41, 28], [19, 32]]])
    >>> f"{t.statistic:.4f} {t.p_value:.4f}"
    '5.1746 0.0229'
    """
    a, b, c, d = stacked(tables)
    informative = np.minimum(np.minimum(a + b, c + d), np.minimum(a + c, b + d)) > 0
    a, b, c, d = a[informative], b[informative], c[informative], d[informative]
    common = mh_odds_ratio(np.stack([a, b, c, d], -1).reshape(-1, 2, 2))
    df = max(a.size - 1, 0)
    statistic = math.nan
    if common.se is not None and common.estimate is not None:
        expected = _expected_events(a + b, c + d, a + c, common.estimate)
        variance = 1 / (
            1 / expected + 1 / (a + b - expected) + 1 / (a + c - expected) + 1 / (c + d - (a + c) + expected)
        )
        off = a - expected
        statistic = max(0.0, float((off**2 / variance).sum() - off.sum() ** 2 / variance.sum()))
    p_value = float(chdtrc(df, statistic)) if df else math.nan
    return HypothesisTest(
        np.asarray(statistic), np.asarray(p_value), "Breslow–Day–Tarone", np.asarray(float(df))
    )


def difference_homogeneity(tables: ArrayLike) -> HypothesisTest:
    """Cochran's Q: whether the difference of proportions is the same in every stratum.

    ``Σ (d_s − d̄)²/v_s`` with d̄ the mean weighted by 1/v_s. In the variances ``p̃(1−p̃)/n`` each proportion is
    ``(x + ½)/(n + 1)``, so that a stratum without events has a variance above zero and cannot take all the
    weight.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2); strata with an empty arm drop out.

    Returns
    -------
    HypothesisTest
        0-d, on one degree less than the strata used; NaN with fewer than two strata.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Cochran (1954), Biometrics 10, 101–129.

    Examples
    --------
    >>> t = difference_homogeneity([[[20, 80], [10, 90]], [[10, 90], [20, 80]]])
    >>> f"{t.statistic:.3f} {t.p_value:.4f}"
    '7.845 0.0051'
    """
    a, b, c, d = stacked(tables)
    n1, n0 = a + b, c + d
    used = (n1 > 0) & (n0 > 0)
    df = int(used.sum()) - 1
    if df < 1:
        nan = np.asarray(math.nan)
        return HypothesisTest(nan, nan, "Cochran Q", np.asarray(0.0))
    a, c, n1, n0 = a[used], c[used], n1[used], n0[used]
    difference = a / n1 - c / n0
    weight = 1 / (floored_variance(a, n1) + floored_variance(c, n0))
    mean = (weight * difference).sum() / weight.sum()
    statistic = (weight * (difference - mean) ** 2).sum()
    return HypothesisTest(
        np.asarray(statistic), np.asarray(chdtrc(float(df), statistic)), "Cochran Q", np.asarray(float(df))
    )


def floored_variance(events: ArrayLike, n: ArrayLike) -> Floats:
    """Variance of a proportion that is above zero even without events: ``p̃(1 − p̃)/n`` with ``p̃ = (x + ½)/(n + 1)``.

    >>> floored_variance([0, 20], [20, 100]).round(6)
    array([0.001162, 0.001618])
    """
    x, size = np.asarray(events, float), np.asarray(n, float)
    p = (x + 0.5) / (size + 1)
    return np.asarray(p * (1 - p) / size)


@dataclass(frozen=True, slots=True)
class Simpson:
    """The same comparison without and with strata.

    `crude_difference` and `crude_odds_ratio` come from the summed table; `pooled` are Mantel–Haenszel.
    `reason` is ``"reversal"``, ``"sign_turned"``, ``"attenuation"`` or ``None`` (see `adjustment_effect`).
    """

    crude_difference: float | None
    crude_odds_ratio: float | None
    pooled_difference: Pooled
    pooled_odds_ratio: Pooled
    reason: Adjustment | None


def simpson(tables: ArrayLike, *, level: float = 0.95) -> Simpson:
    """Crude against pooled, and whether strata turn or shrink the crude difference.

    The reason compares like with like: the crude side of it uses only strata where both arms occur, those
    that the pooled estimate speaks of. The crude numbers reported use all.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2).
    level : float
        Confidence level of the intervals that decide on a reversal.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Simpson (1951), J. R. Stat. Soc. B 13, 238–241; Bickel, Hammel & O'Connell (1975), Science 187, 398–404.

    Examples
    --------
    >>> s = simpson([[[80, 20], [9, 1]], [[2, 8], [30, 70]]])
    >>> f"{s.crude_difference:.2f} {s.pooled_difference.estimate:.2f} {s.reason}"
    '0.39 -0.10 sign_turned'
    """
    t = np.stack(stacked(tables), -1).reshape(-1, 2, 2)
    both = (t.sum(axis=2) > 0).all(axis=1)
    whole = t.sum(axis=0, keepdims=True)
    comparable = mh_difference(t[both].sum(axis=0, keepdims=True), level=level)
    adjusted = mh_difference(t, level=level)
    reason = adjustment_effect(comparable.estimate, comparable.interval, adjusted.estimate, adjusted.interval)
    return Simpson(
        crude_difference=mh_difference(whole, level=level).estimate,
        crude_odds_ratio=mh_odds_ratio(whole, level=level).estimate,
        pooled_difference=adjusted,
        pooled_odds_ratio=mh_odds_ratio(t, level=level),
        reason=reason,
    )


def adjustment_effect(
    crude: float | None,
    crude_interval: Interval | None,
    adjusted: float | None,
    adjusted_interval: Interval | None,
    *,
    no_effect: float = 0.0,
) -> Adjustment | None:
    """What adjusting did to an effect, as a reason code.

    ``"reversal"``: opposite signs and both intervals exclude no effect. ``"sign_turned"``: opposite signs, but only
    the crude interval excludes no effect. ``"attenuation"``: the crude interval excludes no effect and adjusting
    removes more than half of it. A crude effect that may be noise is none of them. For ratios pass logarithms, or
    ``no_effect=1``.

    Examples
    --------
    >>> adjustment_effect(0.14, Interval(0.11, 0.17), 0.02, Interval(-0.01, 0.05))
    'attenuation'
    >>> adjustment_effect(0.14, Interval(0.11, 0.17), -0.02, Interval(-0.05, 0.01))
    'sign_turned'
    >>> adjustment_effect(0.14, Interval(0.11, 0.17), -0.09, Interval(-0.13, -0.05))
    'reversal'
    """
    if crude is None or adjusted is None or crude_interval is None or crude_interval.contains(no_effect):
        return None
    before, after = crude - no_effect, adjusted - no_effect
    certain = adjusted_interval is not None and not adjusted_interval.contains(no_effect)
    if before * after < 0:
        return "reversal" if certain else "sign_turned"
    return "attenuation" if after * math.copysign(1, before) < abs(before) / 2 else None


def _expected_events(n1: Floats, n0: Floats, events: Floats, odds_ratio: float) -> Floats:
    # The root of e(n0 − events + e) = OR (n1 − e)(events − e) between the bounds of e, in whichever of its
    # two forms has no difference of near-equal numbers; the first needs no case for an odds ratio of 1.
    b = odds_ratio * (n1 + events) + (n0 - events)
    root = np.sqrt(np.maximum(b**2 - 4 * (odds_ratio - 1) * odds_ratio * n1 * events, 0))
    plain = b >= 0
    other = (b - root) / (2 * np.where(plain, -1.0, odds_ratio - 1))
    return np.where(plain, 2 * odds_ratio * n1 * events / np.where(plain, b + root, 1.0), other)
