"""Like with like by weights: propensity to be virtual, and risks weighted (and modelled) with it.

Two populations: everyone (`ipw`, `aipw`), or those for whom both modes were plausible (`overlap_weighting`,
alone or augmented by an outcome model). Errors are of stacked estimating equations, so that the propensity
and the outcome model are known to be estimated.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from analysis.stats.clusters import Clusters
from analysis.stats.estimating import Way, weighted
from analysis.stats.two_risks import Standardised


def ipw(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    cluster: ArrayLike | Clusters | None = None,
    trim: float = 0.0,
    level: float = 0.95,
) -> Standardised:
    """Inverse-probability weighting to everyone: weights 1/e and 1/(1 − e), normalised in each arm.

    Parameters
    ----------
    arm : array_like
        1 (virtual) or 0 (in person), shape (rows,).
    covariates : array_like
        What the propensity e depends on, shape (rows, q), without intercept.
    events, n : array_like
        Events and totals per row (whole numbers), shape (rows,).
    cluster : array_like or Clusters, optional
        Whole-number codes, shape (rows,), or who observed what of rows that several clusters share.
    trim : float
        Rows with a propensity below `trim` or above 1 − `trim` are left out and the model fitted again.
    level : float
        Confidence level.

    Returns
    -------
    Standardised
        ``None`` with the reasons of the propensity model, or ``arm_empty``.

    Raises
    ------
    AnalysisError
        For impossible counts, other arms, covariates of another shape, a trim outside [0, 0.5) or a level
        outside (0, 1).

    References
    ----------
    Lunceford & Davidian (2004), Stat. Med. 23, 2937–2960.

    Examples
    --------
    >>> s = ipw([1, 0, 1, 0], [[0], [0], [1], [1]], [10, 12, 30, 10], [50, 60, 90, 40])
    >>> f"{s.risk_1:.4f} {s.risk_0:.4f} {s.difference.se:.4f}"
    '0.2722 0.2271 0.0578'
    """
    (found,) = weighted(
        [Way("everyone", False, trim)],
        arm,
        covariates,
        events,
        n,
        outcome_covariates=None,
        cluster=cluster,
        level=level,
    )
    return found


def aipw(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    outcome_covariates: ArrayLike | None = None,
    cluster: ArrayLike | Clusters | None = None,
    trim: float = 0.0,
    level: float = 0.95,
) -> Standardised:
    """Augmented inverse-probability weighting to everyone: right if the propensity or the outcome model is.

    The mean prediction of an arm's own logistic outcome model, plus the weighted mean of its residuals.

    Parameters
    ----------
    arm, covariates, events, n, cluster, trim, level
        As in `ipw`.
    outcome_covariates : array_like, optional
        What the outcome depends on, shape (rows, r), without intercept; the `covariates` without it.

    Returns
    -------
    Standardised
        ``None`` with the reasons of the models, or ``arm_empty``.

    Raises
    ------
    AnalysisError
        As `ipw`.

    References
    ----------
    Robins, Rotnitzky & Zhao (1994), J. Am. Stat. Assoc. 89, 846–866.

    Examples
    --------
    >>> s = aipw([1, 0, 1, 0], [[0], [0], [1], [1]], [10, 12, 30, 10], [50, 60, 90, 40])
    >>> f"{s.risk_1:.4f} {s.risk_0:.4f} {s.difference.se:.4f}"
    '0.2722 0.2271 0.0578'
    """
    (found,) = weighted(
        [Way("everyone", True, trim)],
        arm,
        covariates,
        events,
        n,
        outcome_covariates=outcome_covariates,
        cluster=cluster,
        level=level,
    )
    return found


def overlap_weighting(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    cluster: ArrayLike | Clusters | None = None,
    level: float = 0.95,
) -> Standardised:
    """Overlap weighting: each observation by its propensity to be in the other arm, 1 − e and e.

    The population are those for whom both modes were plausible; the covariates' means agree exactly.

    Parameters
    ----------
    arm, covariates, events, n, cluster, level
        As in `ipw`.

    Returns
    -------
    Standardised
        ``None`` with the reasons of the propensity model, or ``arm_empty``.

    Raises
    ------
    AnalysisError
        As `ipw`.

    References
    ----------
    Li, Morgan & Zaslavsky (2018), J. Am. Stat. Assoc. 113, 390–400.

    Examples
    --------
    >>> s = overlap_weighting([1, 0, 1, 0], [[0], [0], [1], [1]], [10, 12, 30, 10], [50, 60, 90, 40])
    >>> f"{s.risk_1:.4f} {s.risk_0:.4f} {s.difference.se:.4f}"
    '0.2672 0.2252 0.0572'
    """
    (found,) = weighted(
        [Way("overlap", False)],
        arm,
        covariates,
        events,
        n,
        outcome_covariates=None,
        cluster=cluster,
        level=level,
    )
    return found


def overlap_weighting_augmented(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    outcome_covariates: ArrayLike | None = None,
    cluster: ArrayLike | Clusters | None = None,
    level: float = 0.95,
) -> Standardised:
    """Overlap weighting augmented by a logistic outcome model in each arm.

    The mean prediction under the overlap weights ``e (1 − e)``, plus the weighted mean of the residuals.

    Parameters
    ----------
    arm, covariates, events, n, cluster, level
        As in `ipw`.
    outcome_covariates : array_like, optional
        As in `aipw`.

    Returns
    -------
    Standardised
        ``None`` with the reasons of the models, or ``arm_empty``.

    Raises
    ------
    AnalysisError
        As `ipw`.

    References
    ----------
    Mao, Li & Greene (2019), Stat. Methods Med. Res. 28, 2439–2454.

    Examples
    --------
    >>> s = overlap_weighting_augmented([1, 0, 1, 0], [[0], [0], [1], [1]], [10, 12, 30, 10], [50, 60, 90, 40])
    >>> f"{s.risk_1:.4f} {s.risk_0:.4f} {s.difference.se:.4f}"
    '0.2672 0.2252 0.0572'
    """
    (found,) = weighted(
        [Way("overlap", True)],
        arm,
        covariates,
        events,
        n,
        outcome_covariates=outcome_covariates,
        cluster=cluster,
        level=level,
    )
    return found
