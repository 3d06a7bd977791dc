"""Two risks on one mix of members, and their contrasts: what every way of standardising and weighting ends in."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from analysis.results import Interval
from analysis.stats.bounds import Floats
from analysis.stats.pooled import Basis, Pooled, pooled, quantile

_NO_ERROR = 1e-12

Degrees = float | None | Callable[[Floats], float]
"""Degrees of freedom: one number (None: normal), or what they are for a combination of the two risks."""


@dataclass(frozen=True, slots=True)
class Standardised:
    """Risks of both arms on one mix of members, and their contrasts.

    `risk_1` (virtual) and `risk_0` (in person) are fractions, ``None`` (with `reasons`) where the model does not
    exist; `difference` and `ratio` carry errors and intervals. `effective_1` and `effective_0` are the sizes of
    equally weighted samples with the same precision, for weighted methods; `n_trimmed` observations were left
    out for want of overlap. `interval_1` and `interval_0` are of the risks themselves, made on the logit scale.
    `correction` names the small-sample correction of clustered errors: ``CR1`` or ``CR2``.
    """

    risk_1: float | None
    risk_0: float | None
    difference: Pooled
    ratio: Pooled
    n: int
    n_trimmed: int = 0
    effective_1: float | None = None
    effective_0: float | None = None
    reasons: tuple[str, ...] = ()
    interval_1: Interval | None = None
    interval_0: Interval | None = None
    correction: str | None = None


def standardised(
    risk_1: float,
    risk_0: float,
    covariance: Floats,
    *,
    n: int,
    level: float,
    method: str,
    df: Degrees = None,
    clusters: int | None = None,
    reasons: tuple[str, ...] = (),
    n_trimmed: int = 0,
    effective: tuple[float, float] | None = None,
    correction: str | None = None,
) -> Standardised:
    """Contrasts of two risks from the (2, 2) covariance of their estimates, arm 1 first; NaN for no error.

    Difference and logarithm of the ratio are linear in the risks, with their own error and degrees of freedom
    each. An error of zero is none (reason ``clusters_alike``, or ``no_variation`` without clusters).
    """
    exists = bool(np.isfinite(covariance).all())

    def contrast(value: float, gradient: tuple[float, float], **how: Any) -> Pooled:
        c = np.array(gradient)
        error = math.sqrt(max(float(c @ covariance @ c), 0.0)) if exists else math.nan
        why = how.pop("reasons", reasons)
        if exists and math.isfinite(value) and error <= _NO_ERROR * float(np.abs(c).max()):
            error, why = 0.0, (*why, "no_variation" if clusters is None else "clusters_alike")
        return pooled(
            value, error, basis=Basis(n, n_trimmed), level=level, method=method, df=_at(df, c), clusters=clusters,
            reasons=why, **how,
        )  # fmt: skip

    difference = contrast(risk_1 - risk_0, (1.0, -1.0), within=(-1.0, 1.0))
    if risk_1 > 0 and risk_0 > 0:
        ratio = contrast(math.log(risk_1 / risk_0), (1 / risk_1, -1 / risk_0), scale="log")
    else:
        ratio = contrast(math.nan, (0.0, 0.0), scale="log", reasons=(*reasons, "ratio_needs_events"))
    own = [
        _risk_interval(risk, float(covariance[i, i]), _at(df, np.eye(2)[i]), level, method)
        for i, risk in enumerate((risk_1, risk_0))
    ]
    one, other = effective or (None, None)
    return Standardised(
        risk_1, risk_0, difference, ratio, n, n_trimmed, one, other, reasons, own[0], own[1], correction
    )


def _at(df: Degrees, combination: Floats) -> float | None:
    return df(combination) if callable(df) else df


def _risk_interval(
    risk: float, variance: float, df: float | None, level: float, method: str
) -> Interval | None:
    """Interval of one risk on the logit scale, so that it stays between 0 and 1."""
    if not (0 < risk < 1 and variance > 0):
        return None
    middle, reach = (
        math.log(risk / (1 - risk)),
        quantile(level, df) * math.sqrt(variance) / (risk * (1 - risk)),
    )
    return Interval(float(expit(middle - reach)), float(expit(middle + reach)), level, method)


def no_risks(n: int, level: float, reasons: tuple[str, ...]) -> Standardised:
    """The answer where no risk can be estimated."""
    nothing = pooled(math.nan, math.nan, basis=Basis(0, n), level=level, method="", reasons=reasons)
    return Standardised(None, None, nothing, nothing, n, reasons=reasons)
