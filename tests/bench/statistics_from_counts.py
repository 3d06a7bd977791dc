"""Statistics from counts against the same statistics from rows, or from a loop over a library's function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.datasets.opening import open_dataset
from analysis.metrics import metric
from analysis.questions.comparison import compare
from analysis.questions.designs import design_of
from analysis.questions.tallies import tally_counts, tally_rows
from analysis.questions.window import comparison_window
from analysis.selection import Selection
from analysis.stats.proportions import miettinen_nurminen, newcombe
from tests.bench.peers.models_on_rows import Rows, compared
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
    """A whole comparison with its counting, against the same ways of asking on rows.

    Both have what they start from in memory: we the cells of an open dataset, the rows a row each validation, coded
    already. No counts and no answers are held. Beside it stands our time with a dataset that has yet to be opened.
    """
    rows, dataset = as_rows(folder), open_dataset(folder)
    answer = compare(dataset, METRIC)
    ours = {row.method: row.estimate for row in answer.estimates if row.measure == "difference"}
    theirs = compared(rows)
    apart = {way: abs((ours[way] or np.inf) - theirs[way][0]) for way in theirs}
    works: dict[str, Callable[[], object]] = {
        "ours": lambda: compare(dataset, METRIC),
        "rows": lambda: compared(rows),
        "opened anew": lambda: compare(open_dataset(folder), METRIC),
    }
    taken = in_turns(works, rounds)
    return faster(
        taken["ours"]["wall_s"], taken["rows"]["wall_s"], 20,
        cpu_s=[taken["ours"]["cpu_s"], taken["rows"]["cpu_s"]], opened_anew_s=taken["opened anew"]["wall_s"],
        validations=len(rows.everybody_event), compared=len(rows.event), largest_difference=max(apart.values()),
    )  # fmt: skip


def as_rows(folder: Path) -> Rows:
    """The validations, one row each, as models want them."""
    dataset, definition = open_dataset(folder), metric(METRIC)
    window = comparison_window(tally_counts(dataset, [definition], Selection()))
    everybody = tally_rows(definition, window.selection).rows
    tallied = tally_rows(definition, window.rows).rows
    design = design_of(tallied, clustered=True)
    every_row, every_event = _one_each(everybody)
    row, event = _one_each(tallied)
    columns = np.column_stack([np.ones(len(design.arm)), design.covariates])
    return Rows(
        everybody_event=every_event,
        everybody_arm=everybody["arm"].to_numpy(float)[every_row],
        event=event,
        arm=design.arm[design.place[row]].astype(float),
        covariates=columns[design.place[row]],
        cluster=pd.factorize(tallied["cluster"])[0][row],
        stratum=tallied["stratum"].to_numpy(np.int64)[row],
    )


def _one_each(tallied: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Row of the counts that each validation belongs to, and whether it has the event."""
    events, size = tallied["y"].to_numpy(np.int64), tallied["d"].to_numpy(np.int64)
    row = np.repeat(np.arange(len(size)), size)
    nth = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    return row, (nth < events[row]).astype(float)


def _apart(ours: Any, theirs: list[tuple[float, float] | None]) -> float:
    return max(
        max(abs(low - one[0]), abs(high - one[1]))
        for low, high, one in zip(ours.low, ours.high, theirs, strict=True)
        if one is not None and np.isfinite(one).all()
    )
