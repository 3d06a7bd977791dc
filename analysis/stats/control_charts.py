"""Control limits of a rate or a value over periods, and the signs that chance alone would hardly give."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

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


@dataclass(frozen=True, slots=True)
class IndividualsChart:
    """A chart of individual values (XmR), arrays of shape (periods,).

    `value` per period (NaN where there is none), `low`, `centre` and `high` the same for all; limits ``None`` where
    they do not exist.
    """

    value: Floats
    low: float | None
    high: float | None
    centre: float | None
    reasons: tuple[str, ...] = ()


def individuals_chart(values: ArrayLike) -> IndividualsChart:
    """Limits of single values from their moving range: ``mean ± 3 · mean moving range / 1.128``.

    Parameters
    ----------
    values : array_like
        One value per period in order of time, NaN where there is none; ranges do not reach across a gap.

    Returns
    -------
    IndividualsChart
        With reason ``few_periods`` under 20 values, ``too_few_periods`` where no two neighbours have one,
        ``no_variation`` where all are the same.

    Raises
    ------
    AnalysisError
        For infinite values or another shape.

    References
    ----------
    Wheeler & Chambers (1992), Understanding Statistical Process Control; the example is the viscosity of a primer
    paint in Montgomery, Introduction to Statistical Quality Control.

    Examples
    --------
    >>> chart = individuals_chart(
    ...     [33.75, 33.05, 34.00, 33.81, 33.46, 34.02, 33.68, 33.27, 33.49, 33.20, 33.62, 33.00, 33.54, 33.12, 33.84]
    ... )
    >>> round(chart.centre, 2), round(chart.low, 2), round(chart.high, 2)
    (33.52, 32.24, 34.8)
    """
    x = np.atleast_1d(np.asarray(values, float))
    if x.ndim != 1 or np.isinf(x).any():
        raise AnalysisError(f"values must be finite numbers or gaps, one per period; got shape {x.shape}.")
    seen = x[~np.isnan(x)]
    moves = np.abs(np.diff(x))
    moves = moves[~np.isnan(moves)]
    centre = float(seen.mean()) if seen.size else None
    if centre is None or not moves.size:
        return IndividualsChart(x, None, None, centre, ("too_few_periods",))
    if not moves.any():
        return IndividualsChart(x, None, None, centre, ("no_variation",))
    reach = 3 * float(moves.mean()) / _MEAN_RANGE
    return IndividualsChart(
        x, centre - reach, centre + reach, centre, ("few_periods",) if seen.size < _PROVISIONAL_BELOW else ()
    )


@dataclass(frozen=True, slots=True)
class Signs:
    """Which periods a rule of Nelson's points at, arrays of bool of shape (periods,).

    `outside` lie beyond the limits (rule 1), `run` belong to nine or more in a row on one side of the centre (rule 2),
    `zigzag` to fourteen or more in a row that go up and down in turn (rule 4).
    """

    outside: NDArray[np.bool_]
    run: NDArray[np.bool_]
    zigzag: NDArray[np.bool_]


RUN = 9
ZIGZAG = 14


def nelson_signs(values: ArrayLike, centre: float, low: ArrayLike, high: ArrayLike) -> Signs:
    """Nelson's rules 1, 2 and 4: outside the limits, a run on one side, a zigzag.

    Parameters
    ----------
    values : array_like
        One value per period in order of time, NaN where there is none: a gap ends runs and zigzags.
    centre : float
        A value on it ends a run.
    low, high : array_like
        Limits, one for all periods or one each.

    Returns
    -------
    Signs

    References
    ----------
    Nelson (1984), J. Qual. Technol. 16, 237–239.

    Examples
    --------
    >>> signs = nelson_signs([5, 1, *[3] * 9, 2], 2.0, 0.0, 4.0)
    >>> int(signs.outside.sum()), int(signs.run.sum()), int(signs.zigzag.sum())
    (1, 9, 0)
    """
    x = np.atleast_1d(np.asarray(values, float))
    with np.errstate(invalid="ignore"):
        outside = (x < np.asarray(low)) | (x > np.asarray(high))
        side = np.where(np.isnan(x), 0, np.sign(x - centre))
    run = np.zeros(x.shape, bool)
    for begins, ends in _stretches(side[1:] == side[:-1]):
        if side[begins] and ends - begins >= RUN:
            run[begins:ends] = True
    step = np.sign(np.diff(np.nan_to_num(x, nan=0.0)))
    gap = np.isnan(x)
    step[gap[1:] | gap[:-1]] = 0
    zigzag = np.zeros(x.shape, bool)
    for begins, ends in _stretches((step[1:] == -step[:-1]) & (step[1:] != 0)):
        # So many steps join one value more.
        if ends - begins + 1 >= ZIGZAG:
            zigzag[begins : ends + 1] = True
    return Signs(outside, run, zigzag)


def _stretches(joined: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one-past-last position of items that each are joined to the next."""
    edges = [0, *(np.flatnonzero(~joined) + 1).tolist(), joined.size + 1]
    return list(pairwise(edges))
