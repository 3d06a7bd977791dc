"""Events over time with limits that cover whatever the truth: one rate, and the ratio of two."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from analysis.errors import AnalysisError
from analysis.stats.bounds import Bounds, Floats, HypothesisTest, checked_level, whole
from analysis.stats.proportions import clopper_pearson


def rate_exact(events: ArrayLike, exposure: ArrayLike, *, level: float = 0.95) -> Bounds:
    """Rate of events per unit of exposure with exact Poisson limits.

    The limits of the expected count are the gamma quantiles of shape x below and x + 1 above.

    Parameters
    ----------
    events : array_like
        Events (whole numbers), broadcast against `exposure`.
    exposure : array_like
        Time or amount at risk, at least 0.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Per unit of exposure; NaN where there was none.

    Raises
    ------
    AnalysisError
        For impossible counts, negative exposure, or a level outside (0, 1).

    References
    ----------
    Garwood (1936), Biometrika 28, 437–442.

    Examples
    --------
    >>> b = rate_exact(137, 24.19893)
    >>> f"{b.estimate:.4f} [{b.low:.4f}, {b.high:.4f}]"
    '5.6614 [4.7531, 6.6927]'
    """
    x, t = _checked(events, exposure)
    tail = (1 - checked_level(level)) / 2
    seen = t > 0
    per = np.divide(1.0, t, out=np.full(t.shape, np.nan), where=seen)
    low = np.where(x > 0, gammaincinv(np.maximum(x, 1), tail), 0.0)
    return Bounds(x * per, low * per, gammaincinv(x + 1, 1 - tail) * per, level, "exact Poisson")


def rate_ratio_exact(
    events_1: ArrayLike,
    exposure_1: ArrayLike,
    events_0: ArrayLike,
    exposure_0: ArrayLike,
    *,
    level: float = 0.95,
) -> Bounds:
    """Ratio of two rates with exact limits.

    Given their sum, the events of arm 1 are binomial with probability ``π = r t1/(r t1 + t0)``, r the ratio:
    Clopper–Pearson limits of π become limits ``π/(1 − π) · t0/t1`` of r.

    Parameters
    ----------
    events_1, exposure_1, events_0, exposure_0 : array_like
        Events and time at risk of arm 1 (virtual) and arm 0 (in person), broadcast against each other.
    level : float
        Confidence level.

    Returns
    -------
    Bounds
        Ratios arm 1 over arm 0. Without events in arm 0 the upper limit is infinite and the estimate
        infinite too, or NaN when arm 1 has none either (limits 0 and ∞). All NaN without exposure.

    Raises
    ------
    AnalysisError
        For impossible counts, negative exposure, or a level outside (0, 1).

    References
    ----------
    Przyborowski & Wilenski (1940), Biometrika 31, 313–323.

    Examples
    --------
    >>> b = rate_ratio_exact(11, 800, 23, 3011)
    >>> f"{b.estimate:.3f} [{b.low:.3f}, {b.high:.3f}]"
    '1.800 [0.792, 3.844]'
    """
    x1, t1, x0, t0, seen = _two_arms(events_1, exposure_1, events_0, exposure_0)
    share = clopper_pearson(x1, x1 + x0, level=level)
    # Nothing happened at all: every ratio is possible.
    low, high = (np.where(x1 + x0 == 0, edge, at) for edge, at in ((0.0, share.low), (1.0, share.high)))
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(seen, t0 / t1, np.nan)
        estimate = np.where(seen, (x1 / x0) * scale, np.nan)
        return Bounds(
            estimate, low / (1 - low) * scale, high / (1 - high) * scale, level, "exact conditional"
        )


def rate_ratio_test(
    events_1: ArrayLike, exposure_1: ArrayLike, events_0: ArrayLike, exposure_0: ArrayLike
) -> HypothesisTest:
    """Exact conditional test that two rates are equal: the splits of all events no likelier than the one seen.

    Parameters
    ----------
    events_1, exposure_1, events_0, exposure_0 : array_like
        Events and time at risk of arm 1 (virtual) and arm 0 (in person), broadcast against each other.

    Returns
    -------
    HypothesisTest
        The statistic is the ratio of rates. The p-value is 1 without any events, NaN without exposure.

    Raises
    ------
    AnalysisError
        For impossible counts or negative exposure.

    References
    ----------
    Przyborowski & Wilenski (1940), Biometrika 31, 313–323.

    Examples
    --------
    >>> f"{rate_ratio_test(11, 800, 23, 3011).p_value:.4f}"
    '0.1366'
    """
    from scipy.stats import binomtest

    x1, t1, x0, t0, seen = _two_arms(events_1, exposure_1, events_0, exposure_0)
    p = np.full(x1.shape, np.nan)
    for i in np.ndindex(x1.shape):
        if seen[i]:
            total = int(x1[i] + x0[i])
            p[i] = binomtest(int(x1[i]), total, t1[i] / (t1[i] + t0[i])).pvalue if total else 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(seen, (x1 / x0) * (t0 / t1), np.nan)
    return HypothesisTest(ratio, p, "exact conditional")


def _two_arms(
    events_1: ArrayLike, exposure_1: ArrayLike, events_0: ArrayLike, exposure_0: ArrayLike
) -> tuple[Floats, Floats, Floats, Floats, NDArray[np.bool_]]:
    columns = np.broadcast_arrays(*_checked(events_1, exposure_1), *_checked(events_0, exposure_0))
    x1, t1, x0, t0 = (np.asarray(column, float) for column in columns)
    return x1, t1, x0, t0, np.asarray((t1 > 0) & (t0 > 0))


def _checked(events: ArrayLike, exposure: ArrayLike) -> tuple[Floats, Floats]:
    x, t = np.broadcast_arrays(whole("events", events), np.asarray(exposure, float))
    fine = (t >= 0) & (t < np.inf) & ((t > 0) | (x == 0))
    if not fine.all():
        i = int(np.argmin(fine.ravel()))
        raise AnalysisError(
            "exposure must be a finite number of at least 0, and above 0 where there are events; "
            f"got {t.flat[i]:g} with {x.flat[i]:g} events."
        )
    return np.asarray(x), np.asarray(t)
