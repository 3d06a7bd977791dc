"""Logistic regression whose observations come in clusters: errors that allow for specialists' habits.

Counts grouped by covariates and cluster give exactly what one row per validation would.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from analysis.stats.bias_reduced import adjusted_loadings
from analysis.stats.bounds import Floats
from analysis.stats.linearised import MIN_CLUSTERS, cluster_reasons
from analysis.stats.logit import LogitFit, checked_design, logit
from analysis.stats.pooled import Codes, coded


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
    cluster: ArrayLike,
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
    cluster : array_like
        Whole-number codes, shape (rows,).
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
    x, y, total, codes, number, fit = _prepared(design, events, n, cluster)
    refused = number < max(min_clusters, 2)
    reasons = fit.reasons or (("too_few_clusters",) if refused else cluster_reasons(number, number))
    if fit.reasons or refused:
        return _nothing(fit, number, "CR1", reasons)
    scores = _summed(x * (y - total * fit.probability)[:, None], codes, number) @ fit.covariance
    covariance = scores.T @ scores * (number / (number - 1))
    df = np.full(fit.coef.shape, number - 1.0)
    return ClusteredLogit(fit.coef, np.sqrt(np.diag(covariance)), df, covariance, fit, number, "CR1", reasons)


def cr2_logit(
    design: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    cluster: ArrayLike,
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
    x, y, total, codes, number, fit = _prepared(design, events, n, cluster)
    refused = number < max(min_clusters, 2)
    reasons = fit.reasons or (("too_few_clusters",) if refused else cluster_reasons(number, number))
    if fit.reasons or refused:
        return _nothing(fit, number, "CR2", reasons)
    variance = fit.probability * (1 - fit.probability)
    rows = np.sqrt(total * variance)[:, None] * x
    pulled = np.sqrt(variance / total) * (y - total * fit.probability)
    p = x.shape[1]
    scores, own, through = np.zeros((number, p)), np.zeros((number, p, p)), np.zeros((number, p, p))
    for g in range(number):
        of = codes == g
        # Observations with equal covariates enter only through their sums, so one dimension stands for them all.
        adjusted = adjusted_loadings(variance[of], rows[of], fit.covariance)
        scores[g] = adjusted.T @ pulled[of]
        loading = variance[of][:, None] * (adjusted @ fit.covariance)
        own[g] = loading.T @ loading
        through[g] = rows[of].T @ loading
    moved = scores @ fit.covariance
    covariance = moved.T @ moved
    se = np.sqrt(np.diag(covariance))
    found = ClusteredLogit(fit.coef, se, se, covariance, fit, number, "CR2", reasons, own, through)
    return replace(found, df=np.array([found.degrees(unit) for unit in np.eye(p)]))


def _prepared(
    design: ArrayLike, events: ArrayLike, n: ArrayLike, cluster: ArrayLike
) -> tuple[Floats, Floats, Floats, Codes, int, LogitFit]:
    x, y, total = checked_design(design, events, n)
    codes = coded(cluster, y.size, "cluster")[0]
    # A cluster nobody was observed in is none.
    seen = total > 0
    codes, number = coded(codes[seen], int(seen.sum()), "cluster")
    x, y, total = x[seen], y[seen], total[seen]
    return x, y, total, codes, number, logit(x, y, total)


def _summed(rows: Floats, codes: Codes, number: int) -> Floats:
    out = np.zeros((number, *rows.shape[1:]))
    np.add.at(out, codes, rows)
    return out


def _nothing(fit: LogitFit, clusters: int, method: str, reasons: tuple[str, ...]) -> ClusteredLogit:
    blank, square = np.full(fit.coef.shape, np.nan), np.full(fit.covariance.shape, np.nan)
    return ClusteredLogit(fit.coef, blank, blank, square, fit, clusters, method, reasons)
