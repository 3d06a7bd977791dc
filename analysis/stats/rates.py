"""Ratios of sums with clustered errors: findings per criterion, validations per specialist.

A rate is ``Σ y / Σ d``. Input is one row per group, at least as fine as (stratum, arm, cluster): `y` and `d`
are the group's sums, `arm` is 1 (virtual) or 0 (in person), `stratum` and `cluster` are whole-number codes.
With `d` the number of validations and `y` those with an event, a rate is a proportion and the weights are
exactly those of Mantel–Haenszel.

Strata are weighted by ``w_s = D1s D0s / (D1s + D0s)``, D being sums of `d`. Errors come from linearisation:
each group contributes ``w_s (y − r d) / D`` of its own stratum and arm; contributions are summed by cluster
and squared, ``V = G/(G−1) Σ u_c²``, and intervals use t
with one degree of freedom fewer than the arm with fewer clusters has. The weights, that is the mix compared, are
taken as given.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import AnalysisError
from analysis.results import Interval
from analysis.stats.bounds import Floats, checked_level
from analysis.stats.linearised import Effect, Spread, cluster_reasons, effect, stratum_sums
from analysis.stats.pooled import Basis, Pooled, amounts, checked_arm, coded, distinct, pooled, quantile


def rate_difference(
    y: ArrayLike,
    d: ArrayLike,
    arm: ArrayLike,
    *,
    cluster: ArrayLike,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Difference of two rates, stratified, with clustered error.

    ``Σ w_s (r1s − r0s) / Σ w_s``. Without `stratum` it is the crude difference.

    Parameters
    ----------
    y, d : array_like
        Numerators and denominators, shape (groups,), in the rate's own units.
    arm : array_like
        1 (virtual) or 0 (in person), shape (groups,).
    cluster, stratum : array_like
        Whole-number codes, shape (groups,).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Its `n` is the sum of `d`. With fewer than five clusters in an arm, the
        estimate stands without an interval. Where no group's `y` exceeds its `d` the interval is cut to
        [−1, 1].

    Raises
    ------
    AnalysisError
        For negative or non-finite sums, columns of unequal length, other arms or missing codes.

    References
    ----------
    Mantel & Haenszel (1959) for the weights; Binder (1983), Int. Stat. Rev. 51, 279–292 for the error.

    Examples
    --------
    >>> p = rate_difference([3, 4, 2, 3, 5, 5, 6, 7, 6, 8], [20] * 10, [1] * 5 + [0] * 5, cluster=range(10))
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}] {p.clusters}"
    '-0.150 [-0.244, -0.056] 10'
    """
    return _by_cluster("difference", y, d, arm, cluster, stratum, level)


def rate_ratio(
    y: ArrayLike,
    d: ArrayLike,
    arm: ArrayLike,
    *,
    cluster: ArrayLike,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """Ratio of two rates, stratified, with clustered error of its logarithm.

    ``Σ w_s r1s / Σ w_s r0s``, which is Mantel–Haenszel's ``Σ y1 D0/T / Σ y0 D1/T``. Without `stratum` it is
    the crude ratio.

    Parameters
    ----------
    y, d, arm, cluster, stratum, level
        As for `rate_difference`.

    Returns
    -------
    Pooled
        A ratio; its `se` is that of the logarithm. No interval without events in both arms (reason
        ``ratio_needs_events``; the estimate is 0 when only arm 1 has none).

    Raises
    ------
    AnalysisError
        As for `rate_difference`.

    References
    ----------
    Greenland & Robins (1985), Biometrics 41, 55–68; Binder (1983), Int. Stat. Rev. 51, 279–292.

    Examples
    --------
    >>> p = rate_ratio([3, 4, 2, 3, 5, 5, 6, 7, 6, 8], [20] * 10, [1] * 5 + [0] * 5, cluster=range(10))
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}]"
    '0.531 [0.341, 0.829]'
    """
    return _by_cluster("ratio", y, d, arm, cluster, stratum, level)


def clustered_from_moments(
    measure: Effect,
    *,
    arm: ArrayLike,
    n: ArrayLike,
    y: ArrayLike,
    d: ArrayLike,
    yy: ArrayLike,
    dd: ArrayLike,
    yd: ArrayLike,
    stratum: ArrayLike | None = None,
    level: float = 0.95,
) -> Pooled:
    """The same effects where every unit is its own cluster, from second moments.

    What `rate_difference` and `rate_ratio` give for one group per unit, without the units: a group's sum of
    squared contributions is ``k² (Σy² − 2r Σyd + r² Σd²)``.

    Parameters
    ----------
    measure : {"difference", "ratio"}
        Which effect.
    arm, stratum : array_like
        As for `rate_difference`, shape (groups,), one or more groups per (stratum, arm).
    n : array_like
        Units (validations) in each group.
    y, d, yy, dd, yd : array_like
        Sums over the units of y, d, y², d² and y·d.
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Its `clusters` is the number of units used. A difference of proportions (every d is 1) is cut to
        [−1, 1]; for other rates the moments do not show whether they are fractions.

    Raises
    ------
    AnalysisError
        As for `rate_difference`, or for another `measure`.

    References
    ----------
    Binder (1983), Int. Stat. Rev. 51, 279–292.

    Examples
    --------
    >>> p = clustered_from_moments("difference", arm=[1, 0], n=[100, 100], y=[20, 30], d=[100, 100],
    ...                            yy=[20, 30], dd=[100, 100], yd=[20, 30])
    >>> f"{p.estimate:.2f} [{p.interval.low:.3f}, {p.interval.high:.3f}] {p.clusters}"
    '-0.10 [-0.221, 0.021] 200'
    """
    if measure not in ("difference", "ratio"):
        raise AnalysisError(f"measure must be 'difference' or 'ratio'; got {measure!r}.")
    units, ys, ds, yys, dds, yds = amounts(n=n, y=y, d=d, yy=yy, dd=dd, yd=yd)
    one = checked_arm(arm, ys.size)
    strata, count = coded(stratum, ys.size, "stratum")
    sums = stratum_sums(ys, ds, one, strata, count)

    def spread(scale: Floats, rate: Floats) -> Spread:
        used = sums.used[strata]
        square = np.maximum(yys - 2 * rate * yds + rate**2 * dds, 0)
        return Spread(
            squares=float((scale[used] ** 2 * square[used]).sum()),
            clusters=round(float(units[used].sum())),
            fewest_in_an_arm=min(round(float(units[used & side].sum())) for side in (one, ~one)),
        )

    proportions = bool((dds == units).all() and (ds == units).all() and (ys <= ds).all())
    return effect(sums, spread, measure, fractions=proportions, level=level, how="by unit")


def arm_rate(y: ArrayLike, d: ArrayLike, *, cluster: ArrayLike, level: float = 0.95) -> Pooled:
    """The rate of one arm with a clustered interval that never leaves its range.

    For fractions (no group's `y` exceeds its `d`): the Wilson score interval with t(G−1) in place of z and
    the effective denominator ``D / deff``, where deff is the clustered variance over ``r(1−r)/D``, at
    least 1. A rate of 0 or 1 shows no clustering, so deff is 1 there and the limit is Wilson's of D
    independent units: read it as optimistic. For rates that may exceed 1 (findings per validation): t on
    the log scale.

    Parameters
    ----------
    y, d : array_like
        Numerators and denominators, shape (groups,).
    cluster : array_like
        Whole-number codes, shape (groups,).
    level : float
        Confidence level.

    Returns
    -------
    Pooled
        Its `se` is on the natural scale for fractions and on the log scale otherwise. No interval with fewer
        than five clusters.

    Raises
    ------
    AnalysisError
        For negative or non-finite sums, columns of unequal length or missing codes.

    References
    ----------
    Korn & Graubard (1998), Surv. Methodol. 24, 193–201, with score instead of exact limits.

    Examples
    --------
    >>> p = arm_rate([3, 4, 2, 5, 6, 7], [20] * 6, cluster=range(6))
    >>> f"{p.estimate:.3f} [{p.interval.low:.3f}, {p.interval.high:.3f}]"
    '0.225 [0.143, 0.336]'
    """
    level = checked_level(level)
    ys, ds = amounts(y=y, d=d)
    codes, count = coded(cluster, ys.size, "cluster")
    # Groups with nothing at risk are no clusters.
    clusters = distinct(codes[ds > 0])
    rests_on = Basis(round(float(ds.sum())))
    if ds.sum() == 0:
        return pooled(
            math.nan,
            math.nan,
            basis=rests_on,
            level=level,
            method="",
            clusters=0,
            reasons=("zero_denominator",),
        )
    rate = float(ys.sum() / ds.sum())
    u = np.bincount(codes, (ys - rate * ds) / ds.sum(), count)
    se = math.sqrt(float((u**2).sum()) * clusters / max(clusters - 1, 1))
    reasons = cluster_reasons(clusters, clusters)
    if not bool((ys <= ds).all()):
        log_se = math.nan if "too_few_clusters" in reasons else se / rate
        return pooled(
            math.log(rate),
            log_se,
            scale="log",
            basis=rests_on,
            level=level,
            method="clustered, log scale",
            df=float(clusters - 1),
            clusters=clusters,
            reasons=reasons,
        )
    interval = None
    if "too_few_clusters" not in reasons:
        interval = score_interval(rate, se, float(ds.sum()), clusters - 1, level)
    return Pooled(
        estimate=rate,
        se=se,
        scale="identity",
        interval=interval,
        p_value=None,
        n=rests_on.n,
        df=float(clusters - 1),
        clusters=clusters,
        reasons=reasons,
    )


def _by_cluster(
    measure: Effect,
    y: ArrayLike,
    d: ArrayLike,
    arm: ArrayLike,
    cluster: ArrayLike,
    stratum: ArrayLike | None,
    level: float,
) -> Pooled:
    ys, ds = amounts(y=y, d=d)
    if (ys[ds == 0] > 0).any():
        raise AnalysisError("y must be 0 where d is 0: nothing can be counted where nothing was at risk.")
    one = checked_arm(arm, ys.size)
    strata, count = coded(stratum, ys.size, "stratum")
    codes, _ = coded(cluster, ys.size, "cluster")
    sums = stratum_sums(ys, ds, one, strata, count)

    def spread(scale: Floats, rate: Floats) -> Spread:
        # Groups with nothing at risk are no clusters.
        rows = sums.used[strata] & (ds > 0)
        u = np.bincount(codes[rows], scale[rows] * (ys[rows] - rate[rows] * ds[rows]))
        return Spread(
            squares=float((u**2).sum()),
            clusters=distinct(codes[rows]),
            fewest_in_an_arm=min(distinct(codes[rows & side]) for side in (one, ~one)),
        )

    return effect(sums, spread, measure, fractions=bool((ys <= ds).all()), level=level, how="clustered")


def score_interval(rate: float, se: float, total: float, df: float | None, level: float) -> Interval:
    """Wilson's interval of a fraction whose error is `se`: the denominator shrunk by the design effect (at least 1).

    `total` is the denominator of independent units, `df` the degrees of freedom of the error (None: normal).
    """
    independent = rate * (1 - rate) / total
    effective = total / max(se**2 / independent, 1.0) if independent > 0 else total
    tt = quantile(level, df) ** 2
    centre = (rate + tt / (2 * effective)) / (1 + tt / effective)
    half = math.sqrt(tt * (rate * (1 - rate) / effective + tt / (4 * effective**2))) / (1 + tt / effective)
    low = 0.0 if rate == 0 else max(centre - half, 0.0)
    high = 1.0 if rate == 1 else min(centre + half, 1.0)
    return Interval(low, high, level, "Wilson, clustered")
