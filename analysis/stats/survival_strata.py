"""Curves of both arms in every stratum, their weighted figures and errors: the machinery behind `analysis.stats.survival_contrasts`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.stats.bounds import Floats
from analysis.stats.pooled import Basis, Codes, amounts, basis, checked_arm, coded
from analysis.stats.survival import SurvivalCurve, kaplan_meier, reached
from analysis.stats.survival_influence import arm_spread


@dataclass(frozen=True, slots=True)
class Rows:
    """Checked columns; `one` marks arm 1, `strata` is the number of strata, `cluster` is None without clusters."""

    time: Floats
    event: Floats
    n: Floats
    one: NDArray[np.bool_]
    stratum: Codes
    strata: int
    cluster: Codes | None


@dataclass(frozen=True, slots=True)
class Stratum:
    """Curves and rows of arm 1 and arm 0."""

    curves: tuple[SurvivalCurve, SurvivalCurve]
    rows: tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class BothArms:
    """Both arms' figures with variances and covariance, on the scale on which they are contrasted."""

    values: tuple[float, float]
    variances: tuple[float, float]
    covariance: float = 0.0
    df: float | None = None
    clusters: int | None = None
    reasons: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether there are too few clusters for an error."""
        return "too_few_clusters" in self.reasons

    @property
    def se(self) -> float:
        """Standard error of the difference of the two figures."""
        return math.sqrt(max(sum(self.variances) - 2 * self.covariance, 0.0))

    @property
    def correlation(self) -> float:
        """Correlation of the two figures, 0 without clusters."""
        scale = math.sqrt(self.variances[0] * self.variances[1])
        return min(max(self.covariance / scale, -1.0), 1.0) if scale > 0 else 0.0


def rows_of(
    time: ArrayLike,
    event: ArrayLike,
    n: ArrayLike,
    arm: ArrayLike,
    stratum: ArrayLike | None,
    cluster: ArrayLike | None,
) -> Rows:
    """Columns checked as `kaplan_meier` does, with codes from 0."""
    t, e, count = amounts(time=time, event=event, n=n)
    strata, number = coded(stratum, t.size, "stratum")
    clusters = None if cluster is None else coded(cluster, t.size, "cluster")[0]
    return Rows(t, e, count, checked_arm(arm, t.size), strata, number, clusters)


def followed_strata(rows: Rows, horizon: float) -> tuple[list[Stratum], Basis, tuple[str, ...]]:
    """Strata in which both arms' curves reach the horizon."""
    out: list[Stratum] = []
    used, empty = np.zeros(rows.strata, bool), True
    for s in range(rows.strata):
        first, second = ((rows.stratum == s) & side for side in (rows.one, ~rows.one))
        curves = tuple(kaplan_meier(rows.time[k], rows.event[k], rows.n[k]) for k in (first, second))
        one, other = curves
        empty &= not (one.n and other.n)
        # One person has no spread: such a stratum would only make the interval too narrow.
        enough = rows.strata == 1 or min(one.n, other.n) >= 2
        used[s] = enough and reached(one, horizon) and reached(other, horizon)
        if used[s]:
            out.append(Stratum((one, other), (first, second)))
    reasons: tuple[str, ...] = ()
    if not out:
        reasons = ("arm_empty",) if empty else ("horizon_not_reached",)
    sizes = np.asarray(np.bincount(rows.stratum, rows.n, rows.strata), float)
    return out, basis(sizes, used), reasons


def both_arms(
    rows: Rows,
    strata: list[Stratum],
    figure: Callable[[SurvivalCurve], tuple[float, float]],
    influence: Callable[[SurvivalCurve, Floats, Floats], Floats],
    scale: tuple[float, float],
) -> BothArms:
    """Both arms' weighted figures; variances of them over `scale`."""
    weight = stratum_weights(strata)
    values, variances = [], []
    for side in (0, 1):
        value, variance = np.array([figure(s.curves[side]) for s in strata]).T
        values.append(float(weight @ value))
        variances.append(float(weight**2 @ variance) / scale[side] ** 2)
    one, other = values
    if rows.cluster is None:
        return BothArms((one, other), (variances[0], variances[1]))
    added, used = np.zeros(rows.time.size), np.zeros(rows.time.size, bool)
    for w, s in zip(weight, strata, strict=True):
        for curve, here, unit in zip(s.curves, s.rows, scale, strict=True):
            added[here] = w / unit * influence(curve, rows.time[here], rows.event[here])
            used |= here
    spread = arm_spread(added[used], rows.n[used], rows.one[used], rows.cluster[used])
    refused = "too_few_clusters" in spread.reasons
    return BothArms(
        (one, other),
        (spread.variance_1, spread.variance_0),
        spread.covariance,
        None if refused else spread.df,
        spread.clusters,
        spread.reasons,
    )


def stratum_weights(strata: list[Stratum]) -> Floats:
    """Weights ``n1 n0/N``, summing to 1."""
    n1, n0 = np.array([[curve.n for curve in s.curves] for s in strata], float).T
    weight = n1 * (n0 / (n1 + n0))
    return np.asarray(weight / weight.sum())
