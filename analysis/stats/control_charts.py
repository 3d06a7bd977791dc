"""Control limits of a rate over periods, wide enough for the spread between neighbouring periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, checked_counts

_PROVISIONAL_BELOW = 20
# The mean distance of two independent standard normal values, to the digits custom gives it.
_MEAN_RANGE = 1.128


@dataclass(frozen=True, slots=True)
class ControlChart:
    """A p-prime chart, arrays of shape (periods,).

    `rate` per period (NaN without observations), limits `low` and `high` within [0, 1], `outside` true for
    periods beyond them. `centre` is the rate of all periods and `sigma_z` the spread beyond binomial (1 is none
    beyond it); both ``None`` where they do not exist.
    """

    rate: Floats
    low: Floats
    high: Floats
    outside: NDArray[np.bool_]
    centre: float | None
    sigma_z: float | None
    reasons: tuple[str, ...] = ()


def laney_p_prime(events: ArrayLike, n: ArrayLike) -> ControlChart:
    """Laney's p′ chart: three-sigma limits of a proportion that allow for overdispersion.

    ``p̄ ± 3 σ_z √(p̄ q̄/n)``, with σ_z the mean moving range of ``z = (p − p̄)/√(p̄ q̄/n)`` over 1.128.

    Parameters
    ----------
    events, n : array_like
        Events and totals per period in order of time (whole numbers), shape (periods,).

    Returns
    -------
    ControlChart
        With reason ``few_periods`` under 20 periods (limits are provisional), ``too_few_periods`` where no two
        neighbouring periods have observations, ``no_variation`` without events or without non-events.

    Raises
    ------
    AnalysisError
        For impossible counts or another shape.

    References
    ----------
    Laney (2002), Qual. Eng. 14, 531–537.

    Examples
    --------
    >>> chart = laney_p_prime([1200, 3000, 800, 4500], [8000, 15000, 6000, 16000])
    >>> round(chart.centre, 4), round(chart.sigma_z, 2), chart.high.round(3)
    (0.2111, 17.14, array([0.446, 0.382, 0.482, 0.377]))
    """
    x, size = (np.atleast_1d(values) for values in checked_counts(events, n))
    if x.ndim != 1:
        raise AnalysisError(f"events and n must hold one number per period; got shape {x.shape}.")
    blank = np.full(x.shape, np.nan)
    seen = size > 0
    rate = np.divide(x, size, out=blank.copy(), where=seen)
    never = np.zeros(x.shape, bool)
    if not seen.any():
        return ControlChart(rate, blank, blank, never, None, None, ("zero_denominator",))
    centre = float(x.sum() / size.sum())
    if not 0 < centre < 1:
        return ControlChart(rate, blank, blank, never, centre, None, ("no_variation",))
    sigma = np.sqrt(np.divide(centre * (1 - centre), size, out=blank.copy(), where=seen))
    moves = np.abs(np.diff((rate - centre) / sigma))
    moves = moves[~np.isnan(moves)]
    if not moves.size:
        return ControlChart(rate, blank, blank, never, centre, None, ("too_few_periods",))
    sigma_z = float(moves.mean()) / _MEAN_RANGE
    low = np.maximum(centre - 3 * sigma_z * sigma, 0.0)
    high = np.minimum(centre + 3 * sigma_z * sigma, 1.0)
    reasons = ("few_periods",) if int(seen.sum()) < _PROVISIONAL_BELOW else ()
    return ControlChart(rate, low, high, np.asarray((rate < low) | (rate > high)), centre, sigma_z, reasons)
