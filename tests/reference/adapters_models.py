"""Adapters of the models: logistic regression and what rests on it.

Formulas are read by a small fixed reader, never evaluated: terms are columns, ``C(column)`` a factor, ``race2`` an
indicator of race 2, and a cluster joins columns and comparisons such as ``(ptl>0)`` by colons.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from conventions import Case, number

from analysis.stats import clustered_logit, g_computation, logit, weighting
from analysis.stats.g_computation import Standardised

Columns = dict[str, Any]


@cache
def _read(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


def _column(data: Columns, term: str) -> Any:
    """One column: of the data, an indicator such as ``race2``, a comparison, or a product ``a:b``."""
    term = term.strip().removeprefix("(").removesuffix(")")
    if ":" in term:
        return np.prod([_column(data, part) for part in term.split(":")], axis=0)
    if term in data:
        return data[term]
    if found := re.fullmatch(r"(\w+)\s*(>=|<=|==|>|<)\s*(-?[\d.]+)", term):
        name, sign, value = found.groups()
        compare = {">": np.greater, "<": np.less, ">=": np.greater_equal, "<=": np.less_equal, "==": np.equal}
        return compare[sign](data[name], float(value)).astype(float)
    name, level = re.fullmatch(r"(.*\D)(\d+)", term).groups()
    return (data[name] == float(level)).astype(float)


def _term(data: Columns, term: str) -> list[Any]:
    """The columns of a term: indicators of all but the first level for ``C(column)``."""
    if found := re.fullmatch(r"(?:C|factor)\((\w+)\)", term.strip()):
        values = data[found[1]]
        return [(values == level).astype(float) for level in np.unique(values)[1:]]
    return [_column(data, term)]


def _formula(data: Columns, formula: str) -> tuple[Any, list[str]]:
    """The outcome of a formula and its terms."""
    left, right = formula.replace("(logit)", "").split("~")
    return _column(data, left), [term.strip() for term in right.split("+")]


def _design(data: Columns, terms: list[str]) -> Any:
    columns = [column for term in terms for column in _term(data, term)]
    rows = next(iter(data.values())).size
    return np.column_stack([*columns]) if columns else np.empty((rows, 0))


def _codes(data: Columns, cluster: str) -> Any:
    parts = np.column_stack([_column(data, part) for part in cluster.split(":")])
    return np.unique(parts, axis=0, return_inverse=True)[1].ravel()


def _firth(given: Case) -> Case:
    answer: Case = {}
    for name, cells in given.items():
        fit = logit.firth_logit([[1, 0], [1, 1]], [cells["x0"], cells["x1"]], [cells["n0"], cells["n1"]])
        answer |= {f"{name}_coef": fit.coef.tolist(), f"{name}_se": fit.se.tolist()}
    return answer


def _clustered(function: Callable[..., Any]) -> Callable[[Case], Case]:
    def adapter(given: Case) -> Case:
        data = _read(given["dataset"])
        outcome, terms = _formula(data, given["formula"])
        ones = np.ones(outcome.size)
        design = np.column_stack([ones, _design(data, terms)])
        # The source gives errors for any number of clusters.
        fit = function(design, outcome, ones, _codes(data, given["cluster"]), min_clusters=2)
        return {"coef": fit.coef.tolist(), "se": fit.se.tolist(), "df": fit.df.tolist()}

    return adapter


def _risks(answer: Standardised) -> Case:
    return {
        "risk_1": number(answer.risk_1),
        "risk_0": number(answer.risk_0),
        "difference": number(answer.difference.estimate),
        "se": number(answer.difference.se),
        "se_difference": number(answer.difference.se),
        "ratio": number(answer.ratio.estimate),
    }


def _g_computation(given: Case) -> Case:
    data = _read(given["dataset"])
    outcome, terms = _formula(data, given["formula"])
    # "smoke 1 vs 0": the contrast is of one yes-or-no column.
    arm = given["contrast"].split()[0]
    products = [term for term in terms if arm in term.split(":") and ":" in term]
    rest = _design(data, [term for term in terms if term != arm and term not in products])
    moderators = _design(data, [_without(term, arm) for term in products])
    ones = np.ones(outcome.size)
    return _risks(g_computation.g_computation(data[arm], rest, outcome, ones, interactions=moderators))


def _without(term: str, arm: str) -> str:
    return ":".join(part for part in term.split(":") if part != arm)


def _weighted(function: Callable[..., Standardised], *, augmented: bool = False) -> Callable[[Case], Case]:
    def adapter(given: Case) -> Case:
        data = _read(given["dataset"])
        arm, terms = _formula(data, given["ps"])
        outcome, ones = data[given["outcome"]], np.ones(arm.size)
        options = {}
        if augmented:
            _, outcome_terms = _formula(data, given["out_formula"])
            options["outcome_covariates"] = _design(data, outcome_terms)
        return _risks(function(arm, _design(data, terms), outcome, ones, **options))

    return adapter


MODELS = {
    "firth_logit": _firth,
    "cluster_logit": _clustered(clustered_logit.cluster_logit),
    "cr2_logit": _clustered(clustered_logit.cr2_logit),
    "g_computation": _g_computation,
    "ipw": _weighted(weighting.ipw),
    "aipw": _weighted(weighting.aipw, augmented=True),
    "overlap_weighting": _weighted(weighting.overlap_weighting),
    "overlap_weighting_augmented": _weighted(weighting.overlap_weighting_augmented, augmented=True),
}
