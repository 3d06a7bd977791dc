"""Rates on a standard mix of classes, and how much of a difference of two groups is their mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaincinv

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level, whole
from analysis.stats.pooled import Pooled, amounts


def direct_standardisation(
    events: ArrayLike, exposure: ArrayLike, standard: ArrayLike, *, level: float = 0.95
) -> Pooled:
    """Rate on a standard mix with Fay and Feuer's gamma interval.

    ``R = Σ w x/t`` with weights w the standard's shares, ``V = Σ w² x/t²`` and ``m = max(w/t)``. The limits are
    quantiles of gamma distributions with mean and variance (R, V) below and (R + m, V + m²) above: they hold
    up when events are few.

    Parameters
    ----------
    events : array_like
        Events per class (whole numbers), shape (classes,).
    exposure : array_like
        Validations, members or person-time per class.
    standard : array_like
        Size of each class in the standard population; only its shares matter.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Events per unit of exposure; `se` is √V and `n` counts events. ``None`` with reason
        ``zero_denominator`` where a class of the standard was not observed. Without any events the lower
        limit is 0.

    Raises
    ------
    AnalysisError
        For negative or non-finite numbers, columns of unequal length, or a level outside (0, 1).

    References
    ----------
    Fay & Feuer (1997), Stat. Med. 16, 791–801.

    Examples
    --------
    >>> r = direct_standardisation([5, 12], [100, 400], [1, 1])
    >>> f"{r.estimate:.3f} [{r.interval.low:.4f}, {r.interval.high:.4f}]"
    '0.040 [0.0201, 0.0738]'
    """
    x, t, size = amounts(events=whole("events", events), exposure=exposure, standard=standard)
    tail = (1 - checked_level(level)) / 2
    if ((t == 0) & (x > 0)).any():
        raise AnalysisError("a class cannot have events without exposure.")
    n = round(float(x.sum()))
    in_standard = size > 0
    x, t, size = x[in_standard], t[in_standard], size[in_standard]
    if not size.size or (t == 0).any():
        return Pooled(None, None, "identity", None, None, n, reasons=("zero_denominator",))
    weight = size / size.sum() / t
    rate, variance, step = float(weight @ x), float(weight**2 @ x), float(weight.max())
    low = float(gammaincinv(rate**2 / variance, tail)) * variance / rate if rate > 0 else 0.0
    mean, spread = rate + step, variance + step**2
    # From the upper tail of the regularised function: 1 − tail is exact enough at any usual level.
    high = float(gammaincinv(mean**2 / spread, 1 - tail)) * spread / mean
    return Pooled(
        estimate=rate,
        se=variance**0.5,
        scale="identity",
        interval=Interval(low, high, level, "Fay–Feuer gamma"),
        p_value=None,
        n=n,
        strata_used=int(in_standard.sum()),
        strata_dropped=int((~in_standard).sum()),
    )


@dataclass(frozen=True, slots=True)
class Kitagawa:
    """A difference of two crude rates in two parts: other rates, and another mix of levels.

    Parameters
    ----------
    difference, rate_effect, mix_effect : float or None
        Crude difference (arm 1 minus arm 0) over the levels used, and the parts that add up to it.
    rate_1, rate_0 : ndarray
        Rates by level, shape (levels,); NaN where an arm has nothing in it.
    share_1, share_0 : ndarray
        Share of each level in its arm, 0 for levels that are not used.
    by_rate, by_mix : ndarray
        What each level adds to the two parts, 0 for levels that are not used.
    n_dropped : float
        Denominators in levels that only one arm has.
    used : ndarray of bool
        Levels that both arms have.
    reasons : tuple of str
        ``arm_empty`` where no level has both arms.
    """

    difference: float | None
    rate_effect: float | None
    mix_effect: float | None
    rate_1: Floats
    rate_0: Floats
    share_1: Floats
    share_0: Floats
    by_rate: Floats
    by_mix: Floats
    n_dropped: float
    used: NDArray[np.bool_]
    reasons: tuple[str, ...] = ()


def kitagawa(events_1: ArrayLike, n_1: ArrayLike, events_0: ArrayLike, n_0: ArrayLike) -> Kitagawa:
    """Kitagawa's decomposition of a crude difference of rates.

    With rates r and shares w by level, ``Σ ½(w1 + w0)(r1 − r0)`` is the part of rates and
    ``Σ (w1 − w0)(½(r1 + r0) − m)`` the part of mix, m being the mean of the two crude rates. As shares add up to
    one, m changes no sum; with it a level's own part says what it does: seen more often in arm 1 and below the
    mean, it lowers arm 1.

    Parameters
    ----------
    events_1, n_1, events_0, n_0 : array_like
        Numerators and denominators of arm 1 (virtual) and arm 0 (in person) by level, shape (levels,). Levels with
        an empty arm have no pair of rates and are left out of everything.

    Returns
    -------
    Kitagawa

    Raises
    ------
    AnalysisError
        For negative or non-finite sums, columns of unequal length, or numerators without denominators.

    References
    ----------
    Kitagawa (1955), J. Am. Stat. Assoc. 50, 1168–1194.

    Examples
    --------
    >>> k = kitagawa([80, 2], [100, 10], [9, 30], [10, 100])
    >>> f"{k.difference:.3f} = {k.rate_effect:.3f} {k.mix_effect:+.3f}"
    '0.391 = -0.100 +0.491'
    """
    y1, d1, y0, d0 = amounts(events_1=events_1, n_1=n_1, events_0=events_0, n_0=n_0)
    if (((d1 == 0) & (y1 > 0)) | ((d0 == 0) & (y0 > 0))).any():
        raise AnalysisError("events must be 0 where n is 0: nothing can happen where nothing was at risk.")
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_1, rate_0 = y1 / d1, y0 / d0
    used = (d1 > 0) & (d0 > 0)
    dropped = float((d1 + d0)[~used].sum())
    zero = np.zeros(d1.shape)
    if not used.any():
        return Kitagawa(
            None, None, None, rate_1, rate_0, zero, zero, zero, zero, dropped, used, ("arm_empty",)
        )
    share_1, share_0 = (np.where(used, d, 0.0) / d[used].sum() for d in (d1, d0))
    r1, r0 = np.where(used, rate_1, 0.0), np.where(used, rate_0, 0.0)
    crude_1, crude_0 = float(share_1 @ r1), float(share_0 @ r0)
    by_rate = (share_1 + share_0) / 2 * (r1 - r0)
    by_mix = (share_1 - share_0) * np.where(used, (r1 + r0) / 2 - (crude_1 + crude_0) / 2, 0.0)
    return Kitagawa(
        crude_1 - crude_0, float(by_rate.sum()), float(by_mix.sum()), rate_1, rate_0, share_1, share_0, by_rate,
        by_mix, dropped, used,
    )  # fmt: skip
