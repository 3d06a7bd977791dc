"""One simulated program: what every method answers about every metric, and what it should have answered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.datasets.demo.catalogue import Bools
from analysis.datasets.demo.contrasts import comparison_window as true_window
from analysis.datasets.opening import Dataset
from analysis.questions import models
from analysis.questions.arms import COVARIATES, Arms, tally_counts, tally_rows
from analysis.questions.before_after import paired
from analysis.questions.tallies import crude, mantel_haenszel
from analysis.questions.window import Window, comparison_window
from analysis.results import Estimate
from analysis.selection import Selection
from analysis.stats import estimating
from tests.bench.truth import sharing
from tests.bench.truth.held import Held
from tests.bench.truth.truths import METRICS, difference_over, outcome, truths, virtual_pairs

ROW = "validation_row"
MODELLED = ("overlap_weighted", "doubly_robust", "aipw")
OF_RATES = ("doubly_robust mean", "standardised ratio")
METHODS = ("crude", "standardised", "mantel_haenszel", *MODELLED, "paired")
PAIRED = ("any_must_deficiency", "any_deficiency")
TRUTH: Mapping[str, str] = {
    "crude": "difference_all",
    "standardised": "difference_all",
    "mantel_haenszel": "difference_mh",
    "overlap_weighted": "difference_overlap",
    "doubly_robust": "difference_overlap",
    "doubly_robust mean": "mean_overlap",
    "aipw": "difference over the rows kept",
    "paired": "difference_virtual of the pairs",
    "standardised ratio": "ratio_all",
}
"""What each method is judged by; augmented rates also by the mean of the rates of single validations."""

Asked = tuple[str, str]
"""A metric and a method; rates are also asked for their ratio, which their verdict is read from."""

LINES: tuple[Asked, ...] = tuple(
    (name, method)
    for name, definition in METRICS.items()
    for method in (*METHODS, *OF_RATES)
    if (method != "paired" or name in PAIRED) and (method not in OF_RATES or definition.kind == "rate")
)


class Answer(NamedTuple):
    """One estimate beside its truth; NaN where it could not be estimated."""

    truth: float
    estimate: float
    low: float
    high: float


def window_of(dataset: Dataset, names: Sequence[str]) -> Window:
    """The comparison window of some metrics, a row for each validation."""
    counted = tally_counts(dataset, [METRICS[name] for name in names], Selection(), (ROW,))
    # Values in their order, as numbers: nothing but their order is looked at, and grouping is faster.
    numbered = {column: pd.factorize(counted[column], sort=True)[0] for column in COVARIATES}
    return comparison_window(counted.assign(**numbered))


def answers(held: Held, lines: Sequence[Asked] = LINES) -> dict[Asked, Answer]:
    """Every line asked for, of one program."""
    with sharing.shared():
        names = list(dict.fromkeys(name for name, _ in lines))
        window = window_of(held, names)
        out: dict[Asked, Answer] = {}
        for name in names:
            methods = {method for one, method in lines if one == name}
            found = _of_metric(held, window, name, methods)
            out |= {(name, method): given for method, given in found.items()}
        return {one: out[one] for one in lines}


def estimates(
    dataset: Dataset, window: Window, name: str, methods: set[str], inside: Arms
) -> dict[str, Estimate]:
    """What the app's own functions answer."""
    definition = METRICS[name]
    rows: list[Estimate] = []
    if "crude" in methods:
        rows += crude(definition, tally_rows(definition, window.selection))
    if "mantel_haenszel" in methods:
        rows += mantel_haenszel(definition, inside, window.strata)
    if methods & {"standardised", "standardised ratio"}:
        rows += models.standardised(definition, inside, dataset.modes, window.strata)[0]
    if methods & {*MODELLED, "doubly_robust mean"}:
        rows += models.weighted(definition, inside, window.strata)
    if "paired" in methods:
        rows.append(paired(dataset, definition, Selection(), window))
    named = {
        row.method if row.measure == "difference" else f"{row.method} {row.measure}": row for row in rows
    }
    return {
        method: named[method.removesuffix(" mean")] for method in (*METHODS, *OF_RATES) if method in methods
    }


def _of_metric(held: Held, window: Window, name: str, methods: set[str]) -> dict[str, Answer]:
    arms = tally_rows(METRICS[name], window.rows)
    found = estimates(held, window, name, methods, arms)
    potential = outcome(held.world, name)
    true = truths(true_window(held.world), potential)
    if "aipw" in methods:
        rows = window.rows.loc[arms.rows.index[kept(arms)], ROW].to_numpy()
        true[TRUTH["aipw"]] = difference_over(potential, rows)
    if "paired" in methods:
        rows, _ = virtual_pairs(held.world, set(window.rows["quarter"]))
        true[TRUTH["paired"]] = difference_over(potential, rows)
    return {method: answer(true[TRUTH[method]], row) for method, row in found.items()}


def answer(truth: float, row: Estimate) -> Answer:
    """An estimate beside its truth."""
    if row.estimate is None or row.interval is None:
        return Answer(truth, math.nan, math.nan, math.nan)
    return Answer(truth, row.estimate, row.interval.low, row.interval.high)


def kept(arms: Arms) -> Bools:
    """Which rows inverse-probability weighting keeps: those whose estimated propensity is within the trim."""
    design = models.design_of(arms.rows, clustered=arms.clustered)
    shared = models._shared(design)
    x = estimating._with_intercept(shared.covariates, shared.n.astype(float))
    propensity = estimating.logit(x, shared.n * shared.arm, shared.n)
    inside = np.zeros(design.n.size, bool)
    inside[~design.alone] = estimating._plausible(propensity, models.TRIM)
    assert np.array_equal(np.bincount(design.place, arms.rows["d"]), design.n)
    return np.asarray(inside[design.place])
