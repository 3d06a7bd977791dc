"""Sets of answers: how likely it is that another validation of the same size holds exactly the same ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats


def log_set_totals(weights: ArrayLike, largest: int) -> Floats:
    """Logarithms of the elementary symmetric polynomials e₀ … e_largest of weights.

    ``e_m`` adds up, over all sets of m different criteria, the products of their weights. With several answers to a
    criterion its weight is the sum of theirs, for a criterion has one answer only.

    Parameters
    ----------
    weights : array_like
        Odds of each criterion to be in a set, at least 0, shape (criteria,).
    largest : int
        Size of the largest sets.

    Returns
    -------
    ndarray
        Shape (largest + 1,); −inf for sets larger than there are criteria with a weight.

    Raises
    ------
    AnalysisError
        For negative or non-finite weights.

    Examples
    --------
    >>> np.exp(log_set_totals([1.0, 2.0, 3.0], 3)).round(6)
    array([ 1.,  6., 11.,  6.])
    """
    odds = np.asarray(weights, float)
    if odds.ndim != 1 or not ((odds >= 0) & (odds < np.inf)).all():
        raise AnalysisError("weights must be finite numbers of at least 0, one per criterion.")
    totals = np.full(largest + 1, -np.inf)
    totals[0] = 0.0
    for odd in odds[odds > 0]:
        totals[1:] = np.logaddexp(totals[1:], totals[:-1] + np.log(odd))
    return totals


def log_same_set(log_weights: ArrayLike, log_total: float) -> float:
    """Log-probability that a set of as many criteria is exactly this one: ``Σ log w − log e_m``.

    Given how many answers were not met, which ones they were is taken as chance with the odds `w` of each: nothing
    about the member, the specialist or the office enters that moves all criteria alike.

    Parameters
    ----------
    log_weights : array_like
        Log-odds of the members of the set.
    log_total : float
        ``log e_m`` of that size, as `log_set_totals` gives.

    Returns
    -------
    float
        At most 0; −inf where the set is impossible.

    References
    ----------
    Rasch (1960), Probabilistic Models; Andersen (1972), J. R. Stat. Soc. B 34, 42–54.

    Examples
    --------
    >>> total = log_set_totals([1.0, 2.0, 3.0], 2)
    >>> round(float(np.exp(log_same_set(np.log([2.0, 3.0]), total[2]))), 4)
    0.5455
    """
    logs = np.asarray(log_weights, float)
    if not np.isfinite(log_total) or np.isneginf(logs).any():
        return -np.inf
    return min(0.0, float(logs.sum() - log_total))


def repeats_p(seen: int, others: int, log_probability: float) -> float:
    """Probability that at least `seen` of `others` validations of the same size hold the same set by chance.

    The upper tail of Binomial(others, e^log_probability).

    Parameters
    ----------
    seen, others : int
        Repeats, and validations that could have been one.
    log_probability : float
        Of one of them being one.

    Examples
    --------
    >>> repeats_p(2, 30, float(np.log(0.01))) < 0.05 < repeats_p(1, 30, float(np.log(0.01)))
    True
    """
    from scipy.stats import binom

    return float(binom.sf(seen - 1, others, np.exp(log_probability))) if seen > 0 else 1.0


def mean_log(log_probabilities: ArrayLike) -> float:
    """Logarithm of the mean of probabilities given as logarithms.

    >>> round(mean_log(np.log([0.1, 0.3])), 4) == round(float(np.log(0.2)), 4)
    True
    """
    logs = np.asarray(log_probabilities, float)
    return float(logsumexp(logs) - np.log(logs.size)) if logs.size and np.isfinite(logs).any() else -np.inf
