"""Errors of weighted ratios of sums by linearisation: the machinery behind `analysis.stats.rates`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.stats.bounds import Floats, checked_level
from analysis.stats.pooled import Basis, Codes, Pooled, basis, pooled

MIN_CLUSTERS = 5
"""Below this many clusters no clustered error is computed (reason ``too_few_clusters``)."""

FEW_CLUSTERS = 40
"""Below this many the interval carries the reason ``few_clusters``."""

Effect = Literal["difference", "ratio"]


@dataclass(frozen=True, slots=True)
class StratumSums:
    """Rates and weights per stratum; `one` and `strata` tell each group's arm and stratum.

    `d1`, `d0` are denominators, `r1`, `r0` rates (0 where unused) and `weight` is ``d1 d0/(d1 + d0)``, all of
    shape (strata,); `used` marks strata with both arms.
    """

    one: NDArray[np.bool_]
    strata: Codes
    d1: Floats
    d0: Floats
    r1: Floats
    r0: Floats
    used: NDArray[np.bool_]
    weight: Floats

    @property
    def basis(self) -> Basis:
        """What the effect rests on, in units of the denominator."""
        return basis(self.d1 + self.d0, self.used)


@dataclass(frozen=True, slots=True)
class Spread:
    """Sum over clusters of squared contributions, and the numbers of clusters behind it."""

    squares: float
    clusters: int
    fewest_in_an_arm: int


def stratum_sums(y: Floats, d: Floats, one: NDArray[np.bool_], strata: Codes, count: int) -> StratumSums:
    """Sum groups into rates per stratum and arm."""
    d1, d0, y1, y0 = (
        np.asarray(np.bincount(strata[s], a[s], count), float) for a in (d, y) for s in (one, ~one)
    )
    used = (d1 > 0) & (d0 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r1, r0 = np.where(used, y1 / d1, 0.0), np.where(used, y0 / d0, 0.0)
        weight = np.where(used, d1 * (d0 / (d1 + d0)), 0.0)
    return StratumSums(one, strata, d1, d0, r1, r0, used, weight)


def effect(
    sums: StratumSums,
    spread: Callable[[Floats, Floats], Spread],
    measure: Effect,
    *,
    fractions: bool,
    level: float,
    how: str,
) -> Pooled:
    """Estimate and interval of a weighted difference or ratio of rates.

    `spread` is given a factor and a rate per group and returns the squared sums by cluster of
    ``factor (y − rate d)``. `how` names the error in the interval's method; `fractions` says that rates
    cannot exceed 1, so that a difference is cut to [−1, 1].
    """
    level = checked_level(level)
    ratio = measure == "ratio"
    method = f"{'Mantel–Haenszel' if sums.used.size > 1 else 'crude'}, {how}"
    total = float(sums.weight.sum())
    if total == 0:
        return pooled(
            math.nan, math.nan, basis=sums.basis, level=level, method=method, reasons=("arm_empty",)
        )
    mean_1, mean_0 = float(sums.weight @ sums.r1) / total, float(sums.weight @ sums.r0) / total
    if ratio and not (mean_1 > 0 and mean_0 > 0):
        # exp(−inf) is the ratio 0; infinity and 0/0 do not exist as numbers.
        value, reason = -math.inf if mean_0 > 0 else math.nan, "ratio_needs_events"
        return pooled(
            value, math.nan, scale="log", basis=sums.basis, level=level, method=method, reasons=(reason,)
        )
    found = spread(*_linearised(sums, (mean_1, mean_0) if ratio else (1.0, 1.0)))
    variance = found.squares * found.clusters / max(found.clusters - 1, 1)
    reasons = cluster_reasons(found.clusters, found.fewest_in_an_arm)
    refused = "too_few_clusters" in reasons
    # Equal rates everywhere leave rounding behind, not variance.
    if math.sqrt(variance) <= 1e-12 * (1.0 if ratio else mean_1 + mean_0):
        variance = 0.0
        reasons += () if refused else ("too_few_events",)
    return pooled(
        math.log(mean_1 / mean_0) if ratio else mean_1 - mean_0,
        math.nan if refused else math.sqrt(variance),
        scale="log" if ratio else "identity",
        basis=sums.basis,
        level=level,
        method=method,
        # Where one arm has fewer clusters, its variance is known no better than they allow.
        df=None if refused else float(found.fewest_in_an_arm - 1),
        clusters=found.clusters,
        reasons=reasons,
        within=(-1.0, 1.0) if fractions and not ratio else (-math.inf, math.inf),
    )


def cluster_reasons(clusters: int, fewest_in_an_arm: int) -> tuple[str, ...]:
    """Whether errors can be clustered, as reason codes."""
    # The arm with fewer clusters decides: forty specialists in person say nothing about two who work virtually.
    if min(clusters, fewest_in_an_arm) < MIN_CLUSTERS:
        return ("too_few_clusters",)
    return ("few_clusters",) if min(clusters, fewest_in_an_arm) < FEW_CLUSTERS else ()


def _linearised(sums: StratumSums, means: tuple[float, float]) -> tuple[Floats, Floats]:
    # A mean rate changes by w/(Σw D) per unit of a group's residual, its logarithm by that over the mean.
    total = sums.weight.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        of_1 = np.where(sums.used, sums.weight / (total * means[0] * sums.d1), 0.0)
        of_0 = np.where(sums.used, -sums.weight / (total * means[1] * sums.d0), 0.0)
    factor = np.where(sums.one, of_1[sums.strata], of_0[sums.strata])
    rate = np.where(sums.one, sums.r1[sums.strata], sums.r0[sums.strata])
    return factor, rate
