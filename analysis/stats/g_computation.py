"""What both arms' risks would be on the same members: a logistic model, predicted twice and averaged."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, stdtrit

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_counts, checked_level, normal_quantile
from analysis.stats.clustered_logit import cluster_logit
from analysis.stats.linearised import cluster_reasons
from analysis.stats.logit import independent, logit
from analysis.stats.pooled import Basis, Pooled, checked_arm, pooled


@dataclass(frozen=True, slots=True)
class Standardised:
    """Risks of both arms on one mix of members, and their contrasts.

    `risk_1` (virtual) and `risk_0` (in person) are fractions, ``None`` (with `reasons`) where the model does not
    exist; `difference` and `ratio` carry errors and intervals. `effective_1` and `effective_0` are the sizes of
    equally weighted samples with the same precision, for weighted methods; `n_trimmed` observations were left
    out for want of overlap. `interval_1` and `interval_0` are of the risks themselves, made on the logit scale.
    """

    risk_1: float | None
    risk_0: float | None
    difference: Pooled
    ratio: Pooled
    n: int
    n_trimmed: int = 0
    effective_1: float | None = None
    effective_0: float | None = None
    reasons: tuple[str, ...] = ()
    interval_1: Interval | None = None
    interval_0: Interval | None = None


def g_computation(
    arm: ArrayLike,
    covariates: ArrayLike,
    events: ArrayLike,
    n: ArrayLike,
    *,
    interactions: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> Standardised:
    """Standardised risks by g-computation: a logistic model of arm and covariates, averaged over everyone.

    Each risk is the mean over all observations of the probability predicted with the arm set; the error of
    a contrast is by the delta method from the model's robust covariance (HC0; clustered, CR1, with `cluster`, and t
    with as many degrees of freedom as the arm with fewer clusters allows), the mix of covariates taken as given.

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
    cluster : array_like, optional
        Whole-number codes, shape (rows,).
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
    Robins (1986), Math. Model. 7, 1393–1512; Flanders & Rhodes (1987), J. Chronic Dis. 40, 697–704.

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
    if not (total[one].sum() and total[~one].sum()):
        return no_risks(size, level, ("arm_empty",))

    def design(values: Floats) -> Floats:
        return np.column_stack([np.ones(y.size), values, rest, values[:, None] * moderators])

    x = design(one.astype(float))
    fit = logit(x, y, total)
    if fit.reasons:
        return no_risks(size, level, fit.reasons)
    df: float | None = None
    clusters: int | None = None
    reasons: tuple[str, ...] = ()
    if cluster is None:
        # Squared residuals of the single observations, which are 1 − p and −p.
        squares = y * (1 - fit.probability) ** 2 + (total - y) * fit.probability**2
        covariance = fit.covariance @ (x.T * squares) @ x @ fit.covariance
    else:
        robust = cluster_logit(x, y, total, cluster)
        covariance, clusters, reasons = robust.covariance, robust.clusters, robust.reasons
        fewest = min(np.unique(np.asarray(cluster)[side & (total > 0)]).size for side in (one, ~one))
        reasons = reasons or cluster_reasons(clusters, fewest)
        # An arm with few clusters is known no better than they allow.
        if "too_few_clusters" in reasons:
            covariance = np.full_like(covariance, math.nan)
        else:
            df = float(fewest - 1)
    share = total / total.sum()
    risks, slopes = [], []
    for value in (1.0, 0.0):
        at = design(np.full(y.size, value))
        p = expit(at @ fit.coef)
        risks.append(float(share @ p))
        slopes.append((share * p * (1 - p)) @ at)
    gradient = np.array(slopes)
    return standardised(
        risks[0],
        risks[1],
        gradient @ covariance @ gradient.T,
        n=size,
        level=level,
        method="g-computation",
        df=df,
        clusters=clusters,
        reasons=reasons,
    )


def standardised(
    risk_1: float,
    risk_0: float,
    covariance: Floats,
    *,
    n: int,
    level: float,
    method: str,
    df: float | None = None,
    clusters: int | None = None,
    reasons: tuple[str, ...] = (),
    n_trimmed: int = 0,
    effective: tuple[float, float] | None = None,
) -> Standardised:
    """Contrasts of two risks from the (2, 2) covariance of their estimates, arm 1 first."""
    basis = Basis(n, n_trimmed)

    def error(gradient: list[float]) -> float:
        return math.sqrt(max(float(np.array(gradient) @ covariance @ np.array(gradient)), 0.0))

    difference = pooled(
        risk_1 - risk_0,
        error([1.0, -1.0]) if np.isfinite(covariance).all() else math.nan,
        basis=basis,
        level=level,
        method=method,
        df=df,
        clusters=clusters,
        reasons=reasons,
        within=(-1.0, 1.0),
    )
    both = risk_1 > 0 and risk_0 > 0
    ratio = pooled(
        math.log(risk_1 / risk_0) if both else math.nan,
        error([1 / risk_1, -1 / risk_0]) if both and np.isfinite(covariance).all() else math.nan,
        scale="log",
        basis=basis,
        level=level,
        method=method,
        df=df,
        clusters=clusters,
        reasons=reasons if both else (*reasons, "ratio_needs_events"),
    )
    one, other = effective or (None, None)
    own = [
        _risk_interval(risk, float(variance), df, level, method)
        for risk, variance in zip((risk_1, risk_0), np.diag(covariance), strict=True)
    ]
    return Standardised(risk_1, risk_0, difference, ratio, n, n_trimmed, one, other, reasons, own[0], own[1])


def _risk_interval(risk: float, variance: float, df: float | None, level: float, method: str) -> Interval | None:
    """Interval of one risk on the logit scale, so that it stays between 0 and 1."""
    if not (0 < risk < 1 and variance > 0):
        return None
    quantile = normal_quantile(level) if df is None else float(stdtrit(df, (1 + level) / 2))
    middle, reach = math.log(risk / (1 - risk)), quantile * math.sqrt(variance) / (risk * (1 - risk))
    return Interval(float(expit(middle - reach)), float(expit(middle + reach)), level, method)


def no_risks(n: int, level: float, reasons: tuple[str, ...]) -> Standardised:
    """The answer where no risk can be estimated."""
    nothing = pooled(math.nan, math.nan, basis=Basis(0, n), level=level, method="", reasons=reasons)
    return Standardised(None, None, nothing, nothing, n, reasons=reasons)


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
