"""How surprising counts are beside what was expected: single ones too high or too low, and groups too alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammainc

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, whole

_NODES = 48


@dataclass(frozen=True, slots=True)
class CountTails:
    """Probabilities of counts as high, and as low, as those seen; arrays of the counts' shape.

    `sigma2` is the variance of the logarithm of what differs between all counts beside chance and expectation; 0 where
    they vary no more than chance (Poisson) would make them.
    """

    upper: Floats
    lower: Floats
    sigma2: float


def count_tails(counts: ArrayLike, expected: ArrayLike) -> CountTails:
    """Tail probabilities of counts under a Poisson distribution whose mean varies by a lognormal factor.

    The factor has mean 1 and variance ``e^σ² − 1 = Σ((y − μ)² − μ)/Σμ²`` (moments, at least 0), for each count summed
    over all the others, so that it does not hide itself; the mixture is integrated by Gauss–Hermite quadrature. Several
    that lie far out still widen σ² for one another: a cautious reading.

    Parameters
    ----------
    counts : array_like
        Counts y (whole numbers).
    expected : array_like
        Means μ, at least 0, of the same shape.

    Returns
    -------
    CountTails

    Raises
    ------
    AnalysisError
        For impossible counts or expectations.

    References
    ----------
    Bulmer (1974), Biometrics 30, 101–110.

    Examples
    --------
    >>> tails = count_tails([0, 1, 2, 9], [1.0, 1.5, 2.0, 1.5])
    >>> tails.upper.round(3), round(tails.sigma2, 2)
    (array([1.   , 0.466, 0.295, 0.   ]), 1.86)
    """
    y, mean = whole("counts", counts), np.asarray(expected, float)
    if mean.shape != y.shape or not ((mean >= 0) & (mean < np.inf)).all():
        raise AnalysisError(f"expected must be one number of at least 0 per count; got shape {mean.shape}.")
    excess, squares = ((y - mean) ** 2 - mean).ravel(), (mean**2).ravel()
    whole_sigma2 = float(_sigma2(excess.sum(), squares.sum()))
    # Equal counts of equal expectations are equally surprising, and among very many most are equal to some others.
    first, place = _different(y, mean)
    sigma2 = _sigma2(excess.sum() - excess[first], squares.sum() - squares[first])
    shape, y, mean = y.shape, y.ravel()[first], mean.ravel()[first]
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = weights / weights.sum()
    upper, lower = np.zeros(y.shape), np.zeros(y.shape)
    for node, weight in zip(nodes, weights, strict=True):
        at = mean * np.exp(np.sqrt(sigma2) * node - sigma2 / 2)
        # P(Y ≥ y) of a Poisson variable is the regularised gamma function; a mean of 0 gives 0 for sure.
        upper += weight * np.where(y > 0, gammainc(np.maximum(y, 1), at), 1.0)
        lower += weight * (1 - gammainc(y + 1, at))
    upper, lower = (np.clip(tail, 0.0, 1.0)[place].reshape(shape) for tail in (upper, lower))
    return CountTails(upper, lower, whole_sigma2)


def _different(counts: Floats, expected: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """One of each pair of count and expectation, by its position, and which of them every count is like."""
    pairs = np.stack([counts.ravel(), expected.ravel()], axis=1)
    _, first, place = np.unique(pairs, axis=0, return_index=True, return_inverse=True)
    return first, place.ravel()


def _sigma2(excess: Floats, squares: Floats) -> Floats:
    """Variance of the logarithm of a lognormal factor of mean 1, from sums of moments."""
    spread = np.divide(excess, squares, out=np.zeros(np.shape(squares)), where=squares > 0)
    return np.asarray(np.log1p(np.maximum(spread, 0.0)))


@dataclass(frozen=True, slots=True)
class Evenness:
    """Do counts of one group vary less than chance allows? Arrays of shape (groups,), NaN where nothing can be told.

    `index` is the index of dispersion over its degrees of freedom (1 for chance, below for too even), `p_value` the
    probability of one as small.
    """

    index: Floats
    p_value: Floats


def evenness(counts: ArrayLike, expected: ArrayLike, group: ArrayLike) -> Evenness:
    """Test each group's counts for varying too little around what was expected of them.

    Given a group's total N, chance deals it out in proportion p to the expectations, and
    ``X² = Σ (y − N p)²/(N p)`` has mean k − 1 and variance ``2(k − 1) + (Σ 1/p − k² − 2k + 2)/N``. The lower tail is
    that of a gamma distribution with these two moments. Counts that share more than chance vary more, so the test is
    then cautious.

    Parameters
    ----------
    counts : array_like
        Counts (whole numbers), shape (rows,).
    expected : array_like
        Expectations, above 0 (rows of 0 are left out), shape (rows,).
    group : array_like of int
        Number of each row's group, from 0.

    Returns
    -------
    Evenness

    Raises
    ------
    AnalysisError
        For impossible counts or expectations.

    References
    ----------
    Haldane (1937), Biometrika 29, 133–143.

    Examples
    --------
    >>> found = evenness([2, 2, 2, 2, 2, 2, 0, 5, 1, 4, 0, 2], [1.0] * 12, [0] * 6 + [1] * 6)
    >>> found.index.round(2), found.p_value.round(3)
    (array([0. , 2.2]), array([0.   , 0.954]))
    """
    y, mean = whole("counts", counts), np.asarray(expected, float)
    if mean.shape != y.shape or not ((mean >= 0) & (mean < np.inf)).all():
        raise AnalysisError(f"expected must be one number of at least 0 per count; got shape {mean.shape}.")
    codes = np.asarray(group, np.int64)
    size = int(codes.max(initial=-1)) + 1
    used = mean > 0
    y, mean, codes = y[used], mean[used], codes[used]

    def per_group(values: Floats) -> Floats:
        return np.asarray(np.bincount(codes, values, size), float)

    rows, total, whole_mean = per_group(np.ones(y.size)), per_group(y), per_group(mean)
    told = (rows >= 2) & (total > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = mean / whole_mean[codes]
        wanted = total[codes] * share
        statistic = per_group(np.where(wanted > 0, (y - wanted) ** 2 / wanted, 0.0))
        df = rows - 1
        variance = 2 * df + (per_group(1 / share) - rows**2 - 2 * rows + 2) / total
        told &= variance > 0
        p = gammainc(df**2 / variance, statistic * df / variance)
        index = statistic / df
    return Evenness(np.where(told, index, np.nan), np.where(told, p, np.nan))
