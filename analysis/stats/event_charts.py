"""Control limits of events: how many a period, or how many days between them where they are rare."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats, HypothesisTest, whole

FEWEST_POINTS = 20
WIDEN_ABOVE = 1.2
"""Spread between neighbouring periods, relative to chance, above which limits allow for it."""
TAIL = 0.00135
"""Chance of a point beyond either limit, as beyond three standard errors of a normal variable."""
# The mean distance of two independent standard normal values, to the digits custom gives it.
_MEAN_RANGE = 1.128


@dataclass(frozen=True, slots=True)
class EventChart:
    """Points of a chart with their limits, arrays of shape (points,).

    `value` is what is charted, `centre` what is expected of each point, `outside` true beyond `low` or `high` (NaN
    where there are no limits). `spread` is the variation between neighbours relative to chance (1 is chance alone),
    None where it was not looked at; `widened` says whether the limits allow for it.
    """

    value: Floats
    centre: Floats
    low: Floats
    high: Floats
    outside: NDArray[np.bool_]
    spread: float | None
    widened: bool
    method: str
    reasons: tuple[str, ...] = ()


def count_chart(events: ArrayLike, exposure: ArrayLike) -> EventChart:
    """Limits of the number of events in each period (u-chart, on the scale of counts).

    Expected are ``e = t Σx/Σt``. The limits are Poisson quantiles with `TAIL` beyond each; where neighbouring periods
    differ more than chance makes them (σ_z, the mean moving range of ``z = (x − e)/√e`` over 1.128, above
    `WIDEN_ABOVE`) they are ``e ± 3 σ_z √e`` (Laney's u′).

    Parameters
    ----------
    events, exposure : array_like
        Whole numbers and time (or amount) at risk per period in order of time, shape (periods,).

    Returns
    -------
    EventChart
        With reason ``few_periods`` under 20 periods, ``too_few_periods`` (and no limits) under 2, ``no_variation``
        without any event.

    Raises
    ------
    AnalysisError
        For impossible counts, exposure that is not above zero, or columns of unequal length.

    References
    ----------
    Laney (2002), Qual. Eng. 14, 531–537; Montgomery (2019), Statistical Quality Control, section 7.3.

    Examples
    --------
    >>> chart = count_chart([3, 5, 4, 18], [30, 31, 30, 31])
    >>> chart.widened, round(chart.spread, 2), chart.high.round(1)
    (True, 1.76, array([21.7, 22.2, 21.7, 22.2]))
    """
    from scipy.stats import poisson

    x, t = whole("events", events), np.asarray(exposure, float)
    if x.ndim != 1 or x.shape != t.shape:
        raise AnalysisError(
            f"events and exposure must hold one number per period; got shapes {x.shape} and {t.shape}."
        )
    if not (t > 0).all():
        raise AnalysisError(f"exposure must be above zero in every period; got {t.min():g}.")
    blank = np.full(x.shape, np.nan)
    never = np.zeros(x.shape, bool)
    if x.size < 2:
        return EventChart(x, blank, blank, blank, never, None, False, "", ("too_few_periods",))
    expected = t * (x.sum() / t.sum())
    if not x.any():
        return EventChart(x, expected, blank, blank, never, None, False, "", ("no_variation",))
    spread = float(np.abs(np.diff((x - expected) / np.sqrt(expected))).mean()) / _MEAN_RANGE
    widened = spread > WIDEN_ABOVE
    if widened:
        reach = 3 * spread * np.sqrt(expected)
        low, high = np.maximum(expected - reach, 0.0), expected + reach
    else:
        low, high = (np.asarray(poisson.ppf(q, expected), float) for q in (TAIL, 1 - TAIL))
    method = "Laney u-prime" if widened else "Poisson"
    reasons = ("few_periods",) if x.size < FEWEST_POINTS else ()
    return EventChart(x, expected, low, high, (x < low) | (x > high), spread, widened, method, reasons)


def gap_chart(gaps: ArrayLike) -> EventChart:
    """Limits of the days between events that are too rare to be counted by period (g-chart).

    Days without an event between two events are geometric when events come by chance: ``P(G > g) = (1 − p)^(g + 1)``
    with ``p = 1/(1 + mean)``. The limits are its quantiles with `TAIL` beyond each; a point above is an unusually
    long wait.

    Parameters
    ----------
    gaps : array_like
        Whole days between one event and the next, in order of time, shape (points,).

    Returns
    -------
    EventChart
        With reason ``few_periods`` under 20 points, ``too_few_periods`` (and no limits) under 2, ``no_variation``
        where every event fell on one day.

    Raises
    ------
    AnalysisError
        For gaps that are not whole numbers of at least 0, or another shape.

    References
    ----------
    Benneyan (2001), Health Care Manag. Sci. 4, 305–318.

    Examples
    --------
    >>> chart = gap_chart([12, 30, 3, 55, 20])
    >>> f"{chart.centre[0]:.0f} {chart.high[0]:.0f}"
    '24 161'
    """
    from scipy.stats import geom

    g = whole("gaps", gaps)
    if g.ndim != 1:
        raise AnalysisError(f"gaps must hold one number per point; got shape {g.shape}.")
    blank = np.full(g.shape, np.nan)
    never = np.zeros(g.shape, bool)
    if g.size < 2:
        return EventChart(g, blank, blank, blank, never, None, False, "", ("too_few_periods",))
    mean = float(g.mean())
    centre = np.full(g.shape, mean)
    if mean == 0:
        return EventChart(g, centre, blank, blank, never, None, False, "", ("no_variation",))
    # The library counts trials up to and with the event, a gap the days before it.
    low, high = (np.full(g.shape, float(geom.ppf(q, 1 / (1 + mean))) - 1) for q in (TAIL, 1 - TAIL))
    reasons = ("few_periods",) if g.size < FEWEST_POINTS else ()
    return EventChart(g, centre, low, high, (g < low) | (g > high), None, False, "geometric", reasons)


def poisson_dispersion(events: ArrayLike, exposure: ArrayLike) -> HypothesisTest:
    """Whether counts vary more over periods than events that come by chance.

    ``Σ (x − e)²/e`` with ``e = t Σx/Σt`` over its degrees of freedom: 1 by chance, more where events come together.

    Parameters
    ----------
    events, exposure : array_like
        Whole numbers and time at risk per period, shape (periods,); periods without exposure are left out.

    Returns
    -------
    HypothesisTest
        The statistic is the dispersion, the p-value that of the upper tail of χ²; NaN under 2 periods or without any
        event.

    Raises
    ------
    AnalysisError
        For impossible counts.

    References
    ----------
    Fisher (1950), Biometrics 6, 17–24.

    Examples
    --------
    >>> test = poisson_dispersion([3, 5, 4, 18], [1, 1, 1, 1])
    >>> f"{test.statistic:.2f} {test.p_value:.5f}"
    '6.62 0.00018'
    """
    from scipy.stats import chi2

    x, t = whole("events", events), np.asarray(exposure, float)
    x, t = x[t > 0], t[t > 0]
    if x.size < 2 or not x.any():
        return HypothesisTest(np.asarray(np.nan), np.asarray(np.nan), "Fisher's index of dispersion")
    expected = t * (x.sum() / t.sum())
    statistic, df = float(((x - expected) ** 2 / expected).sum()), x.size - 1
    return HypothesisTest(
        np.asarray(statistic / df),
        np.asarray(chi2.sf(statistic, df)),
        "Fisher's index of dispersion",
        np.asarray(df),
    )
