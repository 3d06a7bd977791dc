"""The demo's numbers a second way: plain pandas on the source rows, statsmodels on single validations, sums written out."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.genmod.families as families
from scipy import optimize, stats
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.stats.multitest import multipletests

from tests.pages.screens import DEMO, Query, of
from tests.recount import Recount

MUST = "any_must_deficiency"
COLUMNS = ["risk", "kind", "quarter", "field_office", "entity_type"]


@cache
def source() -> Recount:
    """The demo counted again in plain pandas and Python from its source rows."""
    return Recount(DEMO)


def rows_of(table: str, query: Query) -> pd.DataFrame:
    """Rows of a table that an address selects."""
    rows = source().tables[table]
    keep = pd.Series(True, rows.index)
    for name, value in query.items():
        column = {"office": "field_office"}.get(name, name)
        if name == "from_":
            keep &= pd.to_datetime(rows["day"]) >= str(value)
        elif name == "to":
            keep &= pd.to_datetime(rows["day"]) <= str(value)
        else:
            keep &= rows[column].isin([value] if isinstance(value, str) else value)
    chosen = rows[keep].copy()
    if "day" in chosen:
        day = pd.to_datetime(chosen["day"])
        chosen["quarter"] = day.dt.year * 4 + day.dt.quarter
        chosen["fiscal_year"] = day.dt.year + (day.dt.month >= 10)
    return chosen


def both_modes(query: Query) -> pd.DataFrame:
    """Validations of both modes that an address selects, whatever it says of modes."""
    rows = rows_of("validations", {name: value for name, value in query.items() if name != "mode"})
    rows = rows[rows["mode"].isin(["virtual", "in_person"]) & (rows["has_must_assessed"] == 1)]
    return rows.assign(arm=(rows["mode"] == "virtual").astype(float))


def in_window(rows: pd.DataFrame) -> pd.DataFrame:
    """Those in quarters in which both modes were in use, not as a stray exception."""
    share = rows.groupby("quarter")["arm"].mean()
    return rows[rows["quarter"].isin(share.index[share.between(0.02, 0.98)])]


def by_mode(rows: pd.DataFrame, y: str, n: str = "n") -> dict[str, str]:
    """A count out of another for both modes, as a page writes them."""
    summed = rows.groupby("mode")[[y, n]].sum()
    return {mode: of(*summed.loc[mode]) for mode in ("virtual", "in_person")}


def overdue_after(month: int, query: Query) -> int:
    """Validations due by the end of a month, not done by then, of members that had not left."""
    rows = rows_of(
        "backlog", {name: value for name, value in query.items() if name in ("office", "entity_type")}
    )
    later = rows[["done_month", "left_month"]].astype(float).fillna(np.inf).min(axis=1)
    return int(((rows["due_month"] <= month) & (later > month)).sum())


def mantel_haenszel(rows: pd.DataFrame, y: str = MUST, n: str = "n") -> tuple[float, float]:
    """Difference and ratio of shares within risk, kind and location, weighted as Mantel and Haenszel do."""
    arms = rows.groupby(["risk", "kind", "location", "arm"])[[y, n]].sum().unstack("arm").dropna()
    share = {arm: arms[y, arm] / arms[n, arm] for arm in (0.0, 1.0)}
    weight = arms[n, 1.0] * arms[n, 0.0] / (arms[n, 1.0] + arms[n, 0.0])
    virtual, in_person = (float((share[arm] * weight).sum()) for arm in (1.0, 0.0))
    return (virtual - in_person) / float(weight.sum()), virtual / in_person


def standardised(rows: pd.DataFrame, y: Any, columns: list[str] = COLUMNS) -> dict[str, float]:
    """A logistic model of single validations, read for everybody in both modes; errors clustered by specialist."""
    dummies = pd.get_dummies(rows[columns].astype("category"), drop_first=True).to_numpy(float)
    x = np.column_stack([np.ones(len(rows)), rows["arm"], dummies])
    events = np.asarray(y, float)
    fit = GLM(events, x, family=families.Binomial()).fit(tol=1e-12)
    risk, slope = [], []
    for arm in (1.0, 0.0):
        at = x.copy()
        at[:, 1] = arm
        p = 1 / (1 + np.exp(-at @ fit.params))
        risk.append(p.mean())
        slope.append((p * (1 - p)) @ at / len(at))
    p = fit.fittedvalues
    bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
    scores = pd.DataFrame(x * (events - p)[:, None]).groupby(rows["specialist_id"].to_numpy()).sum()
    spread = bread @ scores.to_numpy().T @ scores.to_numpy() @ bread * len(scores) / (len(scores) - 1)
    gradient = slope[0] - slope[1]
    reach = float(stats.t.ppf(0.975, len(scores) - 1)) * math.sqrt(gradient @ spread @ gradient)
    gap = risk[0] - risk[1]
    return {"gap": gap, "low": gap - reach, "high": gap + reach}


def criteria_again(window: pd.DataFrame) -> tuple[dict[str, float], int]:
    """Cochran–Mantel–Haenszel tests of every criterion, their q-values, and how many could be tested."""
    p = {}
    strata = [part for _, part in window.groupby(["risk", "kind", "location"])]
    for criterion in source().criteria:
        tables = []
        for part in strata:
            asked = part[[criterion in assessed for assessed in part["assessed"]]]
            found = np.array([criterion in deficient for deficient in asked["deficient"]], bool)
            arm = asked["arm"].to_numpy() == 1
            tables.append([[(found & a).sum(), (~found & a).sum()] for a in (arm, ~arm)])
        usable = [np.array(t, float) for t in tables if all(sum(row) for row in t)]
        if sum(t[:, 0].sum() for t in usable) >= 5:
            p[criterion] = StratifiedTable(usable).test_null_odds(correction=False).pvalue
    return dict(zip(p, multipletests(list(p.values()), method="fdr_bh")[1], strict=True)), len(p)


def detectable(window: pd.DataFrame) -> float:
    """The fall from the in-person share that a test of two shares finds four times in five, errors as clustered here."""
    n1, n0 = window["arm"].sum(), (1 - window["arm"]).sum()
    p1, p0 = (window.loc[window["arm"] == arm, MUST].mean() for arm in (1, 0))
    again = standardised(window, window[MUST])
    se = (again["high"] - again["low"]) / 2 / stats.norm.ppf(0.975)
    plain = p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0

    def power(p: float) -> float:
        pooled = (n1 * p + n0 * p0) / (n1 + n0)
        null = math.sqrt(se**2 / plain * pooled * (1 - pooled) * (1 / n1 + 1 / n0))
        own = math.sqrt(se**2 / plain * (p * (1 - p) / n1 + p0 * (1 - p0) / n0))
        return float(stats.norm.cdf((p0 - p - stats.norm.ppf(0.975) * null) / own))

    return float(optimize.brentq(lambda p: power(p) - 0.8, 0.01, p0 - 0.001) - p0)
