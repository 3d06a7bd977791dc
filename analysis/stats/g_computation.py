"""What both arms' risks would be on the same members: a logistic model, predicted twice and averaged."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_counts, checked_level
from analysis.stats.clustered_logit import ClusteredLogit, clustered
from analysis.stats.clusters import Clusters, clusters_of
from analysis.stats.linearised import cluster_reasons
from analysis.stats.logit import LogitFit, independent, logit
from analysis.stats.pooled import checked_arm
from analysis.stats.two_risks import Degrees, Standardised, no_risks, standardised


def g_computation(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    interactions: ArrayLike | None = None,
    cluster: ArrayLike | Clusters | None = None,
    level: float = 0.95,
) -> Standardised:
    """Standardised risks by g-computation: a logistic model of arm and covariates, averaged over everyone.

    Each risk is the mean over all observations of the probability predicted with the arm set; the error of
    a contrast is by the delta method from the model's robust covariance (HC0), the mix of covariates taken as given.
    With `cluster` it is clustered: CR1 and t on clusters − 1 degrees of freedom where both arms have 40 clusters;
    with fewer in an arm CR2, and t on Satterthwaite's degrees of freedom of that contrast's own gradient.

    Parameters
    ----------
    arm : array_like
        1 (virtual) or 0 (in person), shape (rows,).
    covariates : array_like
        Adjusted for, shape (rows, q), without intercept or arm. Columns that repeat others are left out, which
        changes no prediction.
    events, n : array_like
        Events and totals per row (whole numbers), shape (rows,).
    interactions : array_like, optional
        Columns whose effect may differ between the arms, shape (rows, r): their products with the arm.
    cluster : array_like or Clusters, optional
        Whole-number codes, shape (rows,), or who observed what of rows that several clusters share.
    level : float
        Confidence level.

    Returns
    -------
    Standardised
        ``None`` with the reasons of `analysis.stats.logit.LogitFit`, or ``arm_empty``; without error where
        clusters are too few.

    Raises
    ------
    AnalysisError
        For impossible counts, other arms, covariates of another shape, or a level outside (0, 1).

    References
    ----------
    Robins (1986), Math. Model. 7, 1393–1512; Flanders & Rhodes (1987), J. Chronic Dis. 40, 697–704; for few
    clusters Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36, 672–683.

    Examples
    --------
    >>> s = g_computation([1, 0, 1, 0], [[0], [0], [1], [1]], [10, 12, 30, 10], [50, 60, 90, 40])
    >>> f"{s.risk_1:.4f} {s.risk_0:.4f} {s.difference.estimate:.4f} {s.difference.se:.4f}"
    '0.2754 0.2330 0.0424 0.0577'
    """
    checked_level(level)
    y, total = checked_counts(events, n)
    one = checked_arm(arm, y.size)
    rest = without_repeats(columns(covariates, y.size), total)
    moderators = np.empty((y.size, 0)) if interactions is None else columns(interactions, y.size)
    moderators = without_repeats(moderators, total)
    size = round(float(total.sum()))
    who = None if cluster is None else clusters_of(cluster, y, total)
    if not (total[one].sum() and total[~one].sum()):
        return no_risks(size, level, ("arm_empty",))

    def design(values: Floats) -> Floats:
        return np.column_stack([np.ones(y.size), values, rest, values[:, None] * moderators])

    x = design(one.astype(float))
    fit = logit(x, y, total)
    if fit.reasons:
        return no_risks(size, level, fit.reasons)
    share = total / total.sum()
    risks, slopes = [], []
    for value in (1.0, 0.0):
        at = design(np.full(y.size, value))
        p = expit(at @ fit.coef)
        risks.append(float(share @ p))
        slopes.append((share * p * (1 - p)) @ at)
    gradient = np.array(slopes)
    robust, reasons = _clustered(fit, x, one, who)
    degrees: Degrees = None
    if who is None:
        # Squared residuals of the single observations, which are 1 − p and −p.
        squares = y * (1 - fit.probability) ** 2 + (total - y) * fit.probability**2
        covariance = fit.covariance @ (x.T * squares) @ x @ fit.covariance
    elif robust is None:
        covariance = np.full_like(fit.covariance, math.nan)
    else:
        covariance, known = robust.covariance, robust

        def degrees(combination: Floats) -> float:
            return known.degrees(combination @ gradient)

    return standardised(
        risks[0],
        risks[1],
        gradient @ covariance @ gradient.T,
        n=size,
        level=level,
        method="g-computation",
        df=degrees,
        clusters=None if who is None else who.number,
        reasons=reasons,
        correction=None if robust is None else robust.method,
    )


def _clustered(
    fit: LogitFit, x: Floats, one: NDArray[np.bool_], who: Clusters | None
) -> tuple[ClusteredLogit | None, tuple[str, ...]]:
    """The model with errors that its clusters allow, none where they are too few, and the reasons."""
    if who is None:
        return None, ()
    # The arm with fewer clusters decides: it is known no better than they allow.
    reasons = cluster_reasons(who.number, min(who.within(side) for side in (one, ~one)))
    if "too_few_clusters" in reasons:
        return None, reasons
    return clustered(fit, x, who, "CR2" if "few_clusters" in reasons else "CR1"), reasons


def columns(covariates: ArrayLike, rows: int) -> Floats:
    """Covariates as a finite (rows, q) array; a single column may be one-dimensional, none an empty one.

    Raises
    ------
    AnalysisError
        For another shape or values that are not finite.
    """
    x = np.asarray(covariates, float)
    x = x[:, None] if x.ndim == 1 else x
    if x.ndim != 2 or x.shape[0] != rows or not np.isfinite(x).all():
        raise AnalysisError(f"covariates must be finite, shape ({rows}, q); got shape {x.shape}.")
    return x


def without_repeats(covariates: Floats, n: Floats) -> Floats:
    """Covariates without the columns that, where observed, repeat the intercept or columns before them."""
    seen = n > 0
    return covariates[:, independent(np.column_stack([np.ones(int(seen.sum())), covariates[seen]]))[1:]]
