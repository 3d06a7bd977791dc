"""One effect from many strata or clusters: the record, and the step from estimate and error to interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtr, stdtrit

from analysis.errors import AnalysisError
from analysis.results import Interval, finite_or_none
from analysis.stats.bounds import Floats, checked_level, normal_quantile

Scale = Literal["identity", "log"]
Codes = NDArray[np.int64]
_SPARSE = 8


@dataclass(frozen=True, slots=True)
class Pooled:
    """One effect with its error, and what it rests on.

    Parameters
    ----------
    estimate : float or None
        The effect on its natural scale (a ratio is a ratio, not its logarithm).
    se : float or None
        Standard error on `scale`.
    scale : {"identity", "log"}
        The scale on which error and interval were computed.
    interval : Interval or None
        On the natural scale; ``None`` where no honest interval exists (see `reasons`).
    p_value : float or None
        Two-sided, against no effect.
    n : int
        Observations (validations, or groups' units where so documented) in the strata used.
    n_dropped : int
        Observations in strata that carry no weight.
    strata_used, strata_dropped : int
        Numbers of strata.
    df : float or None
        Degrees of freedom of the t distribution used; ``None`` for the normal.
    clusters : int or None
        Number of clusters, where errors are clustered.
    reasons : tuple of str
        Reason codes (`analysis.reasons`).
    """

    estimate: float | None
    se: float | None
    scale: Scale
    interval: Interval | None
    p_value: float | None
    n: int
    n_dropped: int = 0
    strata_used: int = 1
    strata_dropped: int = 0
    df: float | None = None
    clusters: int | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Basis:
    """What a pooled effect rests on: observations and strata, with and without weight."""

    n: int
    n_dropped: int = 0
    strata_used: int = 1
    strata_dropped: int = 0


def basis(n: Floats, used: NDArray[np.bool_]) -> Basis:
    """The `Basis` of strata with `n` observations each, of which some are `used`.

    >>> basis(np.array([10.0, 3.0]), np.array([True, False]))
    Basis(n=10, n_dropped=3, strata_used=1, strata_dropped=1)
    """
    return Basis(
        round(float(n[used].sum())), round(float(n[~used].sum())), int(used.sum()), int((~used).sum())
    )


def pooled(
    value: float,
    se: float,
    *,
    basis: Basis,
    level: float,
    method: str,
    scale: Scale = "identity",
    df: float | None = None,
    clusters: int | None = None,
    reasons: tuple[str, ...] = (),
    within: tuple[float, float] = (-math.inf, math.inf),
) -> Pooled:
    """A `Pooled` from a value and its standard error, both on `scale`; NaN where they do not exist.

    The interval is ``value ± q·se`` (q normal, or t with `df`), taken back to the natural scale and cut to
    `within`, where the effect has to lie. An error of zero is no certainty but a table on its edge (no
    events at all, say), so it makes no interval.

    Raises
    ------
    AnalysisError
        For a level outside (0, 1).

    Examples
    --------
    >>> p = pooled(0.5, 0.1, scale="log", level=0.95, method="example", basis=Basis(100))
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}] {p.p_value:.1e}"
    '1.649 [1.355, 2.006] 5.7e-07'
    """
    low, high, p_value = limits(value, se, df=df, level=level)
    interval = None
    if not math.isnan(low):
        back = (low, high) if scale == "identity" else (_exp(low), _exp(high))
        interval = Interval(max(back[0], within[0]), min(back[1], within[1]), level, method)
    return Pooled(
        estimate=finite_or_none(value if scale == "identity" else _exp(value)),
        se=finite_or_none(se),
        scale=scale,
        interval=interval,
        p_value=finite_or_none(p_value),
        n=basis.n,
        n_dropped=basis.n_dropped,
        strata_used=basis.strata_used,
        strata_dropped=basis.strata_dropped,
        df=df,
        clusters=clusters,
        reasons=reasons,
    )


def limits(value: float, se: float, *, df: float | None = None, level: float) -> tuple[float, float, float]:
    """Lower limit, upper limit and two-sided p-value against zero; all NaN without a positive error.

    >>> [round(x, 4) for x in limits(1.96, 1.0, level=0.95)]
    [0.0, 3.92, 0.05]
    """
    reach = quantile(level, df)
    if not (math.isfinite(value) and math.isfinite(se) and se > 0):
        return math.nan, math.nan, math.nan
    ratio = -abs(value / se)
    p_value = 2 * float(ndtr(ratio) if df is None else stdtr(df, ratio))
    return value - reach * se, value + reach * se, p_value


def quantile(level: float, df: float | None = None) -> float:
    """The two-sided quantile of a level: of t with `df` degrees of freedom, or of the normal.

    >>> round(quantile(0.95, 4), 4)
    2.7764
    """
    if df is None:
        return normal_quantile(level)
    return float(-stdtrit(df, (1 - checked_level(level)) / 2))


def coded(codes: ArrayLike | None, length: int, name: str) -> tuple[Codes, int]:
    """Codes renumbered from 0 with their count; ``None`` is one group.

    Raises
    ------
    AnalysisError
        When there is not one code per element, or a code is missing (NaN would silently be one more group).

    Examples
    --------
    >>> coded([7, 3, 7], 3, "stratum")
    (array([1, 0, 1]), 2)
    """
    if codes is None:
        return np.zeros(length, np.int64), 1
    values = np.asarray(codes)
    if values.shape != (length,):
        raise AnalysisError(
            f"{name} must hold one code per group, {length} in all; got shape {values.shape}."
        )
    if values.dtype.kind not in "iub" and not (values.dtype.kind == "f" and np.isfinite(values).all()):
        raise AnalysisError(f"{name} must hold whole-number codes without gaps; got {values.dtype}.")
    if values.dtype.kind in "iu" and values.size:
        low, high = int(values.min()), int(values.max())
        if high - low <= _SPARSE * values.size:
            # Codes close together need no sorting.
            from_low = values.astype(np.int64) - low
            there = np.zeros(high - low + 1, bool)
            there[from_low] = True
            number = np.cumsum(there) - 1
            return number[from_low], int(number[-1]) + 1
    unique, inverse = np.unique(values, return_inverse=True)
    return inverse.astype(np.int64), len(unique)


def distinct(codes: Codes) -> int:
    """How many different codes there are; none is negative.

    >>> distinct(np.array([4, 0, 4]))
    2
    """
    return int(np.count_nonzero(np.bincount(codes)))


def checked_arm(arm: ArrayLike, length: int) -> NDArray[np.bool_]:
    """Arms as booleans: true for 1 (virtual), false for 0 (in person).

    Raises
    ------
    AnalysisError
        For any other value or another length.
    """
    values = np.asarray(arm)
    if values.shape != (length,):
        raise AnalysisError(f"arm must hold one value per group, {length} in all; got shape {values.shape}.")
    if not np.isin(values, (0, 1)).all():
        raise AnalysisError(
            f"arm must be 1 (virtual) or 0 (in person); got {np.setdiff1d(values, (0, 1))[0]!r}."
        )
    return np.asarray(values == 1)


def amounts(**columns: ArrayLike) -> list[Floats]:
    """Named columns of sums as one-dimensional float arrays of equal length, finite and at least 0.

    Raises
    ------
    AnalysisError
        Naming every column that is not.
    """
    arrays = {name: np.asarray(values, float) for name, values in columns.items()}
    length = next(iter(arrays.values())).shape
    wrong = [
        name
        for name, a in arrays.items()
        if a.ndim != 1 or a.shape != length or not (np.isfinite(a) & (a >= 0)).all()
    ]
    if wrong:
        raise AnalysisError(
            f"{', '.join(wrong)}: expected columns of one shape, {length}, of finite numbers of at least 0."
        )
    return list(arrays.values())


def _exp(value: float) -> float:
    # math.exp raises beyond 709; a ratio that large is infinite for every purpose.
    return math.inf if value > 709 else math.exp(value)
