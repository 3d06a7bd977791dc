"""Logistic regression whose observations come in clusters: errors that allow for specialists' habits.

Counts grouped by covariates and cluster give exactly what one row per validation would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.stats.bias_reduced import adjusted_loadings
from analysis.stats.bounds import Floats
from analysis.stats.clusters import Clusters, clusters_of
from analysis.stats.linearised import MIN_CLUSTERS, cluster_reasons
from analysis.stats.logit import LogitFit, checked_design, logit

Correction = Literal["CR1", "CR2"]


@dataclass(frozen=True, slots=True)
class ClusteredLogit:
    """A logistic model with clustered errors.

    `coef`, `se` and `df` (degrees of freedom of each coefficient's t) have shape (p,), `covariance` (p, p). Where
    the model or its errors do not exist they are NaN, with `reasons` (those of `LogitFit`, ``too_few_clusters``,
    or ``few_clusters`` under 40 as a warning). `own` and `through`, of shape (clusters, p, p), are what a cluster
    contributes to its own variance and through the fit to that of all; None where degrees of freedom do not depend
    on them.
    """

    coef: Floats
    se: Floats
    df: Floats
    covariance: Floats
    fit: LogitFit
    clusters: int
    method: str
    reasons: tuple[str, ...] = ()
    own: Floats | None = None
    through: Floats | None = None

    def degrees(self, contrast: ArrayLike) -> float:
        """Degrees of freedom of the variance of ``contrast · coef``; NaN where it has no error.

        By Satterthwaite, ``(tr P)²/Σ P²`` with P the covariances of the clusters' contributions were observations
        independent; clusters − 1 for errors without bias reduction.
        """
        c = np.asarray(contrast, float)
        if np.isnan(self.covariance).any():
            return math.nan
        if self.own is None or self.through is None:
            return self.clusters - 1.0
        through = self.through @ c
        products = (
            np.diag(np.einsum("gij,i,j->g", self.own, c, c)) - through @ self.fit.covariance @ through.T
        )
        squares = float((products**2).sum())
        return float(np.trace(products)) ** 2 / squares if squares > 0 else math.nan


def cluster_logit(
    design: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    min_clusters: int = MIN_CLUSTERS,
) -> ClusteredLogit:
    """Logistic regression with cluster-robust errors (CR1), for 40 clusters or more.

    ``G/(G − 1) · M (Σ s_g s_g') M`` with s_g the summed scores of cluster g and M the model's covariance;
    t on G − 1 degrees of freedom.

    Parameters
    ----------
    design : array_like
        Covariates, shape (rows, p), intercept included.
    events, n : array_like
        Events and totals per row (whole numbers), shape (rows,).
    cluster : array_like or Clusters
        Whole-number codes, shape (rows,), or who observed what of rows that several clusters share.
    min_clusters : int
        With fewer, no error is given (reason ``too_few_clusters``).

    Returns
    -------
    ClusteredLogit

    Raises
    ------
    AnalysisError
        For impossible counts, a design of another shape, or clusters without codes.

    References
    ----------
    Liang & Zeger (1986), Biometrika 73, 13–22.

    Examples
    --------
    >>> x = [[1, 0], [1, 1]] * 6
    >>> fit = cluster_logit(x, [4, 9, 6, 7, 2, 8, 5, 5, 7, 9, 3, 6], [12] * 12, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    >>> fit.coef.round(3), fit.se.round(3), fit.df
    (array([-0.511,  0.963]), array([0.272, 0.334]), array([5., 5.]))
    """
    x, y, total = checked_design(design, events, n)
    return clustered(logit(x, y, total), x, clusters_of(cluster, y, total), "CR1", min_clusters)


def cr2_logit(
    design: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    cluster: ArrayLike | Clusters,
    *,
    min_clusters: int = MIN_CLUSTERS,
) -> ClusteredLogit:
    """Logistic regression with bias-reduced cluster-robust errors (CR2) and Satterthwaite degrees of freedom.

    Residuals of cluster g are multiplied by ``A_g = D (D (I − H)_g Φ (I − H)_g' D)^(−1/2) D``, with H the hat
    matrix, Φ the binomial variances and D = Φ_g^½, which makes the error unbiased if observations are
    independent. The degrees of freedom are those of the error's distribution in that case.

    Parameters
    ----------
    design, events, n, cluster, min_clusters
        As in `cluster_logit`.

    Returns
    -------
    ClusteredLogit

    Raises
    ------
    AnalysisError
        As `cluster_logit`.

    References
    ----------
    Bell & McCaffrey (2002), Surv. Methodol. 28, 169–181; Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36,
    672–683.

    Examples
    --------
    >>> x = [[1, 0], [1, 1]] * 6
    >>> fit = cr2_logit(x, [4, 9, 6, 7, 2, 8, 5, 5, 7, 9, 3, 6], [12] * 12, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    >>> fit.se.round(3), fit.df.round(2)
    (array([0.272, 0.334]), array([5., 5.]))
    """
    x, y, total = checked_design(design, events, n)
    return clustered(logit(x, y, total), x, clusters_of(cluster, y, total), "CR2", min_clusters)


def clustered(
    fit: LogitFit, x: Floats, who: Clusters, method: Correction, min_clusters: int = MIN_CLUSTERS
) -> ClusteredLogit:
    """A model that is fitted already, with errors by cluster."""
    refused = who.number < max(min_clusters, 2)
    reasons = fit.reasons or (("too_few_clusters",) if refused else cluster_reasons(who.number, who.number))
    if fit.reasons or refused:
        blank, square = np.full(fit.coef.shape, np.nan), np.full(fit.covariance.shape, np.nan)
        return ClusteredLogit(fit.coef, blank, blank, square, fit, who.number, method, reasons)
    if method == "CR2":
        return _bias_reduced(fit, x, who, reasons)
    scores = who.sums(x, -fit.probability[:, None] * x) @ fit.covariance
    covariance = scores.T @ scores * (who.number / (who.number - 1))
    df = np.full(fit.coef.shape, who.number - 1.0)
    return ClusteredLogit(
        fit.coef, np.sqrt(np.diag(covariance)), df, covariance, fit, who.number, "CR1", reasons
    )


def _bias_reduced(fit: LogitFit, x: Floats, who: Clusters, reasons: tuple[str, ...]) -> ClusteredLogit:
    p = x.shape[1]
    scores = np.zeros((who.number, p))
    own, through = np.zeros((who.number, p, p)), np.zeros((who.number, p, p))
    for g, of in enumerate(who.entries()):
        place, total = who.pattern[of], who.n[of]
        variance = (fit.probability * (1 - fit.probability))[place]
        rows = np.sqrt(total * variance)[:, None] * x[place]
        pulled = np.sqrt(variance / total) * (who.events[of] - total * fit.probability[place])
        # Observations with equal covariates enter only through their sums, so one dimension stands for them all.
        adjusted = adjusted_loadings(variance, rows, fit.covariance)
        scores[g] = adjusted.T @ pulled
        loading = variance[:, None] * (adjusted @ fit.covariance)
        own[g] = loading.T @ loading
        through[g] = rows.T @ loading
    moved = scores @ fit.covariance
    covariance = moved.T @ moved
    se = np.sqrt(np.diag(covariance))
    found = ClusteredLogit(fit.coef, se, se, covariance, fit, who.number, "CR2", reasons, own, through)
    return replace(found, df=np.array([found.degrees(unit) for unit in np.eye(p)]))
