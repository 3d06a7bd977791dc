"""A whole comparison by statsmodels, one row a validation, written as its documentation would have it.

Only what everybody would need is computed: one estimate and one error for each way of asking. What we compute besides
(the paired and the trimmed ways, balance, positivity, bounds, agreement) is not asked of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import statsmodels.api as sm
from statsmodels.genmod.families import Binomial

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """Validations, one row each: whether there was an event, the mode (1: virtual), dummy columns with an intercept
    first, the specialist and the stratum as codes. The first two also of those outside the comparison window."""

    everybody_event: Floats
    everybody_arm: Floats
    event: Floats
    arm: Floats
    covariates: Floats
    cluster: npt.NDArray[np.int64]
    stratum: npt.NDArray[np.int64]


def compared(rows: Rows) -> dict[str, tuple[float, float]]:
    """Way of asking → difference in risk and its standard error, specialists as clusters where only a window is looked at."""
    weights, odds = _propensity(rows)
    return {
        "crude": _crude(rows),
        "mantel_haenszel": _stratified(rows),
        "standardised": _standardised(rows),
        "overlap_weighted": _weighted(rows, weights),
        "doubly_robust": _augmented(rows, weights, odds),
    }


def _crude(rows: Rows) -> tuple[float, float]:
    event, arm = rows.everybody_event, rows.everybody_arm
    fitted = sm.OLS(event, sm.add_constant(arm)).fit(cov_type="HC0")
    return float(fitted.params[1]), float(fitted.bse[1])


def _clusters(rows: Rows) -> dict[str, Any]:
    return {"cov_type": "cluster", "cov_kwds": {"groups": rows.cluster}}


def _weighted(rows: Rows, weights: Floats) -> tuple[float, float]:
    """Weighted means of both modes: least squares on the mode."""
    model = sm.WLS(rows.event, np.column_stack([np.ones(len(rows.arm)), rows.arm]), weights=weights)
    fitted = model.fit(**_clusters(rows))
    return float(fitted.params[1]), float(fitted.bse[1])


def _stratified(rows: Rows) -> tuple[float, float]:
    """Mantel and Haenszel's difference with the error of Sato, from a frame grouped by stratum."""
    frame = pd.DataFrame({"stratum": rows.stratum, "arm": rows.arm.astype(int), "event": rows.event})
    table = frame.groupby(["stratum", "arm"])["event"].agg(["sum", "count"]).unstack(fill_value=0)
    x1, x0, n1, n0 = (
        table[of].to_numpy(float) for of in (("sum", 1), ("sum", 0), ("count", 1), ("count", 0))
    )
    both = (n1 > 0) & (n0 > 0)
    x1, x0, n1, n0 = x1[both], x0[both], n1[both], n0[both]
    weight = n1 * n0 / (n1 + n0)
    difference = float(((x1 * n0 - x0 * n1) / (n1 + n0)).sum() / weight.sum())
    p = (n1**2 * x0 - n0**2 * x1 + n1 * n0 * (n0 - n1) / 2) / (n1 + n0) ** 2
    q = (x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * (n1 + n0))
    return difference, float(np.sqrt((difference * p + q).sum()) / weight.sum())


def _standardised(rows: Rows) -> tuple[float, float]:
    """A logistic model of the event, predicted for everyone in each mode; the error by the delta method."""
    wide = np.column_stack([rows.covariates, rows.arm])
    fitted = sm.GLM(rows.event, wide, family=Binomial()).fit(**_clusters(rows))
    ones, zeros = wide.copy(), wide.copy()
    ones[:, -1], zeros[:, -1] = 1, 0
    risk_1, risk_0 = fitted.predict(ones), fitted.predict(zeros)
    slope = ((risk_1 * (1 - risk_1))[:, None] * ones - (risk_0 * (1 - risk_0))[:, None] * zeros).mean(axis=0)
    return float((risk_1 - risk_0).mean()), float(np.sqrt(slope @ fitted.cov_params() @ slope))


def _propensity(rows: Rows) -> tuple[Floats, Floats]:
    """Overlap weights of a logistic model of the mode, and what they come from."""
    fitted = sm.GLM(rows.arm, rows.covariates, family=Binomial()).fit()
    chance = np.asarray(fitted.fittedvalues)
    return np.where(rows.arm == 1, 1 - chance, chance), chance


def _augmented(rows: Rows, weights: Floats, chance: Floats) -> tuple[float, float]:
    """Overlap weights with an outcome model in each mode; the error of the influence of each validation."""
    risks = []
    for mode in (1, 0):
        of_mode = rows.arm == mode
        model = sm.GLM(rows.event[of_mode], rows.covariates[of_mode], family=Binomial()).fit()
        risks.append(model.predict(rows.covariates))
    tilt = chance * (1 - chance)
    mean = tilt.mean()
    modelled = tilt * (risks[0] - risks[1]) / mean
    left = rows.event - np.where(rows.arm == 1, risks[0], risks[1])
    total = {mode: weights[rows.arm == mode].sum() for mode in (1, 0)}
    residual = np.where(rows.arm == 1, weights * left / total[1], -weights * left / total[0]) * len(
        rows.event
    )
    fitted = sm.OLS(modelled + residual, np.ones(len(rows.event))).fit(**_clusters(rows))
    return float(fitted.params[0]), float(fitted.bse[0])
