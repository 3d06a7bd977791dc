"""One effect from groups that may truly differ: random-effects pooling of estimates with known variances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, stdtrit

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.pooled import limits

Tau2 = Literal["DL", "PM"]


@dataclass(frozen=True, slots=True)
class RandomEffects:
    """A random-effects mean.

    Parameters
    ----------
    estimate, se : float or None
        Mean of the groups' true effects and its error, on the scale given.
    interval : Interval or None
        Of the mean.
    p_value : float or None
        Two-sided, against a mean of zero.
    tau2 : float or None
        Variance of the true effects between groups.
    tau2_method : {"DL", "PM"}
        DerSimonian–Laird or Paule–Mandel.
    q, q_p : float or None
        Cochran's statistic of equal effects and its p-value.
    i2 : float or None
        Share of the spread that is not chance, in [0, 1).
    prediction : Interval or None
        Where the true effect of a further group is expected; needs three groups.
    groups : int
        Number of groups.
    reasons : tuple of str
        ``small_numbers`` with fewer than three groups.
    """

    estimate: float | None
    se: float | None
    interval: Interval | None
    p_value: float | None
    tau2: float | None
    tau2_method: Tau2
    q: float | None
    q_p: float | None
    i2: float | None
    prediction: Interval | None
    groups: int
    reasons: tuple[str, ...] = ()


def random_effects(
    effects: ArrayLike,
    variances: ArrayLike,
    *,
    method: Tau2 = "PM",
    level: float = 0.95,
    tolerance: float = 1e-12,
) -> RandomEffects:
    """Random-effects mean of group effects, weighted by ``1/(v + τ²)``.

    τ² is moment-based: DerSimonian–Laird equates Cochran's Q under fixed weights with its expectation,
    Paule–Mandel the generalised Q with k − 1. Both are 0 where the effects differ no more than by chance.

    Parameters
    ----------
    effects, variances : array_like
        Effects on an additive scale (logarithms of ratios) and their variances, shape (groups,).
    method : {"PM", "DL"}
        How τ² is estimated.
    level : float
        Confidence level.
    tolerance : float
        How closely Paule–Mandel's τ² is solved for (R's metafor stops at 1.2e-4).

    Returns
    -------
    RandomEffects
        All ``None`` with reason ``small_numbers`` of no group.

    Raises
    ------
    AnalysisError
        For numbers that are not finite, variances not above zero, unequal lengths, another method, or a
        level outside (0, 1).

    References
    ----------
    DerSimonian & Laird (1986), Control. Clin. Trials 7, 177–188; Paule & Mandel (1982), J. Res. Natl. Bur.
    Stand. 87, 377–385; Higgins, Thompson & Spiegelhalter (2009), J. R. Stat. Soc. A 172, 137–159.

    Examples
    --------
    >>> r = random_effects([-0.9, -1.6, -0.2, 0.4], [0.30, 0.19, 0.05, 0.53], method="DL")
    >>> f"{r.estimate:.3f} {r.se:.3f} {r.tau2:.3f}"
    '-0.624 0.412 0.452'
    """
    y, v = np.asarray(effects, float), np.asarray(variances, float)
    if (
        y.ndim != 1
        or y.shape != v.shape
        or not (np.isfinite(y).all() and np.isfinite(v).all() and (v > 0).all())
    ):
        raise AnalysisError(
            "effects and variances must be columns of equal length, finite, with variances above zero; "
            f"got {effects!r}, {variances!r}."
        )
    if method not in ("DL", "PM"):
        raise AnalysisError(f"method must be 'DL' or 'PM'; got {method!r}.")
    checked_level(level)
    k = y.size
    reasons = ("small_numbers",) if k < 3 else ()
    if not k:
        return RandomEffects(None, None, None, None, None, method, None, None, None, None, 0, reasons)
    q = _generalised_q(0.0, y, v)
    tau2 = (
        0.0 if q <= k - 1 else _dersimonian_laird(q, v) if method == "DL" else _paule_mandel(y, v, tolerance)
    )
    weight = 1 / (v + tau2)
    mean, se = float(weight @ y / weight.sum()), float(weight.sum()) ** -0.5
    low, high, p_value = limits(mean, se, level=level)
    prediction = None
    if k >= 3:
        reach = float(-stdtrit(k - 2, (1 - level) / 2)) * math.sqrt(tau2 + se**2)
        prediction = Interval(mean - reach, mean + reach, level, "prediction (t, k − 2)")
    return RandomEffects(
        estimate=mean,
        se=se,
        interval=Interval(low, high, level, f"random effects ({method})"),
        p_value=p_value,
        tau2=tau2,
        tau2_method=method,
        q=q,
        q_p=float(chdtrc(k - 1, q)) if k > 1 else None,
        i2=max(0.0, 1 - (k - 1) / q) if q > 0 else 0.0,
        prediction=prediction,
        groups=k,
        reasons=reasons,
    )


def _generalised_q(tau2: float, y: Floats, v: Floats) -> float:
    weight = 1 / (v + tau2)
    return float(weight @ (y - weight @ y / weight.sum()) ** 2)


def _dersimonian_laird(q: float, v: Floats) -> float:
    weight = 1 / v
    return (q - (v.size - 1)) / float(weight.sum() - (weight**2).sum() / weight.sum())


def _paule_mandel(y: Floats, v: Floats, tolerance: float) -> float:
    from scipy.optimize import brentq

    # Q falls with τ² and is below k − 1 once τ² exceeds the sum of squares about the mean.
    most = max(100.0, float(((y - y.mean()) ** 2).sum()))
    return float(brentq(lambda tau2: _generalised_q(tau2, y, v) - (y.size - 1), 0.0, most, xtol=tolerance))
