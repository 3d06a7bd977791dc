"""Logistic regression on counts: one row per combination of covariates, with its events and its total.

Designs are arrays whose columns the caller builds (a column of ones for the intercept); formulas are never
read. Counts give exactly what one row per validation would.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_counts

_ITERATIONS = 100
# Beyond this a linear predictor is a probability of 0 or 1: only separation drives one there.
_EDGE = 15.0
# Cosines of columns to one another that leave no doubt that they are independent.
_CLEARLY = 1e-6


@dataclass(frozen=True, slots=True)
class LogitFit:
    """A logistic model.

    `coef` (log odds ratios) and `se` have shape (p,), `covariance` (p, p), the inverse Fisher information;
    all NaN where the model could not be fitted (see `reasons`: ``separated`` when an effect runs off to
    infinity, ``collinear`` when columns repeat each other, ``zero_denominator`` without observations).
    `probability` is fitted, shape (rows,); `n` counts observations.
    """

    coef: Floats
    se: Floats
    covariance: Floats
    probability: Floats
    n: int
    method: str
    reasons: tuple[str, ...] = ()


def logit(design: ArrayLike, events: ArrayLike, n: ArrayLike) -> LogitFit:
    """Logistic regression by maximum likelihood.

    Newton steps with the Fisher information ``X' diag(n p (1 − p)) X``, halved while they do not raise the
    likelihood.

    Parameters
    ----------
    design : array_like
        Covariates, shape (rows, p), intercept included.
    events, n : array_like
        Events and totals per row (whole numbers), shape (rows,). Rows with `n` of 0 are predicted only.

    Returns
    -------
    LogitFit

    Raises
    ------
    AnalysisError
        For impossible counts, or a design that is not finite and (rows, p).

    References
    ----------
    McCullagh & Nelder (1989), Generalized Linear Models, chapter 4.

    Examples
    --------
    >>> fit = logit([[1, 0], [1, 1]], [10, 20], [40, 40])
    >>> fit.coef.round(4), fit.se.round(4)
    (array([-1.0986,  1.0986]), array([0.3651, 0.483 ]))
    """
    x, y, total = checked_design(design, events, n)
    reasons = _unfit(x, total)
    if reasons:
        return _nothing(x, total, "maximum likelihood", reasons)
    # Rows that are predicted only say nothing about the coefficients, and may be most of them.
    seen = total > 0
    z, events_seen, n_seen = x[seen], y[seen], total[seen]
    coef = np.zeros(x.shape[1])
    value = _loglik(z @ coef, events_seen, n_seen)
    for _ in range(_ITERATIONS):
        eta = z @ coef
        p = expit(eta)
        information = _information(z, n_seen * p * (1 - p))
        if _runs_off(z, eta, information):
            return _nothing(x, total, "maximum likelihood", ("separated",))
        step = np.linalg.solve(information, z.T @ (events_seen - n_seen * p))
        coef, value, moved = _climb(coef, step, value, lambda at: _loglik(z @ at, events_seen, n_seen))
        if moved < 1e-12:
            break
    return _fitted(x, total, coef, "maximum likelihood")


def firth_logit(design: ArrayLike, events: ArrayLike, n: ArrayLike) -> LogitFit:
    """Logistic regression with Firth's penalty: finite where the likelihood runs off to infinity.

    Maximises ``log L + ½ log |I|`` (Jeffreys prior), which takes out the first-order bias. For one yes-or-no
    covariate it is ½ added to every cell.

    Parameters
    ----------
    design : array_like
        Covariates, shape (rows, p), intercept included.
    events, n : array_like
        Events and totals per row (whole numbers), shape (rows,).

    Returns
    -------
    LogitFit
        Errors from the Fisher information at the estimate.

    Raises
    ------
    AnalysisError
        As `logit`.

    References
    ----------
    Firth (1993), Biometrika 80, 27–38; Heinze & Schemper (2002), Stat. Med. 21, 2409–2419.

    Examples
    --------
    >>> fit = firth_logit([[1, 0], [1, 1]], [0, 10], [10, 10])
    >>> fit.coef.round(4), fit.se.round(4)
    (array([-3.0445,  6.089 ]), array([1.5181, 2.147 ]))
    """
    x, y, total = checked_design(design, events, n)
    reasons = _unfit(x, total)
    if reasons:
        return _nothing(x, total, "Firth", reasons)

    def penalised(at: Floats) -> float:
        p = expit(x @ at)
        sign, size = np.linalg.slogdet(_information(x, total * p * (1 - p)))
        return _loglik(x @ at, y, total) + float(size) / 2 if sign > 0 else -np.inf

    coef = np.zeros(x.shape[1])
    value = penalised(coef)
    for _ in range(_ITERATIONS):
        p = expit(x @ coef)
        weight = total * p * (1 - p)
        covariance = np.linalg.inv(_information(x, weight))
        leverage = weight * np.einsum("ij,jk,ik->i", x, covariance, x)
        step = covariance @ (x.T @ (y - total * p + leverage * (0.5 - p)))
        coef, value, moved = _climb(coef, step, value, penalised)
        if moved < 1e-12:
            break
    return _fitted(x, total, coef, "Firth")


def checked_design(design: ArrayLike, events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats, Floats]:
    """A design with its events and totals, checked to belong together.

    Raises
    ------
    AnalysisError
        For impossible counts, or a design that is not finite and (rows, p).
    """
    x = np.asarray(design, float)
    y, total = checked_counts(events, n)
    if x.ndim != 2 or y.shape != x.shape[:1] or not np.isfinite(x).all():
        raise AnalysisError(
            f"design must be finite, one row per count, shape ({y.size}, p); got shape {x.shape}."
        )
    return x, y, total


def independent(design: Floats) -> NDArray[np.bool_]:
    """Which columns are not combinations of those before them.

    >>> independent(np.array([[1.0, 0, 1], [1, 1, 0], [1, 0, 1]]))
    array([ True,  True, False])
    """
    if full_rank(design):
        return np.ones(design.shape[1], bool)
    if design.shape[0] < design.shape[1]:
        # More columns than rows: rows of zeros change no combination.
        design = np.vstack([design, np.zeros((design.shape[1] - design.shape[0], design.shape[1]))])
    left = np.abs(np.diag(np.linalg.qr(design, mode="r")))
    return np.asarray(left > 1e-9 * np.maximum(np.linalg.norm(design, axis=0), 1e-300))


def full_rank(design: Floats) -> bool:
    """Whether columns are so clearly no combinations of one another that their products show it.

    Products square what is close to a combination, so False only says to look closer.

    >>> full_rank(np.array([[1.0, 0], [1, 1]])), full_rank(np.array([[1.0, 2], [2, 4]]))
    (True, False)
    """
    products = design.T @ design
    size = np.sqrt(np.diag(products))
    if not (size > 0).all():
        return False
    values = np.linalg.eigvalsh(products / np.outer(size, size))
    # Columns of very different sizes are dependent to `matrix_rank` long before they are so by their angles.
    return bool(values.size == 0 or (values[0] > _CLEARLY and size.min() > _CLEARLY * size.max()))


def _unfit(x: Floats, n: Floats) -> tuple[str, ...]:
    seen = n > 0
    if not seen.any():
        return ("zero_denominator",)
    known = full_rank(x[seen]) or np.linalg.matrix_rank(x[seen]) == x.shape[1]
    return () if known else ("collinear",)


def _runs_off(x: Floats, eta: Floats, information: Floats) -> bool:
    """Whether a fitted probability of almost 0 or 1 is known by nothing but the drive to get there."""
    far = np.abs(eta) > _EDGE
    if not far.any():
        return False
    error = np.sqrt(np.einsum("ij,jk,ik->i", x[far], np.linalg.pinv(information), x[far]))
    return bool((error > np.abs(eta[far])).any())


def _climb(
    coef: Floats, step: Floats, value: float, height: Callable[[Floats], float]
) -> tuple[Floats, float, float]:
    size = 1.0
    for _ in range(40):
        at = coef + size * step
        reached = float(height(at))
        if reached >= value - 1e-12 * abs(value):
            return at, reached, float(np.abs(size * step).max())
        size /= 2
    return coef, value, 0.0


def _information(x: Floats, weight: Floats) -> Floats:
    return np.asarray((x * weight[:, None]).T @ x)


def _loglik(eta: Floats, y: Floats, n: Floats) -> float:
    return float(y @ log_expit(eta) + (n - y) @ log_expit(-eta))


def _fitted(x: Floats, n: Floats, coef: Floats, method: str) -> LogitFit:
    p = expit(x @ coef)
    covariance = np.linalg.inv(_information(x, n * p * (1 - p)))
    se = np.sqrt(np.diag(covariance))
    return LogitFit(coef, se, np.asarray(covariance, float), p, round(float(n.sum())), method)


def _nothing(x: Floats, n: Floats, method: str, reasons: tuple[str, ...]) -> LogitFit:
    blank = np.full(x.shape[1], np.nan)
    square = np.full((x.shape[1], x.shape[1]), np.nan)
    return LogitFit(blank, blank, square, np.full(x.shape[0], np.nan), round(float(n.sum())), method, reasons)
