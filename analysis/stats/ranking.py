"""Which unit comes first, and how sure can one be? Ranks with their uncertainty, from posterior draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.shrinkage import BetaBinomial

# Draws are made in blocks of about this many numbers, so that many units need no more memory than few.
_BLOCK = 2_000_000


@dataclass(frozen=True, slots=True)
class Ranking:
    """Ranks of units by their rate, 1 the highest, all of shape (units,).

    `rank` orders the posterior means (ties by position), `low` and `high` are quantiles of the rank over the
    draws, `median` its median, and `in_top` the share of draws in which the unit is among the `top` first.
    """

    rank: NDArray[np.int64]
    median: Floats
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    in_top: Floats
    top: int
    level: float
    draws: int
    seed: int
    reasons: tuple[str, ...] = ()


def rank_units(
    fit: BetaBinomial, *, top: int = 10, draws: int = 4000, seed: int = 2026, level: float = 0.95
) -> Ranking:
    """Rank intervals and the probability to be among the first, from draws of each unit's posterior.

    Every draw takes one rate per unit from its beta posterior and ranks them; equal rates (full pooling) are
    ranked by lot, so that then every unit may have any rank.

    Parameters
    ----------
    fit : BetaBinomial
        From `analysis.stats.shrinkage.beta_binomial`.
    top : int
        How many count as the first.
    draws : int
        Number of draws, at least 100.
    seed : int
        Of the random generator: the same seed gives the same answer.
    level : float
        Probability that a unit's rank lies within its limits.

    Returns
    -------
    Ranking

    Raises
    ------
    AnalysisError
        For fewer than 100 draws, a `top` below 1 or a level outside (0, 1).

    References
    ----------
    Goldstein & Spiegelhalter (1996), J. R. Stat. Soc. A 159, 385–443.

    Examples
    --------
    >>> from analysis.stats.shrinkage import beta_binomial
    >>> r = rank_units(beta_binomial([90, 10, 50], [100, 100, 100]), top=1)
    >>> r.rank, r.low, r.high, r.in_top
    (array([1, 3, 2]), array([1, 3, 2]), array([1, 3, 2]), array([1., 0., 0.]))
    """
    if draws < 100:
        raise AnalysisError(f"draws must be at least 100; got {draws}.")
    if top < 1:
        raise AnalysisError(f"top must be at least 1; got {top}.")
    tail = (1 - checked_level(level)) / 2
    units = fit.alpha.size
    means = fit.posterior.estimate
    order = np.argsort(-means, kind="stable")
    ranks = _ranks(fit, draws, np.random.default_rng(seed))
    quantiles = np.quantile(ranks, [tail, 0.5, 1 - tail], axis=0, method="inverted_cdf")
    place = np.empty(units, np.int64)
    place[order] = np.arange(1, units + 1)
    return Ranking(
        rank=place,
        median=np.asarray(quantiles[1], float),
        low=quantiles[0].astype(np.int64),
        high=quantiles[2].astype(np.int64),
        in_top=np.asarray((ranks <= top).mean(axis=0), float),
        top=top,
        level=level,
        draws=draws,
        seed=seed,
        reasons=fit.reasons,
    )


def _ranks(fit: BetaBinomial, draws: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Rank of each unit in each draw, shape (draws, units)."""
    units = fit.alpha.size
    ranks = np.empty((draws, units), np.int32)
    step = max(_BLOCK // max(units, 1), 1)
    # Without posteriors (full pooling, nothing counted) ranks are drawn by lot.
    known = bool(np.isfinite(fit.alpha).all())
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        rates = rng.beta(fit.alpha, fit.beta, (rows, units)) if known else rng.random((rows, units))
        at = np.argsort(-rates, axis=1)
        np.put_along_axis(
            ranks[start : start + rows], at, np.arange(1, units + 1, dtype=np.int32)[None], axis=1
        )
    return ranks
