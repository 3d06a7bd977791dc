"""What could have been seen: power of a comparison of two proportions, and the smallest difference in reach."""

from __future__ import annotations

import math
from typing import Literal

from scipy.special import ndtr, ndtri

from analysis.errors import AnalysisError
from analysis.stats.bounds import normal_quantile

Direction = Literal["up", "down"]


def power_two_proportions(
    p_1: float, p_0: float, n_1: float, n_0: float, *, level: float = 0.95, design_effect: float = 1.0
) -> float | None:
    """Power of the two-sided score test of two proportions.

    ``Φ((|p1 − p0| − z √(p̄ q̄ (1/n1 + 1/n0))) / √(p1 q1/n1 + p0 q0/n0))`` with p̄ the mean weighted by n; the
    chance to be significant in the wrong direction is left out.

    Parameters
    ----------
    p_1, p_0 : float
        True proportions of arm 1 (virtual) and arm 0 (in person).
    n_1, n_0 : float
        Observations per arm.
    level : float
        One minus the significance level.
    design_effect : float
        Factor by which clustering inflates variances, above 0.

    Returns
    -------
    float or None
        ``None`` where an arm is empty.

    Raises
    ------
    AnalysisError
        For proportions outside [0, 1], negative sizes, a design effect not above 0 or a level outside (0, 1).

    References
    ----------
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.

    Examples
    --------
    >>> f"{power_two_proportions(0.5, 0.75, 50, 50):.4f}"
    '0.7402'
    """
    z = normal_quantile(level)
    _check(design_effect, n_1, n_0, p_1=p_1, p_0=p_0)
    if n_1 == 0 or n_0 == 0:
        return None
    n1, n0 = n_1 / design_effect, n_0 / design_effect
    mean = (n1 * p_1 + n0 * p_0) / (n1 + n0)
    null = z * math.sqrt(mean * (1 - mean) * (1 / n1 + 1 / n0))
    spread = math.sqrt(p_1 * (1 - p_1) / n1 + p_0 * (1 - p_0) / n0)
    gap = abs(p_1 - p_0) - null
    if spread == 0:
        # Both proportions certain: significant or not, without chance.
        return float(gap > 0)
    return float(ndtr(gap / spread))


def detectable_difference(
    p_0: float,
    n_1: float,
    n_0: float,
    *,
    power: float = 0.8,
    direction: Direction = "up",
    level: float = 0.95,
    design_effect: float = 1.0,
) -> float | None:
    """Smallest difference arm 1 minus arm 0 that the test would find with the given power.

    `power_two_proportions` solved for the proportion of arm 1.

    Parameters
    ----------
    p_0 : float
        Proportion of arm 0 (in person).
    n_1, n_0 : float
        Observations per arm.
    power : float
        Wanted power, above half the significance level and below 1.
    direction : {"up", "down"}
        Whether arm 1 has the higher or the lower proportion.
    level, design_effect : float
        As in `power_two_proportions`.

    Returns
    -------
    float or None
        Signed, as a fraction; ``None`` where an arm is empty or not even the largest possible difference
        would be found with that power.

    Raises
    ------
    AnalysisError
        As `power_two_proportions`, and for another direction or a power outside its range.

    References
    ----------
    Fleiss, Levin & Paik (2003), Statistical Methods for Rates and Proportions, chapter 4.

    Examples
    --------
    >>> f"{detectable_difference(0.5, 50, 50, power=0.9):.4f}"
    '0.3026'
    """
    from scipy.optimize import brentq

    _check(design_effect, n_1, n_0, p_0=p_0)
    normal_quantile(level)
    if direction not in ("up", "down"):
        raise AnalysisError(f"direction must be 'up' or 'down'; got {direction!r}.")
    if not (1 - level) / 2 < power < 1:
        raise AnalysisError(f"power must lie between {(1 - level) / 2:g} and 1; got {power!r}.")
    if n_1 == 0 or n_0 == 0:
        return None

    def short(p_1: float) -> float:
        reached = power_two_proportions(p_1, p_0, n_1, n_0, level=level, design_effect=design_effect)
        assert reached is not None
        return reached - power

    end = 1.0 if direction == "up" else 0.0
    if end == p_0 or short(end) < 0:
        return None
    # Power rises from the null value to the end; at p_0 itself it is half the significance level or none.
    return float(brentq(short, p_0, end, xtol=1e-13, rtol=1e-12)) - p_0


def power_from_error(effect: float, se: float, *, level: float = 0.95) -> float:
    """Power to find an effect with a known standard error: ``Φ(|effect|/se − z)``.

    For estimates whose error is known but whose arms are no plain proportions: ratios (on the log scale), rates,
    times. The chance to be significant in the wrong direction is left out.

    Parameters
    ----------
    effect : float
        The true effect, on the scale of `se`.
    se : float
        Standard error, above 0.
    level : float
        One minus the significance level.

    Raises
    ------
    AnalysisError
        For an error that is not above 0 and finite, or a level outside (0, 1).

    Examples
    --------
    >>> f"{power_from_error(2.8, 1.0):.3f}"
    '0.800'
    """
    _check_error(se)
    return float(ndtr(abs(effect) / se - normal_quantile(level)))


def detectable_from_error(se: float, *, power: float = 0.8, level: float = 0.95) -> float:
    """Size of the smallest effect that `power_from_error` finds with the given power: ``(z + z_power) se``.

    Raises
    ------
    AnalysisError
        As `power_from_error`, or for a power outside (0.5, 1).

    Examples
    --------
    >>> f"{detectable_from_error(1.0):.3f}"
    '2.802'
    """
    _check_error(se)
    if not 0.5 < power < 1:
        raise AnalysisError(f"power must lie between 0.5 and 1; got {power!r}.")
    return (normal_quantile(level) + float(ndtri(power))) * se


def power_within_margin(margin: float, se: float, *, two_sided: bool = False, level: float = 0.95) -> float:
    """Chance that the interval of an effect that is truly none lies within a margin.

    Only its harmful end has to (non-inferiority): ``Φ(margin/se − z)``; both ends (equivalence):
    ``2 Φ(margin/se − z) − 1``, or 0.

    Parameters
    ----------
    margin : float
        Above 0, on the scale of `se`.
    se : float
        Standard error, above 0.
    two_sided : bool
        Whether both ends must.
    level : float
        Level of the two-sided interval.

    Raises
    ------
    AnalysisError
        For an error that is not above 0 and finite, or a level outside (0, 1).

    References
    ----------
    Julious (2004), Stat. Med. 23, 1921–1986.

    Examples
    --------
    >>> f"{power_within_margin(0.05, 0.019):.3f} {power_within_margin(0.05, 0.019, two_sided=True):.3f}"
    '0.749 0.498'
    """
    _check_error(se)
    one = float(ndtr(margin / se - normal_quantile(level)))
    return max(2 * one - 1, 0.0) if two_sided else one


def _check_error(se: float) -> None:
    if not 0 < se < math.inf:
        raise AnalysisError(f"a standard error must be above 0 and finite; got {se!r}.")


def _check(design_effect: float, n_1: float, n_0: float, **proportions: float) -> None:
    wrong = [f"{name} = {p!r}" for name, p in proportions.items() if not 0 <= p <= 1]
    wrong += [f"{name} = {n!r}" for name, n in (("n_1", n_1), ("n_0", n_0)) if not 0 <= n < math.inf]
    if not 0 < design_effect < math.inf:
        wrong.append(f"design_effect = {design_effect!r}")
    if wrong:
        raise AnalysisError(
            "proportions must lie in [0, 1], sizes be at least 0 and the design effect above 0; "
            f"got {', '.join(wrong)}."
        )
