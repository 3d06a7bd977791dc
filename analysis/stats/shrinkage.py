"""Rates and effects of many units, each drawn towards their common mean by as much as chance explains.

A unit with few validations says little about itself: the beta-binomial model weighs its rate against those of all
others, the normal model its effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import betaincinv, betaln, digamma, expit, logit

from analysis.results import Interval
from analysis.stats.bounds import Bounds, Floats, checked_counts, checked_level, normal_quantile
from analysis.stats.proportions import wilson
from analysis.stats.random_effects import RandomEffects, Tau2, random_effects

# The odds rho/(1 − rho) are sought between these; beyond, rho is 0 or 1 for every purpose.
_SMALLEST, _LARGEST = 1e-7, 1e5


@dataclass(frozen=True, slots=True)
class BetaBinomial:
    """A beta-binomial fit and what it says of each unit.

    Parameters
    ----------
    mean : float or None
        Mean of the units' true rates.
    rho : float or None
        Correlation of two observations of one unit, ``1/(alpha + beta + 1)``: 0 when units differ no more
        than by chance (full pooling), 1 when each unit is all or nothing.
    posterior : Bounds
        Posterior mean of each unit's rate with its equal-tailed limits, shape (units,).
    alpha, beta : ndarray
        Parameters of each unit's beta posterior, shape (units,); infinite under full pooling.
    n : int
        Observations in all units.
    reasons : tuple of str
        Reason codes; ``fully_pooled`` when `rho` is 0.
    """

    mean: float | None
    rho: float | None
    posterior: Bounds
    alpha: Floats
    beta: Floats
    n: int
    reasons: tuple[str, ...] = ()


def beta_binomial(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> BetaBinomial:
    """Empirical-Bayes rates of many units: maximum likelihood of the mean and rho, then a posterior per unit.

    The likelihood is ``Π B(a + y, b + n − y)/B(a, b)`` with ``a = mean/θ, b = (1 − mean)/θ`` and
    ``θ = rho/(1 − rho)``; a unit's posterior is Beta(a + y, b + n − y). Where the likelihood does not rise
    from θ = 0 (Tarone's score), rho is 0 and every unit has the common rate with its Wilson limits.

    Parameters
    ----------
    events, n : array_like
        Events and totals per unit (whole numbers), shape (units,). A unit with `n` of 0 gets the prior.
    level : float
        Posterior probability within each unit's limits (the fitted mean and rho taken as known).

    Returns
    -------
    BetaBinomial
        `mean` and `rho` are ``None`` with reason ``zero_denominator`` where nothing was counted.

    Raises
    ------
    AnalysisError
        For impossible counts or a level outside (0, 1).

    References
    ----------
    Williams (1975), Biometrics 31, 949–952; Tarone (1979), Biometrika 66, 585–590.

    Examples
    --------
    >>> fit = beta_binomial([2, 9, 1, 14, 6, 0, 11, 3, 25, 8, 0, 17], [20, 30, 25, 40, 22, 18, 35, 30, 60, 20, 3, 41])
    >>> f"{fit.mean:.3f} {fit.rho:.3f} {fit.posterior.estimate[0]:.3f}"
    '0.242 0.105 0.142'
    """
    y, total = (np.atleast_1d(values) for values in checked_counts(events, n))
    checked_level(level)
    size = float(total.sum())
    if size == 0:
        nothing = np.full(y.shape, np.nan)
        empty = Bounds(nothing, nothing, nothing, level, "beta-binomial")
        return BetaBinomial(None, None, empty, nothing, nothing, 0, ("zero_denominator",))
    common = float(y.sum() / size)
    if not 0 < common < 1 or _rise_from_pooling(y, total, common) <= 0:
        return _pooled(y, common, size, level)
    mean, theta = _fitted(y, total, common)
    alpha, beta = mean / theta + y, (1 - mean) / theta + total - y
    tail = (1 - level) / 2
    posterior = Bounds(
        alpha / (alpha + beta),
        betaincinv(alpha, beta, tail),
        # From the other end: 1 − tail would lose the digits of a small tail.
        1 - betaincinv(beta, alpha, tail),
        level,
        "beta-binomial posterior",
    )
    return BetaBinomial(mean, theta / (1 + theta), posterior, alpha, beta, round(size))


def _pooled(y: Floats, common: float, size: float, level: float) -> BetaBinomial:
    limits: Interval | None = wilson(y.sum(), size, level=level).interval()
    assert limits is not None
    flat = np.ones(y.shape)
    posterior = Bounds(flat * common, flat * limits.low, flat * limits.high, level, "Wilson, units pooled")
    endless = np.full(y.shape, math.inf)
    return BetaBinomial(common, 0.0, posterior, endless, endless, round(size), ("fully_pooled",))


def _rise_from_pooling(y: Floats, n: Floats, p: float) -> float:
    """Slope of the log likelihood in θ at θ = 0, per pair of observations."""
    rise = y * (y - 1) / p + (n - y) * (n - y - 1) / (1 - p) - n * (n - 1)
    # A slope of rounding size is none.
    return float(rise.sum()) if abs(rise.sum()) > 1e-12 * np.abs(rise).sum() else 0.0


def _fitted(y: Floats, n: Floats, start: float) -> tuple[float, float]:
    """Mean and θ of greatest likelihood."""
    from scipy.optimize import minimize

    def downhill(point: Floats) -> tuple[float, Floats]:
        p, theta = expit(point[0]), math.exp(point[1])
        a, b = p / theta, (1 - p) / theta
        value = (betaln(a + y, b + n - y) - betaln(a, b)).sum()
        common = digamma(a + b) - digamma(a + b + n)
        by_a = (digamma(a + y) - digamma(a) + common).sum()
        by_b = (digamma(b + n - y) - digamma(b) + common).sum()
        slope = p * (1 - p) / theta
        return -value / scale, np.array([-slope * (by_a - by_b), a * by_a + b * by_b]) / scale

    scale = float(n.sum())
    bounds = [(-30.0, 30.0), (math.log(_SMALLEST), math.log(_LARGEST))]
    # From several starts: far from the top the likelihood is flat in θ.
    fits = [
        minimize(
            downhill,
            np.array([logit(start), math.log(theta)]),
            jac=True,
            method="L-BFGS-B",
            bounds=bounds,
            options={"ftol": 1e-14, "gtol": 1e-9},
        )
        for theta in (0.01, 0.5)
    ]
    best = min(fits, key=lambda fit: float(fit.fun)).x
    return float(expit(best[0])), math.exp(best[1])


@dataclass(frozen=True, slots=True)
class ShrunkenEffects:
    """A random-effects fit and what it says of each group.

    Parameters
    ----------
    model : RandomEffects
        Mean, spread, Cochran's Q and the prediction interval.
    posterior : Bounds
        Effect of each group with its limits, shape (groups,).
    own_weight : ndarray
        How much of each shrunken effect is the group's own, ``τ²/(v + τ²)``.
    reasons : tuple of str
        ``fully_pooled`` when the groups differ no more than by chance, so that each gets the mean.
    """

    model: RandomEffects
    posterior: Bounds
    own_weight: Floats
    reasons: tuple[str, ...] = ()


def shrunken_effects(
    effects: ArrayLike, variances: ArrayLike, *, method: Tau2 = "PM", level: float = 0.95
) -> ShrunkenEffects:
    """Empirical-Bayes effects of groups: each its own by ``τ²/(v + τ²)``, the rest the random-effects mean.

    With b = τ²/(v + τ²) the effect is ``b y + (1 − b) m`` and its variance ``b v + (1 − b)² se(m)²``: the second
    part is that of not knowing the mean. τ² is taken as known.

    Parameters
    ----------
    effects, variances, method, level
        As for `analysis.stats.random_effects.random_effects`.

    Returns
    -------
    ShrunkenEffects
        With fewer than three groups nothing is shrunken (all NaN, reason ``too_few_groups``): two effects do not
        tell their spread from chance.

    Raises
    ------
    AnalysisError
        As for `random_effects`.

    References
    ----------
    Morris (1983), J. Am. Stat. Assoc. 78, 47–55; Raudenbush & Bryk (1985), J. Educ. Stat. 10, 75–98.

    Examples
    --------
    >>> s = shrunken_effects([-0.9, -1.6, -0.2, 0.4], [0.30, 0.19, 0.05, 0.53], method="DL")
    >>> s.posterior.estimate.round(3), s.own_weight.round(3)
    (array([-0.79 , -1.311, -0.242, -0.153]), array([0.601, 0.704, 0.9  , 0.46 ]))
    """
    model = random_effects(effects, variances, method=method, level=level)
    y, v = np.asarray(effects, float), np.asarray(variances, float)
    name = f"empirical Bayes ({method})"
    if model.groups < 3:
        nothing = np.full(y.shape, np.nan)
        return ShrunkenEffects(
            model, Bounds(nothing, nothing, nothing, level, name), nothing, ("too_few_groups",)
        )
    assert model.estimate is not None and model.se is not None and model.tau2 is not None
    own = model.tau2 / (v + model.tau2)
    effect = own * y + (1 - own) * model.estimate
    reach = normal_quantile(level) * np.sqrt(own * v + (1 - own) ** 2 * model.se**2)
    reasons = ("fully_pooled",) if model.tau2 == 0 else ()
    return ShrunkenEffects(model, Bounds(effect, effect - reach, effect + reach, level, name), own, reasons)
