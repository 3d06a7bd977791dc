"""Max-T for yes/no questions within strata: scores whose arrangements cost one product of matrices each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import AnalysisError
from analysis.stats.bounds import Floats
from analysis.stats.max_t import MaxT, stepped_down
from analysis.stats.pooled import Codes, checked_arm, coded

# Arrangements are worked on in blocks of about this many numbers.
_BLOCK = 4_000_000
# Above this many numbers to shuffle, which takes seconds, there are units enough for the normal limit to hold.
_MOST_SHUFFLED = 60_000_000
_NORMAL_DRAWS = 20_000


def stratified_max_t(
    answers: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike,
    *,
    draws: int = 4999,
    seed: int = 2026,
) -> MaxT:
    """Step-down max-T of many yes/no questions, each compared within strata only.

    The statistic of a question is its surplus of events in arm 1 over its permutation error,

    ``z = Σ_i r_i a_i / √(Σ_s n1 n0/(N (N − 1)) Σ_i r_i²)``, with ``r_i = y_i − ȳ_s`` for units asked and 0 for
    others: where everybody was asked, the root of Cochran–Mantel–Haenszel's. Differences between strata
    drop out of it, which Welch's t would leave in. Errors do not change when arms are shuffled, so an
    arrangement costs one product of matrices. Units of strata with one arm only cannot change it and are left out.

    Parameters
    ----------
    answers : array_like
        1 (event), 0 (none) or −1 (not asked), whole numbers of shape (questions, units).
    arm : array_like
        1 (virtual) or 0 (in person), shape (units,).
    stratum : array_like
        Whole-number codes within which units may change arms, shape (units,).
    draws : int
        Random arrangements. Where they would shuffle more than 60 million numbers, the normal limit of the
        permutation distribution is drawn from instead, with its exact covariance.
    seed : int
        Of the random generator.

    Returns
    -------
    MaxT

    Raises
    ------
    AnalysisError
        For other answers or arms, another shape, fewer than 1 draw, or strata without codes.

    References
    ----------
    Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 4.1; Strasser & Weber (1999), Math.
    Methods Stat. 8, 220–250, for the covariance.

    Examples
    --------
    >>> t = stratified_max_t([[1, 1, 1, 1, 0, 0, 0, 1], [0, 1, 0, 1, 0, 1, 1, 0]], [1, 1, 1, 1, 0, 0, 0, 0], [0] * 8)
    >>> t.statistic.round(3), t.p_adjusted.round(2)
    (array([2.049, 0.   ]), array([0.17, 1.  ]))
    """
    y = np.asarray(answers)
    if y.ndim != 2 or y.dtype.kind not in "iu" or not np.isin(y, (-1, 0, 1)).all():
        raise AnalysisError(
            "answers must be 1, 0 or −1 (not asked), one row per question and one column per unit."
        )
    if draws < 1:
        raise AnalysisError(f"draws must be at least 1; got {draws}.")
    one = checked_arm(arm, y.shape[1])
    strata, _ = coded(stratum, y.shape[1], "stratum")
    kept = _movable(one, strata)
    order = kept[np.argsort(strata[kept], kind="stable")]
    one, starts = one[order], np.unique(strata[order], return_index=True)[1]
    residuals = _residuals(y[:, order], starts)
    spread = _permutation_covariance(residuals, one, starts)
    error = np.sqrt(np.diag(spread))
    varies = error > 0
    statistic = np.full(y.shape[0], np.nan)
    statistic[varies] = (residuals[varies] @ one) / error[varies]
    normal = draws * order.size > _MOST_SHUFFLED
    scaled = residuals / np.where(varies, error, 1.0)[:, None]
    drawn = (
        _normal_scores(spread, error, seed)
        if normal
        else (batch @ scaled.T for batch in _shuffled(one, starts, draws, seed))
    )
    looked_at = _NORMAL_DRAWS if normal else draws
    adjusted = stepped_down(statistic, drawn, looked_at, False)
    return MaxT(statistic, adjusted, looked_at, False, seed, order.size, normal)


def _movable(one: NDArray[np.bool_], strata: Codes) -> NDArray[np.int64]:
    """Units of strata that hold both arms."""
    if not strata.size:
        return np.zeros(0, np.int64)
    size, virtual = np.bincount(strata), np.bincount(strata, one)
    return np.flatnonzero(((virtual > 0) & (virtual < size))[strata])


def _residuals(answers: NDArray[Any], starts: NDArray[np.int64]) -> Floats:
    """Answers less the mean of those asked in their stratum; 0 for units not asked. Units stand by stratum."""
    asked = answers >= 0
    if not starts.size:
        return np.zeros(answers.shape)
    number = np.add.reduceat(asked, starts, axis=1, dtype=np.int64)
    events = np.add.reduceat(answers == 1, starts, axis=1, dtype=np.int64)
    mean = events / np.maximum(number, 1)
    sizes = np.diff(starts, append=answers.shape[1])
    return np.where(asked, answers - np.repeat(mean, sizes, axis=1), 0.0)


def _permutation_covariance(residuals: Floats, one: NDArray[np.bool_], starts: NDArray[np.int64]) -> Floats:
    """Covariance of ``Σ r a`` over all arrangements within strata, shape (questions, questions)."""
    sizes = np.diff(starts, append=one.size)
    virtual = np.add.reduceat(one, starts, dtype=np.int64) if starts.size else np.zeros(0, np.int64)
    weight = np.repeat(virtual * (sizes - virtual) / (sizes * (sizes - 1.0)), sizes)
    return np.asarray((residuals * weight) @ residuals.T)


def _shuffled(one: NDArray[np.bool_], starts: NDArray[np.int64], draws: int, seed: int) -> Iterator[Floats]:
    """Arms shuffled within strata, in batches of shape (arrangements, units); strata of one size go together."""
    rng = np.random.default_rng(seed)
    sizes = np.diff(starts, append=one.size)
    places = [starts[sizes == size][:, None] + np.arange(size) for size in np.unique(sizes)]
    block = max(_BLOCK // max(one.size, 1), 1)
    for first in range(0, draws, block):
        rows = min(block, draws - first)
        arms = np.empty((rows, one.size))
        for place in places:
            shuffle = rng.random((rows, *place.shape)).argsort(axis=2)
            labels = np.broadcast_to(one[place].astype(float), shuffle.shape)
            arms[:, place] = np.take_along_axis(labels, shuffle, axis=2)
        yield arms


def _normal_scores(spread: Floats, error: Floats, seed: int) -> Iterator[Floats]:
    """Standard scores with the correlation of the permutation distribution."""
    safe = np.where(error > 0, error, 1.0)
    values, vectors = np.linalg.eigh(spread / np.outer(safe, safe))
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    yield np.random.default_rng(seed).standard_normal((_NORMAL_DRAWS, error.size)) @ root.T
