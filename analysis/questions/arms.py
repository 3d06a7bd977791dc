"""The rows of a comparison of proportions or rates: counted once, by arm, stratum and specialist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.coding import numbered
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
    sums: dict[tuple[str, int], int] = field(default_factory=dict, repr=False, compare=False)

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
        if not self.sums:
            side = self.rows["arm"].to_numpy()
            for name in ("n", "y", "d"):
                values = self.rows[name].to_numpy()
                self.sums.update({(name, code): int(values[side == code].sum()) for code in (1, 0)})
        return self.sums[column, arm]


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
    y, d = rows[tally.numerator].to_numpy(), rows[tally.denominator].to_numpy()
    if metric.kind == "rate":
        yy, dd, yd = (
            rows[f"{a}*{b}"].to_numpy()
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
    there = d > 0
    kept = slice(None) if there.all() else there
    columns = {
        "y": y,
        "d": d,
        "yy": yy,
        "dd": dd,
        "yd": yd,
        "cluster": cluster,
        "stratum": np.zeros(len(d), np.int64),
    }
    taken = ("n", "arm", "stratum", "quarter", *COVARIATES)
    columns |= {name: rows[name].to_numpy() for name in taken if name in rows}
    index = rows.index[kept]
    # One index and a type for all: pandas would line up the rows, and look whether values are texts.
    out = pd.DataFrame(
        {name: pd.Series(of[kept], index, of.dtype, copy=False) for name, of in columns.items()}, index
    )
    return Arms(out, bool((specialist >= 0).any()))


def gathered(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows of `Arms` added up by arm, cluster and `keys`, which hold codes: all that clustered errors look at.

    Rows with more events than chances stay as they are: that some have is what tells a rate that is no fraction.
    """
    y, d = rows["y"].to_numpy(), rows["d"].to_numpy()
    if (y > d).any():
        return rows
    cluster = pd.factorize(rows["cluster"].to_numpy())[0].astype(np.int64)
    place, first = numbered([rows["arm"].to_numpy(), *(rows[key].to_numpy() for key in keys), cluster])
    sums = {name: rows[name].to_numpy() for name in ("n", "y", "d", "yy", "dd", "yd")}
    return pd.DataFrame(
        {name: np.bincount(place, of, len(first)).astype(of.dtype) for name, of in sums.items()}
        | {name: rows[name].to_numpy()[first] for name in ("arm", "cluster", *keys)}
    )


def tally_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it."""
    tallied = tally_rows(metric, rows).rows
    quarter, arm = tallied["quarter"].to_numpy(np.int64), tallied["arm"].to_numpy(np.int64)
    place, first = numbered([pd.factorize(quarter)[0], arm])
    n, y, d = (np.bincount(place, tallied[name].to_numpy(), len(first)) for name in ("n", "y", "d"))
    return {
        (int(quarter[row]), int(arm[row])): float(y[i] / d[i])
        for i, row in enumerate(first)
        if n[i] >= MIN_PER_ARM
    }
