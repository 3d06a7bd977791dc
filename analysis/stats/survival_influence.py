"""What one observation does to a Kaplan–Meier curve: contributions that can be added up by cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.stats.bounds import Floats
from analysis.stats.linearised import cluster_reasons
from analysis.stats.pooled import Codes, distinct
from analysis.stats.survival import SurvivalCurve


@dataclass(frozen=True, slots=True)
class ArmSpread:
    """Clustered variances of the two arms' figures, their covariance, and what they rest on.

    Specialists who work in both modes make the arms dependent: the variance of the difference is
    ``variance_1 + variance_0 − 2 covariance``.
    """

    variance_1: float
    variance_0: float
    covariance: float
    clusters: int
    fewest_in_an_arm: int

    @property
    def reasons(self) -> tuple[str, ...]:
        """Whether errors can be clustered, as reason codes."""
        return cluster_reasons(self.clusters, self.fewest_in_an_arm)

    @property
    def df(self) -> float:
        """Degrees of freedom: those of the arm with fewer clusters."""
        return float(self.fewest_in_an_arm - 1)


def risk_influence(curve: SurvivalCurve, time: ArrayLike, event: ArrayLike, horizon: float) -> Floats:
    """What one observation more adds to the risk by `horizon`, per row.

    The derivative of the weighted estimate (infinitesimal jackknife):
    ``S(h) (δ/(Y − D) − Σ_{t_j ≤ T} D_j/(Y_j (Y_j − D_j)))`` over event times up to the horizon.

    Parameters
    ----------
    curve : SurvivalCurve
        Made of these very rows and their counts.
    time, event : array_like
        As for `kaplan_meier`, shape (rows,).
    horizon : float
        In the unit of the times.

    Returns
    -------
    ndarray
        Shape (rows,); times the rows' counts they sum to 0.

    References
    ----------
    Jaeckel (1972); Efron (1982), The Jackknife, the Bootstrap and Other Resampling Plans, chapter 6.

    Examples
    --------
    >>> days, seen = np.array([30.0, 400.0]), np.array([1.0, 0.0])
    >>> from analysis.stats.survival import kaplan_meier
    >>> risk_influence(kaplan_meier(days, seen, [5, 95]), days, seen, 365)
    array([ 0.0095, -0.0005])
    """
    inside = curve.time <= horizon
    at_horizon = float(curve.survival[inside][-1]) if inside.any() else 1.0
    return -_influence(curve, time, event, np.where(inside, at_horizon, 0.0))


def mean_influence(curve: SurvivalCurve, time: ArrayLike, event: ArrayLike, tau: float) -> Floats:
    """What one observation more adds to the mean time restricted to `tau`, per row.

    As `risk_influence`, each event time weighing with the area under the curve from it to tau.

    Parameters
    ----------
    curve, time, event
        As for `risk_influence`.
    tau : float
        Restriction, in the unit of the times.

    Returns
    -------
    ndarray
        Shape (rows,).

    References
    ----------
    Andersen, Hansen & Klein (2004), Lifetime Data Anal. 10, 335–350, for the pseudo-values these are.

    Examples
    --------
    >>> days, seen = np.array([10.0, 20.0, 40.0]), np.array([1.0, 1.0, 0.0])
    >>> from analysis.stats.survival import kaplan_meier
    >>> mean_influence(kaplan_meier(days, seen, [1, 1, 2]), days, seen, 30)
    array([-3.125, -0.625,  1.875])
    """
    inside = curve.time < tau
    t, s = curve.time[inside], curve.survival[inside]
    pieces = np.concatenate([[1.0], s]) * np.diff(np.concatenate([[0.0], t, [tau]]))
    ahead = np.zeros(curve.time.size)
    ahead[inside] = pieces.sum() - np.cumsum(pieces)[:-1]
    return _influence(curve, time, event, ahead)


def arm_spread(influence: Floats, n: Floats, one: NDArray[np.bool_], cluster: Codes) -> ArmSpread:
    """Clustered variances of both arms from contributions of rows.

    Sums by cluster, squared and added up, times ``G/(G − 1)``.

    Parameters
    ----------
    influence : ndarray
        What one observation of each row adds to its own arm's figure, shape (rows,).
    n : ndarray
        Counts.
    one : ndarray of bool
        Arm 1 (virtual).
    cluster : ndarray of int
        Codes from 0.
    """
    present = n > 0
    length = int(cluster.max(initial=0)) + 1
    sums = np.array([np.bincount(cluster[side], (influence * n)[side], length) for side in (one, ~one)])
    clusters = distinct(cluster[present])
    products = clusters / max(clusters - 1, 1) * (sums @ sums.T)
    return ArmSpread(
        variance_1=float(products[0, 0]),
        variance_0=float(products[1, 1]),
        covariance=float(products[0, 1]),
        clusters=clusters,
        fewest_in_an_arm=min(distinct(cluster[side & present]) for side in (one, ~one)),
    )


def _influence(curve: SurvivalCurve, time: ArrayLike, event: ArrayLike, weight: Floats) -> Floats:
    """``−δ w/(Y − D) + Σ_{t_j ≤ T} w_j D_j/(Y_j (Y_j − D_j))``; 0 where nobody is left and nothing weighs."""
    t, e = np.asarray(time, float), np.asarray(event, float)
    y, d = curve.at_risk, curve.events
    left = np.where(y > d, y - d, 1.0)
    per_event = np.where(y > d, weight / left, 0.0)
    drift = np.concatenate([[0.0], np.cumsum(per_event * d / y)])
    reached = np.searchsorted(curve.time, t, side="right")
    own = np.concatenate([[0.0], per_event])[reached]
    return np.asarray(drift[reached] - e * own)
