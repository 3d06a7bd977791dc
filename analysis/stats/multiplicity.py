"""Many questions at once: p-values adjusted for their family. NaN (nothing tested) is no member of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

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
    return _adjusted(p, "holm")


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
    return _adjusted(p, "fdr_bh")


def _adjusted(p: ArrayLike, method: str) -> Floats:
    from statsmodels.stats.multitest import multipletests

    values = np.array(p, float)
    tested = ~np.isnan(values)
    if not ((values[tested] >= 0) & (values[tested] <= 1)).all():
        raise AnalysisError(
            f"p-values must lie between 0 and 1; got {np.nanmin(values):g} to {np.nanmax(values):g}."
        )
    if tested.any():
        values[tested] = multipletests(values[tested], method=method)[1]
    return values
