"""Residuals of one cluster made larger by what the fit took out of them: the matrices behind CR2 errors."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ellipj, ellipkm1

from analysis.stats.bounds import Floats

# Directions a cluster determines alone: their leverage is 1 and they are left out, as in clubSandwich.
_DETERMINED = 1e-12
_ALONE = 1e-9
# Above this many rows an eigendecomposition (cubic) is slower than the quadrature (linear).
_MANY = 100
_DIGITS = 1e-12


def adjusted_loadings(spread: Floats, loadings: Floats, covariance: Floats) -> Floats:
    """``(V (I − R C R') V)^(−1/2) R`` for one cluster: its rows with their residuals' spread put right.

    Parameters
    ----------
    spread : ndarray, shape (rows,)
        The diagonal of V, positive.
    loadings : ndarray, shape (rows, p)
        R.
    covariance : ndarray, shape (p, p)
        C, symmetric, with all eigenvalues of ``R C R'`` at most 1.

    Returns
    -------
    ndarray, shape (rows, p)

    References
    ----------
    Bell & McCaffrey (2002), Surv. Methodol. 28, 169–181. For many rows: Hale, Higham & Trefethen (2008), SIAM J.
    Numer. Anal. 46, 2505–2523, method 3.

    Examples
    --------
    >>> adjusted_loadings(np.array([1.0]), np.array([[0.6]]), np.array([[1.0]])).round(4)
    array([[0.75]])
    """
    if spread.size <= _MANY:
        hat = loadings @ covariance @ loadings.T
        return _inverse_root(spread[:, None] * (np.eye(spread.size) - hat) * spread) @ loadings
    return _by_quadrature(spread, loadings, covariance)


def _inverse_root(matrix: Floats) -> Floats:
    """Symmetric power −½, directions of no size left out."""
    values, vectors = np.linalg.eigh(matrix)
    kept = values > _DETERMINED
    return np.asarray((vectors * np.where(kept, np.where(kept, values, 1.0) ** -0.5, 0.0)) @ vectors.T)


def _by_quadrature(spread: Floats, loadings: Floats, covariance: Floats) -> Floats:
    """The same from ``A^(−1/2) = 2/π ∫ (A + s²)^(−1) ds``: each resolvent is a diagonal and p more directions."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    taken, turn = np.linalg.eigh(root.T @ loadings.T @ loadings @ root)
    alone = taken > 1 - _ALONE
    target = loadings
    if alone.any():
        # Null directions of V (I − R C R') V.
        null = (loadings @ root @ turn[:, alone]) / spread[:, None]
        null = np.linalg.qr(null)[0]
        target = loadings - null @ (null.T @ loadings)
    low = float(spread.min()) ** 2 * float(1 - taken[~alone].max(initial=0.0))
    high = float(spread.max()) ** 2
    pulled = spread[:, None] * loadings @ root
    out = np.zeros_like(loadings)
    for shift, weight in _nodes(low, high):
        # Woodbury: (diag − U U')⁻¹ from the inverse of a p × p matrix.
        diagonal = (spread**2 + shift)[:, None]
        shrunk = pulled / diagonal
        inner = np.linalg.solve(np.eye(root.shape[1]) - pulled.T @ shrunk, shrunk.T @ target)
        out += weight * (target / diagonal + shrunk @ inner)
    return out


def _nodes(low: float, high: float) -> list[tuple[float, float]]:
    """Shifts and weights that give ``x^(−1/2) ≈ Σ weight/(x + shift)`` to twelve digits between `low` and `high`."""
    ratio = low / high
    count = math.ceil(-math.log(_DIGITS) * (3 - math.log(ratio)) / (2 * math.pi**2))
    period = float(ellipkm1(ratio))
    sn, cn, dn, _ = ellipj((np.arange(count) + 0.5) * period / count, 1 - ratio)
    weights = 2 * period * math.sqrt(low) / (math.pi * count) * dn / cn**2
    return list(zip((low * (sn / cn) ** 2).tolist(), weights.tolist(), strict=True))
