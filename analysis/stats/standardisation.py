"""Rates on a standard mix of classes, so that two groups differ in their rates and not in their mix."""

from __future__ import annotations

from numpy.typing import ArrayLike
from scipy.special import gammaincinv

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import checked_level, whole
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
