"""The two arms as a stratified comparison sees them: each arm's rate on the common mix of strata."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.stats.bounds import Floats, checked_level
from analysis.stats.linearised import StratumSums, cluster_reasons, stratum_sums
from analysis.stats.pooled import Pooled, amounts, checked_arm, coded, distinct
from analysis.stats.rates import score_interval


def stratified_rates(
    y: ArrayLike,
    d: ArrayLike,
    arm: ArrayLike,
    *,
    yy: ArrayLike,
    dd: ArrayLike,
    yd: ArrayLike,
    stratum: ArrayLike,
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> tuple[Pooled, Pooled]:
    """Rates of both arms, each averaged over strata with Mantel–Haenszel's weights.

    ``Σ w_s r_as / Σ w_s`` with ``w_s = D1s D0s / (D1s + D0s)``: their difference is the stratified difference, so a
    picture of the arms and the number beside it agree. Intervals are Wilson's with the effective denominator
    ``m (1 − m) / V``, V being the linearised variance of the mean, by cluster or by unit.

    Parameters
    ----------
    y, d : array_like
        Numerators and denominators of fractions, shape (groups,).
    arm, stratum : array_like
        1 (virtual) or 0 (in person), and whole-number codes, shape (groups,).
    yy, dd, yd : array_like
        Sums over units of y², d² and y·d, used where units are independent.
    cluster : array_like, optional
        Whole-number codes; with fewer than five clusters units are taken as independent.
    level : float
        Confidence level.

    Returns
    -------
    virtual, in_person : Pooled
        ``None`` in both where no stratum holds both arms.

    Raises
    ------
    AnalysisError
        For negative or non-finite sums, other arms, or missing codes.

    References
    ----------
    Mantel & Haenszel (1959) for the weights; Korn & Graubard (1998), Surv. Methodol. 24, 193–201.

    Examples
    --------
    >>> one, other = stratified_rates([20, 30], [100, 100], [1, 0], yy=[20, 30], dd=[100, 100], yd=[20, 30],
    ...                               stratum=[0, 0])
    >>> f"{one.estimate:.2f} [{one.interval.low:.3f}, {one.interval.high:.3f}]"
    '0.20 [0.133, 0.289]'
    """
    level = checked_level(level)
    ys, ds, yys, dds, yds = amounts(y=y, d=d, yy=yy, dd=dd, yd=yd)
    one = checked_arm(arm, ys.size)
    strata, count = coded(stratum, ys.size, "stratum")
    sums = stratum_sums(ys, ds, one, strata, count)
    codes = coded(cluster, ys.size, "cluster")[0] if cluster is not None else None

    def of(side: NDArray[np.bool_], rates: Floats, below: Floats) -> Pooled:
        rows = side & sums.used[strata]
        total = float(sums.weight.sum())
        if total == 0:
            return Pooled(None, None, "identity", None, None, 0, reasons=("arm_empty",))
        mean = float(sums.weight @ rates) / total
        share = np.where(sums.used, sums.weight / total, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.where(sums.used, share / below, 0.0)[strata[rows]]
        rate = rates[strata[rows]]
        residual = np.maximum(yys[rows] - 2 * rate * yds[rows] + rate**2 * dds[rows], 0)
        squares = float((factor**2 * residual).sum())
        df: float | None = None
        reasons: tuple[str, ...] = ()
        if codes is not None:
            found = distinct(codes[rows])
            reasons = cluster_reasons(found, found)
            if "too_few_clusters" not in reasons:
                u = np.bincount(codes[rows], factor * (ys[rows] - rate * ds[rows]))
                squares, df = float((u**2).sum()) * found / (found - 1), float(found - 1)
        spread = _size(sums, share, below)
        interval = score_interval(mean, math.sqrt(squares), spread, df, level)
        return Pooled(
            mean, math.sqrt(squares), "identity", interval, None, round(float(ds[rows].sum())),
            df=df, reasons=reasons,
        )  # fmt: skip

    return of(one, sums.r1, sums.d1), of(~one, sums.r0, sums.d0)


def _size(sums: StratumSums, share: Floats, below: Floats) -> float:
    """The simple sample whose mean has the variance of this weighted one."""
    used = sums.used
    return 1 / float((share[used] ** 2 / below[used]).sum())
