"""Many questions at once: p-values adjusted for their family. NaN (nothing tested) is no member of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import false_discovery_control

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats


def holm(p: ArrayLike) -> Floats:
    """Holm's step-down adjustment: the chance of any false alarm in the family stays at the level.

    Parameters
    ----------
    p : array_like
        P-values of one family, any shape; NaN stays NaN and does not count.

    Returns
    -------
    ndarray
        Adjusted p-values of the same shape.

    Raises
    ------
    AnalysisError
        For values outside [0, 1].

    References
    ----------
    Holm (1979), Scand. J. Stat. 6, 65–70.

    Examples
    --------
    >>> holm([0.01, np.nan, 0.02, 0.5]).round(3)
    array([0.03,  nan, 0.04, 0.5 ])
    """
    # statsmodels collects the garbage of the whole process in its own, a third of a second in a server, and each time.
    return _adjusted(p, _stepped_down)


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """Benjamini–Hochberg q-values: the expected share of false alarms among those called.

    Parameters
    ----------
    p : array_like
        P-values of one family, any shape; NaN stays NaN and does not count.

    Returns
    -------
    ndarray
        q-values of the same shape.

    Raises
    ------
    AnalysisError
        For values outside [0, 1].

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289–300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, np.nan, 0.02, 0.5]).round(3)
    array([0.03,  nan, 0.03, 0.5 ])
    """
    return _adjusted(p, false_discovery_control)


def _stepped_down(p: Floats) -> Floats:
    """The smallest times m, the next times m − 1, …, never falling and at most 1."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)), 1.0)
    return adjusted


def _adjusted(p: ArrayLike, method: Callable[[Floats], Floats]) -> Floats:
    values = np.array(p, float)
    tested = ~np.isnan(values)
    if not ((values[tested] >= 0) & (values[tested] <= 1)).all():
        raise AnalysisError(
            f"p-values must lie between 0 and 1; got {np.nanmin(values):g} to {np.nanmax(values):g}."
        )
    if tested.any():
        values[tested] = method(values[tested])
    return values
