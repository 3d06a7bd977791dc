"""Do two or more people judge alike? Agreement beyond chance, and what chance was taken to be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import AnalysisError
from analysis.results import Interval, finite_or_none
from analysis.stats.bounds import Floats, checked_level, whole
from analysis.stats.pooled import limits

Weights = Literal["unweighted", "linear", "quadratic"]
Scale = Literal["nominal", "ordinal", "interval"]


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa of two raters.

    Parameters
    ----------
    estimate, se : float or None
        Kappa and its large-sample error; ``None`` where chance alone gives full agreement.
    interval : Interval or None
        ``None`` where the error is zero (perfect agreement is no certainty).
    agreement : float or None
        Observed (weighted) agreement.
    gwet : float or None
        Gwet's AC1 (AC2 with weights), which stays sensible where nearly all units are of one class.
    prevalence, bias : float or None
        For two classes: difference of the two agreeing cells, and of the two margins, as fractions.
    n : int
        Units rated.
    weights : {"unweighted", "linear", "quadratic"}
        How near misses count.
    """

    estimate: float | None
    se: float | None
    interval: Interval | None
    agreement: float | None
    gwet: float | None
    prevalence: float | None
    bias: float | None
    n: int
    weights: Weights
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alpha:
    """Krippendorff's alpha.

    `estimate` is ``None`` where every rating is the same value. `units` counts those with at least two ratings,
    `pairable` their ratings; `observed` and `expected` are the mean disagreements.
    """

    estimate: float | None
    observed: float | None
    expected: float | None
    units: int
    pairable: int
    scale: Scale
    reasons: tuple[str, ...] = ()


def cohen_kappa(table: ArrayLike, *, weights: Weights = "unweighted", level: float = 0.95) -> Kappa:
    """Cohen's kappa from a table of two raters' classes.

    ``(p_o − p_e)/(1 − p_e)`` with agreement weights 1 on the diagonal and, for weighted kappa, ``1 − d/(k−1)``
    or ``1 − (d/(k−1))²`` at distance d. The error is Fleiss, Cohen and Everitt's for kappa other than zero.

    Parameters
    ----------
    table : array_like
        Units by class of the first (rows) and second rater (columns), shape (k, k), classes in order.
    weights : {"unweighted", "linear", "quadratic"}
        Whether near misses count in part.
    level : float
        Confidence level.

    Returns
    -------
    Kappa

    Raises
    ------
    AnalysisError
        For impossible counts, a table that is not square, other weights or a level outside (0, 1).

    References
    ----------
    Cohen (1960), Educ. Psychol. Meas. 20, 37–46; Fleiss, Cohen & Everitt (1969), Psychol. Bull. 72, 323–327;
    Gwet (2008), Br. J. Math. Stat. Psychol. 61, 29–48.

    Examples
    --------
    >>> k = cohen_kappa([[118, 5], [2, 0]])
    >>> f"{k.agreement:.3f} {k.estimate:.4f} {k.gwet:.3f}"
    '0.944 -0.0234 0.941'
    """
    counts = whole("the counts of a table", table)
    checked_level(level)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1] or counts.shape[0] < 1:
        raise AnalysisError(f"a table of agreement is square, shape (k, k); got {counts.shape}.")
    n, k = float(counts.sum()), counts.shape[0]
    credit = _credit(k, weights)
    if n == 0:
        return Kappa(None, None, None, None, None, None, None, 0, weights, ("zero_denominator",))
    p = counts / n
    row, column = p.sum(axis=1), p.sum(axis=0)
    agreement, chance = float((credit * p).sum()), float(row @ credit @ column)
    half = (row + column) / 2
    by_lot = float(credit.sum() * (half * (1 - half)).sum() / (k * (k - 1))) if k > 1 else 1.0
    prevalence = float(abs(p[0, 0] - p[1, 1])) if k == 2 else None
    bias = float(abs(p[0, 1] - p[1, 0])) if k == 2 else None
    gwet = (agreement - by_lot) / (1 - by_lot) if by_lot < 1 else None
    if 1 - chance < 1e-12:
        return Kappa(
            None, None, None, agreement, gwet, prevalence, bias, round(n), weights, ("no_variation",)
        )
    kappa = (agreement - chance) / (1 - chance)
    # The mean credit a unit of class i (or j) could expect from the other rater.
    expected = (credit @ column)[:, None] + (row @ credit)[None]
    spread = float((p * (credit - expected * (1 - kappa)) ** 2).sum()) - (kappa - chance * (1 - kappa)) ** 2
    se = math.sqrt(max(spread, 0.0) / n) / (1 - chance)
    se = se if se > 1e-9 else 0.0
    low, high, _ = limits(kappa, se, level=level)
    interval = None if math.isnan(low) else Interval(max(low, -1.0), min(high, 1.0), level, "kappa, normal")
    return Kappa(
        kappa,
        se,
        interval,
        agreement,
        gwet,
        prevalence,
        bias,
        round(n),
        weights,
        () if interval else ("no_variation",),
    )


def krippendorff_alpha(
    ratings: ArrayLike, *, scale: Scale = "nominal", alike: ArrayLike | None = None
) -> Alpha:
    """Krippendorff's alpha: agreement of any number of raters, with ratings missing at will.

    ``1 − D_o/D_e``: D_o the mean disagreement of ratings of one unit (each unit weighted by its ratings), D_e
    that of all pairable ratings. Disagreement is 1 between different values (nominal), the squared difference
    (interval), or the squared number of ratings between, ends counting half (ordinal).

    Parameters
    ----------
    ratings : array_like
        Values by rater (rows) and unit (columns), shape (raters, units), NaN where missing.
    scale : {"nominal", "ordinal", "interval"}
        How far apart two values are.
    alike : array_like of int, optional
        How many units were rated as each column says, shape (units,); without it, one.

    Returns
    -------
    Alpha

    Raises
    ------
    AnalysisError
        For infinite ratings, another shape or another scale, or impossible numbers of units.

    References
    ----------
    Krippendorff (2011), Computing Krippendorff's Alpha-Reliability, University of Pennsylvania.

    Examples
    --------
    >>> a = krippendorff_alpha([[1, 2, 3, 3, np.nan], [1, 2, 3, 4, 2], [np.nan, 3, 3, 3, 2]])
    >>> f"{a.estimate:.4f} {a.units} {a.pairable}"
    '0.5714 5 13'
    """
    values = np.asarray(ratings, float)
    if values.ndim != 2 or np.isinf(values).any():
        raise AnalysisError("ratings must hold one row per rater and one column per unit, NaN where missing.")
    if scale not in ("nominal", "ordinal", "interval"):
        raise AnalysisError(f"scale must be 'nominal', 'ordinal' or 'interval'; got {scale!r}.")
    each = np.ones(values.shape[1]) if alike is None else whole("the numbers of units alike", alike)
    if each.shape != values.shape[1:]:
        raise AnalysisError("there must be one number of units alike per column of the ratings.")
    given = ~np.isnan(values)
    paired = (given.sum(axis=0) >= 2) & (each > 0)
    values, given, each = values[:, paired], given[:, paired], each[paired]
    units, pairable = int(each.sum()), int((given.sum(axis=0) * each).sum())
    levels, code = np.unique(values[given], return_inverse=True)
    if levels.size < 2:
        reason = "no_variation" if units else "zero_denominator"
        return Alpha(None, None, None, units, pairable, scale, (reason,))
    times = np.zeros((each.size, levels.size))
    np.add.at(times, (np.nonzero(given)[1], code), 1.0)
    total = each @ times
    apart = _distance(levels, total, scale)
    ratings_of = times.sum(axis=1)
    # A rating is never paired with itself, but its distance to itself is zero anyway.
    observed = float(each @ (((times @ apart) * times).sum(axis=1) / (ratings_of - 1))) / pairable
    expected = float(total @ apart @ total) / (pairable * (pairable - 1))
    return Alpha(finite_or_none(1 - observed / expected), observed, expected, units, pairable, scale)


def _credit(k: int, weights: Weights) -> Floats:
    if weights not in ("unweighted", "linear", "quadratic"):
        raise AnalysisError(f"weights must be 'unweighted', 'linear' or 'quadratic'; got {weights!r}.")
    if weights == "unweighted" or k == 1:
        return np.eye(k)
    off = np.abs(np.subtract.outer(np.arange(k), np.arange(k))) / (k - 1)
    return np.asarray(1 - off ** (1 if weights == "linear" else 2))


def _distance(levels: Floats, total: Floats, scale: Scale) -> Floats:
    if scale == "nominal":
        return 1 - np.eye(levels.size)
    # Squared steps between places: the values themselves, or the middles of each value's ratings in order.
    place = levels if scale == "interval" else np.cumsum(total) - total / 2
    return np.asarray(np.subtract.outer(place, place) ** 2)
