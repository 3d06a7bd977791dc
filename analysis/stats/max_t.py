"""A few strong claims among many questions: permutation p-values that respect how the questions hang together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats
from analysis.stats.pooled import Codes, checked_arm, coded

# Rearrangements are worked on in blocks of about this many numbers.
_BLOCK = 4_000_000
# Statistics that tie but for rounding count as tied.
_TIE = 1e-9


@dataclass(frozen=True, slots=True)
class MaxT:
    """Step-down max-T answers, arrays of shape (questions,).

    `statistic` is arm 1 minus arm 0 over its error, NaN where nothing varies;
    `p_adjusted` holds for all questions together (family-wise). `arrangements` were looked at, every possible
    one where `complete`; where `normal`, they are draws from the normal limit of all arrangements. `units` could
    change arms.
    """

    statistic: Floats
    p_adjusted: Floats
    arrangements: int
    complete: bool
    seed: int
    units: int
    normal: bool = False


def max_t(
    values: ArrayLike,
    arm: ArrayLike,
    *,
    stratum: ArrayLike | None = None,
    draws: int = 9999,
    seed: int = 2026,
) -> MaxT:
    """Westfall and Young's step-down max-T adjustment by permuting the arms of whole units.

    The statistic is Welch's t, NaN where an arm has fewer than two values. With questions ordered by |t|, a question's p-value is the share of rearrangements whose largest |t|
    among it and all weaker ones reaches its own, made monotone. Arms are permuted within strata, all questions
    of a unit together, so their dependence is kept.

    Parameters
    ----------
    values : array_like
        One row per question and one column per unit (validation), shape (questions, units); NaN where a
        question was not asked of a unit.
    arm : array_like
        1 (virtual) or 0 (in person), shape (units,).
    stratum : array_like, optional
        Whole-number codes within which units may change arms, shape (units,).
    draws : int
        Random rearrangements; where no more than that many exist, all of them are enumerated.
    seed : int
        Of the random generator.

    Returns
    -------
    MaxT

    Raises
    ------
    AnalysisError
        For infinite values, another shape, other arms, fewer than 1 draw, or strata without codes.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 4.1; Ge, Dudoit & Speed (2003),
    Test 12, 1–77.

    Examples
    --------
    >>> t = max_t([[1.1, 0.9, 1.3, 1.0, 2.2, 2.5, 2.1, 2.8], [5.0, 5.2, 4.8, 5.1, 5.3, 4.9, 5.0, 5.4]], [0, 0, 0, 0, 1, 1, 1, 1])
    >>> t.statistic.round(3), t.p_adjusted.round(3)
    (array([7.373, 0.853]), array([0.029, 0.514]))
    """
    x = np.asarray(values, float)
    if x.ndim != 2 or np.isinf(x).any():
        raise AnalysisError(
            "values must hold one row per question and one column per unit, NaN where not asked."
        )
    if draws < 1:
        raise AnalysisError(f"draws must be at least 1; got {draws}.")
    one = checked_arm(arm, x.shape[1])
    strata, number = coded(stratum, x.shape[1], "stratum")
    prepared = _prepared(x)
    statistic = _welch(one[None], *prepared)[0]
    possible = math.prod(
        math.comb(int((strata == s).sum()), int(one[strata == s].sum())) for s in range(number)
    )
    complete = possible <= draws
    block = max(_BLOCK // max(x.shape[1], 1), 1)
    arms = _all_arms(one, strata, number, block) if complete else _drawn_arms(one, strata, draws, block, seed)
    drawn = (_welch(batch, *prepared) for batch in arms)
    adjusted = stepped_down(statistic, drawn, possible if complete else draws, complete)
    return MaxT(statistic, adjusted, possible if complete else draws, complete, seed, x.shape[1])


def stepped_down(statistic: Floats, drawn: Iterable[Floats], looked_at: int, complete: bool) -> Floats:
    """Adjusted p-values from statistics of arrangements, in batches of shape (arrangements, questions).

    Where the arrangements looked at are not all (`complete`), the one seen counts as one more.
    """
    asked = ~np.isnan(statistic)
    adjusted = np.full(statistic.size, np.nan)
    order = np.flatnonzero(asked)[np.argsort(-np.abs(statistic[asked]), kind="stable")]
    if not order.size:
        return adjusted
    reached = np.zeros(order.size)
    least = np.abs(statistic[order]) * (1 - _TIE)
    for batch in drawn:
        t = np.nan_to_num(np.abs(batch[:, order]), nan=0.0, posinf=math.inf)
        # The largest among each question and all weaker ones.
        largest = np.maximum.accumulate(t[:, ::-1], axis=1)[:, ::-1]
        reached += (largest >= least).sum(axis=0)
    p = reached / looked_at if complete else (reached + 1) / (looked_at + 1)
    adjusted[order] = np.maximum.accumulate(p)
    return adjusted


def _prepared(x: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Values centred by question, their squares, which exist, and the size below which spread is rounding."""
    exists = ~np.isnan(x)
    count = np.maximum(exists.sum(axis=1, keepdims=True), 1)
    # Centring keeps the digits that sums of squares would lose.
    filled = np.where(exists, x, 0.0)
    centred = np.where(exists, filled - filled.sum(axis=1, keepdims=True) / count, 0.0)
    squares = centred**2
    return centred, squares, exists.astype(float), 1e-12 * squares.sum(axis=1)


def _welch(one: NDArray[np.bool_], x: Floats, squares: Floats, exists: Floats, least: Floats) -> Floats:
    """Welch's t of each question under each arrangement of arms, shape (arrangements, questions)."""
    side = one.astype(float)
    n1, sum1, square1 = side @ exists.T, side @ x.T, side @ squares.T
    n0, sum0, square0 = exists.sum(axis=1) - n1, x.sum(axis=1) - sum1, squares.sum(axis=1) - square1
    with np.errstate(divide="ignore", invalid="ignore"):
        mean1, mean0 = sum1 / n1, sum0 / n0
        within1, within0 = square1 - sum1 * mean1, square0 - sum0 * mean0
        within1, within0 = (np.where(w > least, w, 0.0) for w in (within1, within0))
        t = (mean1 - mean0) / np.sqrt(within1 / (n1 * (n1 - 1)) + within0 / (n0 * (n0 - 1)))
    return np.where((n1 < 2) | (n0 < 2), np.nan, t)


def _all_arms(one: NDArray[np.bool_], strata: Codes, number: int, block: int) -> Iterator[NDArray[np.bool_]]:
    members = [np.flatnonzero(strata == s) for s in range(number)]
    choices = [combinations(units, int(one[units].sum())) for units in members]
    rows: list[NDArray[np.bool_]] = []
    for chosen in product(*choices):
        row = np.zeros(one.size, bool)
        for units in chosen:
            row[list(units)] = True
        rows.append(row)
        if len(rows) == block:
            yield np.array(rows)
            rows = []
    if rows:
        yield np.array(rows)


def _drawn_arms(
    one: NDArray[np.bool_], strata: Codes, draws: int, block: int, seed: int
) -> Iterator[NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    labels = one[np.argsort(strata, kind="stable")]
    for start in range(0, draws, block):
        rows = min(block, draws - start)
        # Fractions added to whole codes shuffle units within their stratum.
        order = np.argsort(strata + rng.random((rows, one.size)), axis=1)
        arms = np.empty((rows, one.size), bool)
        np.put_along_axis(arms, order, np.broadcast_to(labels, arms.shape), axis=1)
        yield arms
