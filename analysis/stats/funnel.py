"""Which unit lies outside what chance, and the usual spread between units, explain? Limits and scores of a funnel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analysis.errors import AnalysisError
from analysis.stats.bounds import Bounds, Floats, checked_counts, checked_level, whole


@dataclass(frozen=True, slots=True)
class Overdispersion:
    """Units' distances from a target, before and after allowing for the usual spread between units.

    Arrays have shape (units,), NaN for units without observations: `z` on the variance-stabilised scale,
    `z_winsorised` with the extreme ones pulled in, `z_adjusted` with `tau2` added to each unit's variance and
    its two-sided `p_adjusted`. `phi` is the mean square of the winsorised z, above 1 for more than chance;
    ``None`` (as `tau2`) without units.
    """

    z: Floats
    z_winsorised: Floats
    z_adjusted: Floats
    p_adjusted: Floats
    target: float | None
    phi: float | None
    tau2: float | None
    units: int
    reasons: tuple[str, ...] = ()


def funnel_limits_exact(n: ArrayLike, target: float, *, level: float = 0.95) -> Bounds:
    """Exact binomial limits of a funnel: the numbers of events between which a unit is expected.

    The (1 − level)/2 and (1 + level)/2 quantiles of Binomial(n, target).

    Parameters
    ----------
    n : array_like
        Observations per unit (whole numbers).
    target : float
        The rate units are compared with.
    level : float
        Probability of the limits: 0.95 and 0.998 by custom.

    Returns
    -------
    Bounds
        Counts of events (not rates), `estimate` the expected count.

    Raises
    ------
    AnalysisError
        For impossible sizes, a target outside [0, 1] or a level outside (0, 1).

    References
    ----------
    Spiegelhalter (2005), Stat. Med. 24, 1185–1202.

    Examples
    --------
    >>> b = funnel_limits_exact([10, 50, 200], 0.2)
    >>> b.low, b.high
    (array([ 0.,  5., 29.]), array([ 5., 16., 51.]))
    """
    from scipy.stats import binom

    size, tail = whole("n", n), (1 - checked_level(level)) / 2
    if not 0 <= target <= 1:
        raise AnalysisError(f"target must lie between 0 and 1; got {target!r}.")
    low = np.asarray(binom.ppf(tail, size, target))
    return Bounds(size * target, low, np.asarray(binom.ppf(1 - tail, size, target)), level, "binomial funnel")


def funnel_observed_expected(observed: ArrayLike, expected: ArrayLike) -> Floats:
    """Distance of observed from expected events on the square-root scale: ``2 (√O − √E)``.

    Parameters
    ----------
    observed : array_like
        Events (whole numbers), broadcast against `expected`.
    expected : array_like
        Expected events, above 0; NaN in the answer where 0.

    Returns
    -------
    ndarray
        Roughly standard normal where only chance is at work.

    Raises
    ------
    AnalysisError
        For impossible counts or negative expectations.

    References
    ----------
    Spiegelhalter (2005), Stat. Med. 24, 1185–1202.

    Examples
    --------
    >>> funnel_observed_expected([5, 12], [7.2, 8.1]).round(3)
    array([-0.894,  1.236])
    """
    seen, wanted = whole("observed", observed), np.asarray(expected, float)
    if not ((wanted >= 0) & (wanted < np.inf)).all():
        raise AnalysisError(f"expected must be finite numbers of at least 0; got {expected!r}.")
    return np.asarray(np.where(wanted > 0, 2 * (np.sqrt(seen) - np.sqrt(wanted)), np.nan))


def funnel_overdispersion(
    events: ArrayLike, n: ArrayLike, *, target: float | None = None, trim: float = 0.1
) -> Overdispersion:
    """Scores of units' proportions with Spiegelhalter's correction for overdispersion.

    ``z = (asin √(x/n) − asin √target) · 2√n``. With z winsorised at its `trim` and 1 − `trim` quantiles, phi is
    its mean square, ``τ² = (I phi − (I − 1))/(Σw − Σw²/Σw)`` with w = 4n (0 where negative), and the adjusted
    score divides by ``√(1/4n + τ²)``.

    Parameters
    ----------
    events, n : array_like
        Events and totals per unit (whole numbers), shape (units,). Units with `n` of 0 take no part.
    target : float, optional
        The rate compared with; all units' together without it.
    trim : float
        Share winsorised at either end, in [0, 0.5).

    Returns
    -------
    Overdispersion

    Raises
    ------
    AnalysisError
        For impossible counts, or a target or trim outside its range.

    References
    ----------
    Spiegelhalter (2005), Qual. Saf. Health Care 14, 347–351; Spiegelhalter et al. (2012), J. R. Stat. Soc. A
    175, 1–47.

    Examples
    --------
    >>> f = funnel_overdispersion([12, 30, 8, 45, 22], [80, 150, 60, 160, 140])
    >>> f.z.round(2), round(f.phi, 3), round(f.tau2, 5)
    (array([-1.14,  0.05, -1.36,  2.47, -1.28]), 1.389, 0.00161)
    """
    x, size = (np.atleast_1d(values) for values in checked_counts(events, n))
    if not 0 <= trim < 0.5:
        raise AnalysisError(f"trim must be at least 0 and below 0.5; got {trim!r}.")
    if target is not None and not 0 <= target <= 1:
        raise AnalysisError(f"target must lie between 0 and 1; got {target!r}.")
    used = size > 0
    blank = np.full(x.shape, np.nan)
    if not used.any():
        return Overdispersion(blank, blank, blank, blank, target, None, None, 0, ("zero_denominator",))
    aim = float(x.sum() / size.sum()) if target is None else target
    weight = 4 * size[used]
    z = (np.arcsin(np.sqrt(x[used] / size[used])) - math.asin(math.sqrt(aim))) * np.sqrt(weight)
    pulled = np.clip(z, *np.quantile(z, [trim, 1 - trim]))
    units = z.size
    phi = float((pulled**2).mean())
    spare = float(weight.sum() - (weight**2).sum() / weight.sum())
    tau2 = max(0.0, (units * phi - (units - 1)) / spare) if units > 1 else 0.0
    adjusted = z / np.sqrt(1 + weight * tau2)

    def everywhere(values: Floats) -> Floats:
        whole_length = blank.copy()
        whole_length[used] = values
        return whole_length

    return Overdispersion(
        everywhere(z),
        everywhere(pulled),
        everywhere(adjusted),
        everywhere(2 * ndtr(-np.abs(adjusted))),
        aim,
        phi,
        tau2,
        units,
        () if units > 2 else ("small_numbers",),
    )
