"""Statistics from counts against the same statistics from rows, or from a loop over a library's function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.genmod.families as families
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.datasets.opening import open_dataset
from analysis.metrics import metric
from analysis.questions.comparison import compare
from analysis.questions.designs import design_of
from analysis.questions.tallies import tally_counts, tally_rows
from analysis.questions.window import comparison_window
from analysis.selection import Selection
from analysis.stats.logit import logit
from analysis.stats.proportions import miettinen_nurminen, newcombe
from tests.bench.timing import Row, faster, in_turns

TABLES = 97 * 7
"""Criteria × field offices."""
METRIC = "any_must_deficiency"


def intervals(rounds: int) -> dict[str, Row]:
    """Score and Newcombe intervals of differences: one call for all tables, against one call for each.

    Where the library raises (it does for some small tables) its loop goes on, and the time it took counts.
    """
    rng = np.random.default_rng(1)
    n1, n0 = rng.integers(20, 900, TABLES), rng.integers(20, 900, TABLES)
    x1, x0 = rng.binomial(n1, 0.04), rng.binomial(n0, 0.05)
    tables = list(zip(x1.tolist(), n1.tolist(), x0.tolist(), n0.tolist(), strict=True))

    def loop(method: str) -> list[tuple[float, float] | None]:
        out: list[tuple[float, float] | None] = []
        for table in tables:
            try:
                out.append(confint_proportions_2indep(*table, method=method, compare="diff"))
            except (RuntimeError, ValueError):
                out.append(None)
        return out

    works: dict[str, Callable[[], object]] = {
        "score": lambda: miettinen_nurminen(x1, n1, x0, n0),
        "score loop": lambda: loop("score"),
        "newcombe": lambda: newcombe(x1, n1, x0, n0),
        "newcombe loop": lambda: loop("newcomb"),
    }
    with np.errstate(all="ignore"):
        taken = in_turns(works, rounds)
        score, other = miettinen_nurminen(x1, n1, x0, n0), newcombe(x1, n1, x0, n0)
        their_score, their_other = loop("score"), loop("newcomb")
    return {
        "score_ci": faster(
            taken["score"]["wall_s"], taken["score loop"]["wall_s"], 40,
            tables=TABLES, raised=sum(one is None for one in their_score), largest_difference=_apart(score, their_score),
        ),
        "newcombe": faster(
            taken["newcombe"]["wall_s"], taken["newcombe loop"]["wall_s"], 500,
            tables=TABLES, raised=sum(one is None for one in their_other), largest_difference=_apart(other, their_other),
        ),
    }  # fmt: skip


def comparison(folder: Path, rounds: int) -> Row:
    """A whole comparison – crude, stratified, standardised, weighted and doubly robust – with its counting,
    against the models these need fitted to rows, which are there already and coded."""
    dataset = open_dataset(folder)
    definition = metric(METRIC)
    window = comparison_window(tally_counts(dataset, [definition], Selection()))
    tallied = tally_rows(definition, window.rows).rows
    design = design_of(tallied, clustered=True)
    x = np.column_stack([np.ones(len(design.arm)), design.arm, design.covariates])
    grouped = logit(x, design.events, design.n)
    # The same validations, one row each.
    events, size = tallied["y"].to_numpy(np.int64), tallied["d"].to_numpy(np.int64)
    rows = np.repeat(np.arange(len(size)), size)
    within_row = np.arange(len(rows)) - np.repeat(np.cumsum(size) - size, size)
    event = (within_row < events[rows]).astype(float)
    wide, cluster = x[design.place[rows]], pd.factorize(tallied["cluster"])[0][rows]
    arm, covariates = wide[:, 1], np.delete(wide, 1, axis=1)

    def outcome() -> Any:
        model = GLM(event, wide, family=families.Binomial())
        return model.fit(cov_type="cluster", cov_kwds={"groups": cluster})

    def from_rows() -> None:
        # Standardised; propensity, for every weighted method; an outcome model in each mode, for the doubly robust.
        outcome()
        GLM(arm, covariates, family=families.Binomial()).fit()
        for mode in (0, 1):
            GLM(event[arm == mode], covariates[arm == mode], family=families.Binomial()).fit()

    apart = float(np.abs(np.asarray(outcome().params) - grouped.coef).max())
    # A dataset that was just opened: nothing is held of the answer, nor of the counts behind it.
    taken = in_turns({"ours": lambda: compare(open_dataset(folder), METRIC), "rows": from_rows}, rounds)
    return faster(
        taken["ours"]["wall_s"], taken["rows"]["wall_s"], 20,
        cpu_s=[taken["ours"]["cpu_s"], taken["rows"]["cpu_s"]], validations=len(event),
        largest_difference_of_coefficients=apart,
    )  # fmt: skip


def _apart(ours: Any, theirs: list[tuple[float, float] | None]) -> float:
    return max(
        max(abs(low - one[0]), abs(high - one[1]))
        for low, high, one in zip(ours.low, ours.high, theirs, strict=True)
        if one is not None and np.isfinite(one).all()
    )
