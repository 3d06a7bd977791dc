"""Where a series changed level: one shift of its mean or of its rate, with a permutation p-value.

One shift is sought, never several: with a few dozen periods several could be found in any noise.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from analysis.errors import AnalysisError
from analysis.results import finite_or_none
from analysis.stats.bounds import Floats, checked_counts

Model = Literal["mean", "rate"]


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The likeliest single shift of a series.

    Parameters
    ----------
    last_before : int or None
        Position (from 0) of the last period before the shift.
    before, after : float or None
        Mean (or rate) of the two segments.
    statistic : float or None
        Greatest likelihood ratio statistic over all places a shift could be.
    p_value : float or None
        Share of reorderings of the periods with a statistic at least as great.
    periods : int
        Length of the series.
    model : {"mean", "rate"}
        What shifts.
    min_segment : int
        Fewest periods on either side that were allowed.
    draws, seed : int
        Of the permutation.
    reasons : tuple of str
        ``too_few_periods`` where the series is too short for the segments; ``no_variation`` for a flat one.
    """

    last_before: int | None
    before: float | None
    after: float | None
    statistic: float | None
    p_value: float | None
    periods: int
    model: Model
    min_segment: int
    draws: int
    seed: int
    reasons: tuple[str, ...] = ()


def mean_shift(y: ArrayLike, *, min_segment: int = 4, draws: int = 1999, seed: int = 2026) -> ChangePoint:
    """Single shift of the mean of a series by least squares.

    The split with the smallest sum of squares about the two means; the statistic is
    ``N log(SS_one / SS_two)``.

    Parameters
    ----------
    y : array_like
        Finite values in order of time, shape (periods,).
    min_segment : int
        Fewest periods on either side of the shift.
    draws : int
        Reorderings behind the p-value; 0 for none.
    seed : int
        Of the random generator.

    Returns
    -------
    ChangePoint

    Raises
    ------
    AnalysisError
        For values that are not finite, a `min_segment` below 1 or negative `draws`.

    References
    ----------
    Sen & Srivastava (1975), Ann. Stat. 3, 98–108.

    Examples
    --------
    >>> shift = mean_shift([5, 6, 5, 6, 9, 10, 9, 10])
    >>> shift.last_before, shift.before, shift.after, shift.p_value < 0.05
    (3, 5.5, 9.5, True)
    """
    values = np.asarray(y, float)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise AnalysisError("y must hold one finite number per period, in order of time.")
    centred = values - values.mean() if values.size else values
    # Weights of 1 make a mean of a rate; subtracting the overall mean keeps large values' digits.
    found = _search(centred, np.ones(values.shape), "mean", min_segment, draws, seed)
    return _with_levels(found, values, np.ones(values.shape))


def rate_shift(
    events: ArrayLike, n: ArrayLike, *, min_segment: int = 4, draws: int = 1999, seed: int = 2026
) -> ChangePoint:
    """Single shift of a rate per period by the greatest binomial likelihood ratio.

    Periods are reordered whole for the p-value, so that extra spread between periods (more than binomial)
    makes no change points.

    Parameters
    ----------
    events, n : array_like
        Events and totals per period in order of time, shape (periods,). Periods with `n` of 0 stay in the
        series and say nothing.
    min_segment : int
        Fewest periods with observations on either side of the shift.
    draws : int
        Reorderings behind the p-value; 0 for none.
    seed : int
        Of the random generator.

    Returns
    -------
    ChangePoint

    Raises
    ------
    AnalysisError
        For impossible counts, a `min_segment` below 1 or negative `draws`.

    References
    ----------
    Hinkley & Hinkley (1970), Biometrika 57, 477–488.

    Examples
    --------
    >>> shift = rate_shift([30, 28, 33, 31, 12, 14, 11, 13], [100] * 8)
    >>> shift.last_before, shift.before, shift.after, shift.p_value < 0.05
    (3, 0.305, 0.125, True)
    """
    x, total = (np.atleast_1d(values) for values in checked_counts(events, n))
    if x.ndim != 1:
        raise AnalysisError(f"events and n must hold one number per period; got shape {x.shape}.")
    seen = total > 0
    found = _search(x[seen], total[seen], "rate", min_segment, draws, seed)
    return _with_levels(found, x, total)


def _search(x: Floats, n: Floats, model: Model, min_segment: int, draws: int, seed: int) -> ChangePoint:
    """The shift among periods that have observations, levels still missing."""
    if min_segment < 1:
        raise AnalysisError(f"min_segment must be at least 1; got {min_segment}.")
    if draws < 0:
        raise AnalysisError(f"draws must be at least 0; got {draws}.")

    def answer(last: int | None, statistic: float, p: float, *reasons: str) -> ChangePoint:
        given = finite_or_none(statistic), finite_or_none(p)
        return ChangePoint(last, None, None, *given, x.size, model, min_segment, draws, seed, reasons)

    if x.size < 2 * min_segment:
        return answer(None, np.nan, np.nan, "too_few_periods")
    rates = x / n
    # A series that is flat but for rounding has no shift.
    if np.ptp(rates) <= 1e-12 * max(float(np.abs(rates).max()), 1e-300):
        return answer(None, np.nan, np.nan, "no_variation")
    ratios = _likelihood_ratios(x[None], n[None], model)[0, min_segment - 1 : x.size - min_segment]
    at = int(np.argmax(ratios))
    greatest = float(ratios[at])
    p = np.nan
    if draws:
        order = np.random.default_rng(seed).permuted(np.tile(np.arange(x.size), (draws, 1)), axis=1)
        shuffled = _likelihood_ratios(x[order], n[order], model)[:, min_segment - 1 : x.size - min_segment]
        # Reorderings that tie but for rounding count as tied.
        p = (1 + float((shuffled.max(axis=1) >= greatest * (1 - 1e-9)).sum())) / (draws + 1)
    return answer(at + min_segment - 1, greatest, p)


def _likelihood_ratios(x: Floats, n: Floats, model: Model) -> Floats:
    """Likelihood ratio statistic of a shift after each but the last period, shape (series, periods − 1)."""
    left_x, left_n = np.cumsum(x, axis=1), np.cumsum(n, axis=1)
    all_x, all_n = left_x[:, -1:], left_n[:, -1:]
    left_x, left_n = left_x[:, :-1], left_n[:, :-1]
    right_x, right_n = all_x - left_x, all_n - left_n
    if model == "mean":
        total = (x**2).sum(axis=1, keepdims=True) - all_x**2 / all_n
        within = np.maximum((x**2).sum(axis=1, keepdims=True) - left_x**2 / left_n - right_x**2 / right_n, 0)
        with np.errstate(divide="ignore"):
            return np.asarray(x.shape[1] * np.log(total / np.maximum(within, 1e-12 * total)))
    return np.asarray(2 * (_loglik(left_x, left_n) + _loglik(right_x, right_n) - _loglik(all_x, all_n)))


def _loglik(x: Floats, n: Floats) -> Floats:
    return np.asarray(xlogy(x, x / n) + xlogy(n - x, (n - x) / n))


def _with_levels(found: ChangePoint, x: Floats, n: Floats) -> ChangePoint:
    """The same answer with the position in the whole series and the levels of both segments."""
    if found.last_before is None:
        return replace(found, periods=x.size)
    last = int(np.flatnonzero(n > 0)[found.last_before])
    before, after = slice(None, last + 1), slice(last + 1, None)
    return replace(
        found,
        last_before=last,
        before=float(x[before].sum() / n[before].sum()),
        after=float(x[after].sum() / n[after].sum()),
        periods=x.size,
    )
