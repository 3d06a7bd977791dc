"""The rows of a comparison of proportions or rates: counted once, by arm, stratum and specialist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.smallness import MIN_PER_ARM
from analysis.questions.unseen import COUNTED, speaks_of_criteria
from analysis.schema import ADJUSTMENT_COLUMNS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

COVARIATES = (*ADJUSTMENT_COLUMNS, "field_office", "entity_type")
"""What models can adjust for besides the quarter."""


@dataclass(frozen=True, slots=True)
class Arms:
    """The rows of a comparison: numerator `y`, denominator `d`, arm, stratum, cluster and second moments."""

    rows: pd.DataFrame
    clustered: bool

    def total(self, arm: int) -> tuple[int, int]:
        """Events and denominator of an arm."""
        return self._sum("y", arm), self._sum("d", arm)

    def validations(self, arm: int) -> int:
        """Validations (or responses) of an arm that are in the denominator."""
        return self._sum("n", arm)

    def tables(self) -> np.ndarray:
        """One 2×2 table per stratum: rows are virtual and in person, columns events and the others."""
        strata = self.rows["stratum"].to_numpy()
        count = int(strata.max()) + 1 if strata.size else 0
        y, d = np.zeros((count, 2), np.int64), np.zeros((count, 2), np.int64)
        place = (strata, 1 - self.rows["arm"].to_numpy())
        np.add.at(y, place, self.rows["y"].to_numpy())
        np.add.at(d, place, self.rows["d"].to_numpy())
        return np.stack([y, d - y], axis=2)

    def _sum(self, column: str, arm: int) -> int:
        return int(self.rows[column].to_numpy()[self.rows["arm"].to_numpy() == arm].sum())


def tally_counts(
    dataset: Dataset, definitions: list[Metric], selection: Selection, extra: tuple[str, ...] = ()
) -> pd.DataFrame:
    """One grouped pass over prepared rows that serves every tally given (all of one table).

    Grouped by arm, quarter, adjustment columns, the further columns of models, specialist and `extra`.
    """
    tallies = [metric.counted_by for metric in definitions]
    assert all(isinstance(tally, Tally) for tally in tallies)
    (table,) = {tally.table for tally in tallies if isinstance(tally, Tally)}
    sums = ["n"]
    for metric, tally in zip(definitions, tallies, strict=True):
        assert isinstance(tally, Tally)
        y, d = tally.numerator, tally.denominator
        sums += [y, d]
        if metric.kind == "rate":
            sums += [f"{y}*{y}", f"{d}*{d}", f"{y}*{d}"]
    if any(speaks_of_criteria(metric, dataset) for metric in definitions):
        sums += COUNTED
    arms = {metric.arm_column for metric in definitions} | {"mode"}
    by = [*sorted(arms), "quarter", *ADJUSTMENT_COLUMNS, "field_office", "entity_type", "specialist"]
    if table == "feedback":
        by += ["respondent", "item"]
    by += [column for column in extra if column not in by]
    return counts(dataset, table, by, selection, sums=list(dict.fromkeys(sums)))


def tally_rows(metric: Metric, rows: pd.DataFrame) -> Arms:
    """Rows of a window as numerators, denominators and clusters of one metric."""
    tally = metric.counted_by
    assert isinstance(tally, Tally)
    if tally.item is not None:
        rows = rows[rows["item"] == tally.item]
    y, d = rows[tally.numerator], rows[tally.denominator]
    if metric.kind == "rate":
        yy, dd, yd = (
            rows[f"{a}*{b}"]
            for a, b in (
                (tally.numerator, tally.numerator),
                (tally.denominator, tally.denominator),
                (tally.numerator, tally.denominator),
            )
        )
    else:
        # A flag counts only where it could have been set.
        y = np.minimum(y, d)
        yy, dd, yd = y, d, y
    # A validation without a specialist is a cluster of its own, as nearly as its row allows.
    specialist = rows["specialist"].to_numpy()
    cluster = np.where(specialist >= 0, specialist, -1 - np.arange(len(rows)))
    out = pd.DataFrame(
        {
            "n": rows["n"], "y": y, "d": d, "yy": yy, "dd": dd, "yd": yd,
            "arm": rows["arm"], "stratum": rows.get("stratum", 0), "quarter": rows["quarter"], "cluster": cluster,
        }
        | {column: rows[column] for column in COVARIATES if column in rows}
    )  # fmt: skip
    return Arms(out[out["d"] > 0], bool((specialist >= 0).any()))


def tally_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it."""
    sums = tally_rows(metric, rows).rows.groupby(["quarter", "arm"])[["n", "y", "d"]].sum()
    enough = sums[sums["n"] >= MIN_PER_ARM]
    return {
        (int(q), int(arm)): float(y / d)
        for (q, arm), y, d in zip(enough.index, enough["y"], enough["d"], strict=True)
    }
