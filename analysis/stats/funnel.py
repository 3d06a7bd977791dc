"""Which unit lies outside what chance, and the usual spread between units, explain? Limits and scores of a funnel."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from analysis.errors import AnalysisError
from analysis.stats.bounds import Bounds, Floats, checked_counts, checked_level, normal_quantile, whole


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
    if not used.any():
        return _nothing(x.shape)
    aim = float(x.sum() / size.sum()) if target is None else target
    distance = np.arcsin(np.sqrt(x[used] / size[used])) - math.asin(math.sqrt(aim))
    return _adjusted(distance, 4 * size[used], used, trim=trim, target=aim, tau2=None)


def funnel_case_mix(
    observed: ArrayLike, expected: ArrayLike, n: ArrayLike, *, trim: float = 0.1, tau2: float | None = None
) -> Overdispersion:
    """Scores of units' events against what their own case mix leads to expect, corrected for overdispersion.

    As `funnel_overdispersion`, with a target of its own for every unit:
    ``z = (asin √(O/n) − asin √(E/n)) · 2√n``.

    Parameters
    ----------
    observed : array_like
        Events per unit (whole numbers), shape (units,).
    expected : array_like
        Events expected of each unit, from 0 to its `n`.
    n : array_like
        Totals per unit (whole numbers). Units with `n` of 0 take no part.
    trim : float
        Share winsorised at either end, in [0, 0.5).
    tau2 : float, optional
        Variance between units, where it is known from more of them; by default from these.

    Returns
    -------
    Overdispersion
        `target` is all units' events over all totals.

    Raises
    ------
    AnalysisError
        For impossible counts, expectations outside 0 to n, or a trim outside its range.

    References
    ----------
    Spiegelhalter (2005), Stat. Med. 24, 1185–1202; Spiegelhalter et al. (2012), J. R. Stat. Soc. A 175, 1–47.

    Examples
    --------
    >>> f = funnel_case_mix([12, 30, 8, 45, 22], [14.0, 31.0, 12.5, 31.5, 28.0], [80, 150, 60, 160, 140])
    >>> f.z.round(2), f.z_adjusted.round(2)
    (array([-0.61, -0.2 , -1.55,  2.51, -1.33]), array([-0.51, -0.15, -1.36,  1.86, -1.01]))
    """
    x, size = (np.atleast_1d(values) for values in checked_counts(observed, n))
    aim = np.atleast_1d(np.asarray(expected, float))
    if not 0 <= trim < 0.5:
        raise AnalysisError(f"trim must be at least 0 and below 0.5; got {trim!r}.")
    if aim.shape != x.shape or not ((aim >= 0) & (aim <= size * (1 + 1e-9))).all():
        raise AnalysisError(f"expected must be one number from 0 to n per unit; got {expected!r}.")
    used = size > 0
    if not used.any():
        return _nothing(x.shape)
    share = np.minimum(aim[used] / size[used], 1.0)
    distance = np.arcsin(np.sqrt(x[used] / size[used])) - np.arcsin(np.sqrt(share))
    target = float(x.sum() / size.sum())
    return _adjusted(distance, 4 * size[used], used, trim=trim, target=target, tau2=tau2)


def funnel_rates(
    observed: ArrayLike, expected: ArrayLike, *, trim: float = 0.1, tau2: float | None = None
) -> Overdispersion:
    """Scores of units' observed over expected numbers of events, corrected for overdispersion on the log scale.

    ``z = log((O + ½)/(E + ½)) √E``, with weights E for log(O/E): the usual spread between units multiplies.

    Parameters
    ----------
    observed : array_like
        Events per unit (whole numbers), shape (units,).
    expected : array_like
        Expected events; units with 0 take no part.
    trim : float
        Share winsorised at either end, in [0, 0.5).
    tau2 : float, optional
        Variance of log(O/E) between units, where it is known from more of them; by default from these.

    Returns
    -------
    Overdispersion
        `target` is 1.

    Raises
    ------
    AnalysisError
        For impossible counts or expectations, or a trim outside its range.

    References
    ----------
    Spiegelhalter (2005), Stat. Med. 24, 1185–1202.

    Examples
    --------
    >>> f = funnel_rates([5, 12, 40], [7.2, 8.1, 44.0])
    >>> f.z.round(2), f.tau2
    (array([-0.9 ,  1.06, -0.62]), 0.0)
    """
    if not 0 <= trim < 0.5:
        raise AnalysisError(f"trim must be at least 0 and below 0.5; got {trim!r}.")
    seen, aim = (
        np.atleast_1d(values) for values in (whole("observed", observed), np.asarray(expected, float))
    )
    if aim.shape != seen.shape or not ((aim >= 0) & (aim < np.inf)).all():
        raise AnalysisError(f"expected must be one number of at least 0 per unit; got {expected!r}.")
    used = aim > 0
    if not used.any():
        return _nothing(seen.shape)
    distance = np.log((seen[used] + 0.5) / (aim[used] + 0.5))
    return _adjusted(distance, aim[used], used, trim=trim, target=1.0, tau2=tau2)


def funnel_limits_rates(expected: ArrayLike, tau2: float, *, level: float = 0.95) -> Bounds:
    """Limits of observed over expected on the log scale, widened by the variance between units.

    ``exp(± z √(1/E + τ²))``.

    Parameters
    ----------
    expected : array_like
        Expected events, above 0.
    tau2 : float
        Variance between units of log(O/E), as `Overdispersion.tau2`.
    level : float
        Probability of the limits.

    Returns
    -------
    Bounds
        Ratios of observed to expected.

    Raises
    ------
    AnalysisError
        For a negative variance, expectations of 0 or a level outside (0, 1).

    Examples
    --------
    >>> b = funnel_limits_rates([25, 400], 0.01)
    >>> b.low.round(3), b.high.round(3)
    (array([0.645, 0.803]), array([1.55 , 1.245]))
    """
    aim = np.asarray(expected, float)
    if not ((aim > 0) & (aim < np.inf)).all() or not 0 <= tau2 < math.inf:
        raise AnalysisError(f"expected must be above 0 and tau2 a variance; got {expected!r}, {tau2!r}.")
    reach = np.exp(normal_quantile(level) * np.sqrt(1 / aim + tau2))
    return Bounds(np.ones(aim.shape), 1 / reach, reach, level, "adjusted funnel")


def funnel_limits_adjusted(n: ArrayLike, target: float, tau2: float, *, level: float = 0.95) -> Bounds:
    """Limits of a funnel on the arcsine scale, widened by the variance between units.

    ``sin²(asin √target ± z √(1/4n + τ²))``: a unit outside them has an adjusted score beyond z.

    Parameters
    ----------
    n : array_like
        Totals per unit, above 0.
    target : float
        The rate at the middle.
    tau2 : float
        Variance between units on the arcsine scale, as `Overdispersion.tau2`.
    level : float
        Probability of the limits.

    Returns
    -------
    Bounds
        Rates.

    Raises
    ------
    AnalysisError
        For a target outside [0, 1], a negative variance, totals of 0 or a level outside (0, 1).

    Examples
    --------
    >>> b = funnel_limits_adjusted([50, 200], 0.3, 0.002)
    >>> b.low.round(3), b.high.round(3)
    (array([0.163, 0.203]), array([0.458, 0.407]))
    """
    size = whole("n", n)
    if not 0 <= target <= 1 or not 0 <= tau2 < math.inf or (size == 0).any():
        raise AnalysisError(
            f"target, tau2 and n must be a rate, a variance and totals above 0; got {target!r}, {tau2!r}."
        )
    middle = math.asin(math.sqrt(target))
    reach = normal_quantile(level) * np.sqrt(1 / (4 * size) + tau2)
    low, high = np.maximum(middle - reach, 0.0), np.minimum(middle + reach, math.pi / 2)
    return Bounds(np.full(size.shape, target), np.sin(low) ** 2, np.sin(high) ** 2, level, "adjusted funnel")


def _nothing(shape: tuple[int, ...]) -> Overdispersion:
    blank = np.full(shape, np.nan)
    return Overdispersion(blank, blank, blank, blank, None, None, None, 0, ("zero_denominator",))


def _adjusted(
    distance: Floats,
    weight: Floats,
    used: NDArray[np.bool_],
    *,
    trim: float,
    target: float,
    tau2: float | None,
) -> Overdispersion:
    """Scores of distances from a target with inverse variances `weight`, in the places that are used."""
    z = distance * np.sqrt(weight)
    pulled = np.clip(z, *np.quantile(z, [trim, 1 - trim]))
    units = z.size
    phi = float((pulled**2).mean())
    if tau2 is None:
        spare = float(weight.sum() - (weight**2).sum() / weight.sum())
        tau2 = max(0.0, (units * phi - (units - 1)) / spare) if units > 1 else 0.0
    adjusted = z / np.sqrt(1 + weight * tau2)

    def everywhere(values: Floats) -> Floats:
        whole_length = np.full(used.shape, np.nan)
        whole_length[used] = values
        return whole_length

    return Overdispersion(
        everywhere(z),
        everywhere(pulled),
        everywhere(adjusted),
        everywhere(2 * ndtr(-np.abs(adjusted))),
        target,
        phi,
        tau2,
        units,
        () if units > 2 else ("small_numbers",),
    )
