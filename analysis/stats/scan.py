"""Where and when marked events crowd together beyond chance: a scan over places and spans of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats

_AT_ONCE = 100
"""Reshuffles reckoned together: it bounds memory."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The likeliest window of a scan.

    `window` is its number among those given (``None`` where no window holds more than its share), `events` of `n`
    fall into it, `expected` is what its strata alone would bring; `p_value` the share of reshuffles, this arrangement
    included, whose likeliest window is at least as extreme.
    """

    window: int | None
    events: int
    n: int
    expected: float | None
    statistic: float | None
    p_value: float | None
    draws: int
    seed: int
    reasons: tuple[str, ...] = ()


def scan_windows(
    marked: ArrayLike,
    weight: ArrayLike,
    inside: ArrayLike,
    stratum: ArrayLike,
    *,
    draws: int = 999,
    seed: int = 0,
) -> Scan:
    """Kulldorff's scan statistic of marked among all events, over windows given, by permutation within strata.

    With c of n marked in a window and C of N in all, the statistic is the log likelihood ratio of a higher rate inside
    than outside, 0 where it is not higher. Marks are reshuffled among events of the same stratum, and the likeliest of
    all windows is compared: one p-value for the whole search.

    Parameters
    ----------
    marked : array_like of bool
        Shape (events,).
    weight : array_like
        How many events each stands for, shape (events,).
    inside : array_like of bool
        Which events each window holds, shape (windows, events).
    stratum : array_like of int
        Stratum of each event: marks move only within it.
    draws, seed : int
        Of the permutation.

    Returns
    -------
    Scan
        With reason ``no_variation`` where no event or every one is marked.

    Raises
    ------
    AnalysisError
        For columns that do not belong together.

    References
    ----------
    Kulldorff (1997), Commun. Stat. Theory Methods 26, 1481–1496.

    Examples
    --------
    >>> inside = np.repeat(np.eye(4, dtype=bool), 10, axis=1)
    >>> marked = np.zeros(40, bool)
    >>> marked[[0, 11, 12, 13, 14, 15, 16, 31]] = True
    >>> found = scan_windows(marked, np.ones(40), inside, np.zeros(40, int))
    >>> found.window, found.events, found.n, found.p_value < 0.05
    (1, 6, 10, True)
    """
    mark, size = np.asarray(marked, bool), np.asarray(weight, float)
    windows, strata = np.asarray(inside, bool), np.asarray(stratum, np.int64)
    if not mark.shape == size.shape == strata.shape or windows.shape[1:] != mark.shape:
        raise AnalysisError("marked, weight, stratum and the windows' columns must speak of the same events.")
    if not mark.any() or mark.all() or not len(windows):
        return Scan(None, 0, 0, None, None, None, draws, seed, ("no_variation",))
    held = windows * size
    n = held.sum(axis=1)
    seen = _ratios(held @ mark, n, float(size @ mark), float(size.sum()))
    best = int(np.argmax(seen))
    top = float(seen[best])
    rng = np.random.default_rng(seed)
    order = np.lexsort((np.arange(mark.size), strata))
    reached = 0
    for first in range(0, draws, _AT_ONCE):
        size_now = min(_AT_ONCE, draws - first)
        # Sorting by stratum first and at random within it reshuffles the marks within strata.
        keys = strata + rng.random((size_now, mark.size))
        others = np.empty((mark.size, size_now), bool)
        others[order] = mark[np.argsort(keys, axis=1)].T
        ratios = _ratios(held @ others, n[:, None], size @ others, float(size.sum()))
        reached += int((ratios.max(axis=0) >= top - 1e-12).sum())
    share = np.bincount(strata, size * mark) / np.maximum(np.bincount(strata, size), 1e-300)
    p = (reached + 1) / (draws + 1)
    if top <= 0:
        return Scan(None, 0, 0, None, 0.0, p, draws, seed)
    return Scan(
        best, round(float(held[best] @ mark)), round(float(n[best])), float(held[best] @ share[strata]), top, p, draws, seed
    )  # fmt: skip


def _ratios(inside: Floats, n: Floats, marked: float | Floats, total: float) -> Floats:
    """Log likelihood ratio of each window; 0 where its rate is not the higher one."""
    outside, rest = marked - inside, total - n
    higher: NDArray[np.bool_] = inside * rest > outside * n
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q, r = inside / n, np.where(rest > 0, outside / rest, 0.0), marked / total
    value = (
        xlogy(inside, p) + xlogy(n - inside, 1 - p) + xlogy(outside, q) + xlogy(rest - outside, 1 - q)
        - xlogy(marked, r) - xlogy(total - marked, 1 - r)
    )  # fmt: skip
    return np.asarray(np.where(higher & (n > 0), np.nan_to_num(value), 0.0))
