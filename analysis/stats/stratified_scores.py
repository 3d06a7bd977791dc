"""Score interval of a stratified difference: for few events per stratum, where a Wald interval is a guess."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level, normal_quantile
from analysis.stats.pooled import Pooled, basis
from analysis.stats.strata import stacked

# Halvings of an interval of length at most 1: ends at rounding.
_HALVINGS = 54


def stratified_miettinen_nurminen(tables: ArrayLike, *, level: float = 0.95) -> Pooled:
    """Mantel–Haenszel difference with the stratified Miettinen–Nurminen score interval.

    The limits are the differences δ at which ``Σ w (p̂1 − p̂0 − δ) / √Σ w² V(δ)`` equals ±z, with weights
    ``w = n1 n0/(n1 + n0)``, ``V = N/(N−1) · (p̃1(1−p̃1)/n1 + p̃0(1−p̃0)/n0)`` and p̃ the likeliest proportions
    of the stratum among those that differ by δ.

    Parameters
    ----------
    tables : array_like
        Shape (K, 2, 2); strata with an empty arm drop out.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Difference arm 1 minus arm 0, as a fraction in [−1, 1]; `se` is the error under no difference, and
        the p-value that of the score test of no difference. ``None`` with reason ``arm_empty`` where no
        stratum has both arms.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Miettinen & Nurminen (1985), Stat. Med. 4, 213–226.

    Examples
    --------
    >>> p = stratified_miettinen_nurminen([[[21, 443], [26, 427]], [[11, 154], [25, 149]], [[8, 61], [11, 59]]])
    >>> f"{p.estimate:.4f} [{p.interval.low:.4f}, {p.interval.high:.4f}]"
    '-0.0308 [-0.0589, -0.0037]'
    """
    a, b, c, d = stacked(tables)
    z = normal_quantile(checked_level(level))
    used = (a + b > 0) & (c + d > 0)
    rests_on = basis(a + b + c + d, used)
    if not used.any():
        return Pooled(
            None,
            None,
            "identity",
            None,
            None,
            rests_on.n,
            rests_on.n_dropped,
            0,
            rests_on.strata_dropped,
            reasons=("arm_empty",),
        )
    x1, n1, x0, n0 = a[used], (a + b)[used], c[used], (c + d)[used]
    weight = n1 * (n0 / (n1 + n0))
    weight = weight / weight.sum()
    estimate = float(weight @ (x1 / n1 - x0 / n0))

    def error(delta: float) -> float:
        p0 = _likeliest(delta, x1, n1, x0, n0)
        p1 = p0 + delta
        total = n1 + n0
        spread = total / (total - 1) * (p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
        return math.sqrt(max(float(weight**2 @ spread), 0.0))

    low = _edge(lambda delta: estimate - delta - z * error(delta), estimate, -1.0)
    high = _edge(lambda delta: delta - estimate - z * error(delta), estimate, 1.0)
    null = error(0.0)
    return Pooled(
        estimate=estimate,
        se=null,
        scale="identity",
        interval=Interval(low, high, level, "stratified Miettinen–Nurminen"),
        p_value=2 * float(ndtr(-abs(estimate) / null)) if null > 0 else None,
        n=rests_on.n,
        n_dropped=rests_on.n_dropped,
        strata_used=rests_on.strata_used,
        strata_dropped=rests_on.strata_dropped,
    )


def _edge(excess: Callable[[float], float], start: float, end: float) -> float:
    """Where between `start` and `end` the excess over what chance allows turns positive."""
    from scipy.optimize import brentq

    if excess(end) <= 0:
        return end
    # At a difference of ±1 nothing varies, so the estimate itself has no excess; the neighbouring ones show.
    start += (end - start) * 1e-9
    return start if excess(start) >= 0 else float(brentq(excess, start, end, xtol=1e-12, rtol=1e-12))


def _likeliest(delta: float, x1: Floats, n1: Floats, x0: Floats, n0: Floats) -> Floats:
    """The p0 of greatest likelihood when arm 1 has p0 + delta, stratum by stratum.

    The slope of the log likelihood falls with p0, so its root is found by halving; it needs no case for
    empty cells, where the likelihood peaks at an end.
    """
    low = np.full(x1.shape, max(0.0, -delta))
    high = np.full(x1.shape, min(1.0, 1.0 - delta))
    y1, y0 = n1 - x1, n0 - x0
    for _ in range(_HALVINGS):
        p0 = (low + high) / 2
        p1 = p0 + delta
        q1, q0 = 1 - p1, 1 - p0
        # Multiplied out so that nothing is divided by zero at the ends.
        slope = (x1 * q1 - y1 * p1) * p0 * q0 + (x0 * q0 - y0 * p0) * p1 * q1
        rising = slope > 0
        low, high = np.where(rising, p0, low), np.where(rising, high, p0)
    return np.asarray((low + high) / 2)
