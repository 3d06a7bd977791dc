"""What a whole is made of: shares of categories, with limits that hold for all of them at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import AnalysisError
from analysis.stats.bounds import Bounds, Floats, checked_level, whole
from analysis.stats.proportions import wilson


@dataclass(frozen=True, slots=True)
class Composition:
    """Shares of a whole: `counts` as given, `share` fractions that sum to 1 (NaN of nothing), their `total`."""

    counts: Floats
    share: Floats
    total: int


def composition(counts: ArrayLike) -> Composition:
    """Shares of categories that make up a whole.

    Parameters
    ----------
    counts : array_like
        Whole numbers, one per category, shape (k,).

    Returns
    -------
    Composition

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    Examples
    --------
    >>> parts = composition([1, 3, 0])
    >>> parts.share, parts.total
    (array([0.25, 0.75, 0.  ]), 4)
    """
    x = whole("counts", counts)
    if x.ndim != 1 or not x.size:
        raise AnalysisError(f"counts must hold one number per category, shape (k,); got shape {x.shape}.")
    total = float(x.sum())
    share = x / total if total else np.full(x.shape, np.nan)
    return Composition(x, share, round(total))


def goodman_intervals(counts: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Simultaneous intervals of the shares of a whole: all k hold together with at least about `level`.

    Each is the score interval of one share at level ``1 − (1 − level)/k`` (Bonferroni), so that categories
    may be compared with one another after looking at them.

    Parameters
    ----------
    counts : array_like
        Whole numbers, one per category, shape (k,). Categories nobody fell into count towards k.
    level : float
        Confidence that all k shares lie within their limits.

    Returns
    -------
    Bounds
        Shape (k,), fractions in [0, 1]; NaN where nothing was counted.

    Raises
    ------
    AnalysisError
        For impossible counts, another shape, or a level outside (0, 1).

    References
    ----------
    Goodman (1965), Technometrics 7, 247–254.

    Examples
    --------
    >>> b = goodman_intervals([23, 12, 44])
    >>> b.low.round(4), b.high.round(4)
    (array([0.1863, 0.0792, 0.4239]), array([0.4243, 0.2717, 0.6824]))
    """
    parts = composition(counts)
    each = 1 - (1 - checked_level(level)) / parts.counts.size
    alone = wilson(parts.counts, parts.total, level=each)
    return Bounds(alone.estimate, alone.low, alone.high, level, "Goodman")
