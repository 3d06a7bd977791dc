"""Arrays of estimates with limits: what vectorised interval functions return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analysis.errors import AnalysisError
from analysis.results import Interval, finite_or_none

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Estimates and their limits, element by element.

    All three arrays have one shape (0-d for scalar input). An element that does not exist (an empty arm)
    is NaN in all three; `interval` turns that into ``None``.
    """

    estimate: Floats
    low: Floats
    high: Floats
    level: float
    method: str

    def __post_init__(self) -> None:
        # Arithmetic on 0-d arrays yields scalars; callers may rely on arrays.
        for name in ("estimate", "low", "high"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))

    def value(self, index: int | tuple[int, ...] = ()) -> float | None:
        """The estimate at `index`, or ``None`` where there is none."""
        return finite_or_none(float(self.estimate[index]))

    def interval(self, index: int | tuple[int, ...] = ()) -> Interval | None:
        """The interval at `index`, or ``None`` where there is none."""
        low, high = float(self.low[index]), float(self.high[index])
        if np.isnan(low) or np.isnan(high):
            return None
        return Interval(low, high, self.level, self.method)


@dataclass(frozen=True, slots=True)
class HypothesisTest:
    """Test statistics and p-values, element by element; NaN where there is nothing to test."""

    statistic: Floats
    p_value: Floats
    method: str
    df: Floats | None = None

    def __post_init__(self) -> None:
        for name in ("statistic", "p_value"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), float))

    def p(self, index: int | tuple[int, ...] = ()) -> float | None:
        """The p-value at `index`, or ``None`` where there is nothing to test."""
        return finite_or_none(float(self.p_value[index]))


def checked_counts(events: ArrayLike, n: ArrayLike) -> tuple[Floats, Floats]:
    """Events and totals as broadcast float arrays, checked.

    Raises
    ------
    AnalysisError
        When a count is negative, not whole or not finite, or events exceed their total.
    """
    x, total = whole("events", events), whole("n", n)
    if x.shape != total.shape:
        x, total = (values.copy() for values in np.broadcast_arrays(x, total))
    if (x > total).any():
        i = np.argmax((x > total).ravel())
        raise AnalysisError(f"events cannot exceed n; got {x.flat[i]:g} of {total.flat[i]:g}.")
    return x, total


def whole(name: str, counts: ArrayLike) -> Floats:
    """Counts as a float array of its own, checked.

    Raises
    ------
    AnalysisError
        When a count is negative, not whole or not finite.
    """
    values = np.array(counts, float)
    # NaN and infinity fail the comparison as well: neither is below the bound.
    fine = (values >= 0) & (values < np.inf) & (values == np.floor(values))
    if not fine.all():
        raise AnalysisError(f"{name} must be whole numbers of at least 0; got {values[~fine].flat[0]:g}.")
    return values


def checked_level(level: float) -> float:
    """A confidence level strictly between 0 and 1.

    Raises
    ------
    AnalysisError
        Otherwise.
    """
    if not 0 < level < 1:
        raise AnalysisError(f"level must lie between 0 and 1; got {level!r}.")
    return float(level)


def normal_quantile(level: float) -> float:
    """The two-sided standard normal quantile of a confidence level.

    >>> round(normal_quantile(0.95), 4)
    1.96
    """
    return float(-ndtri((1 - checked_level(level)) / 2))
