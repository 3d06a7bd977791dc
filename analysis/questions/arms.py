"""The rows of a comparison of proportions or rates: counted once, by arm, stratum and specialist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.coding import added_up, coded_values, numbered, plain
from analysis.counts import counts
from analysis.metrics import Metric, Tally
from analysis.questions.memo import Memo
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


@dataclass(frozen=True, slots=True)
class Counting:
    """What to ask of `analysis.counts.counts`: the table, columns to group by and to add up, and items of feedback."""

    table: str
    by: tuple[str, ...]
    sums: tuple[str, ...]
    items: tuple[str, ...]


def tally_counts(
    dataset: Dataset,
    definitions: Sequence[Metric],
    selection: Selection,
    extra: tuple[str, ...] = (),
    *,
    modelled: bool = True,
) -> pd.DataFrame:
    """One grouped pass over prepared rows that serves every tally given (all of one table).

    Grouped by arm, quarter, adjustment columns, specialist and `extra`, and by the further columns of models where
    one is wanted.
    """
    asked = counting_of(dataset, definitions, extra, modelled=modelled)
    known = dataset.vocabulary("item")
    # Items that nobody was asked about are answered by no rows, not by all: no row has a code past the last.
    items = [dataset.code("item", item) for item in asked.items if item in known] or [len(known)]
    only = {"item": items} if asked.items else {}
    return counts(dataset, asked.table, asked.by, selection, sums=asked.sums, only=only, categories=True)


def counting_of(
    dataset: Dataset, definitions: Sequence[Metric], extra: tuple[str, ...] = (), *, modelled: bool = True
) -> Counting:
    """What a pass that serves every tally given counts."""
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
    by = [*sorted(arms), "quarter", *(COVARIATES if modelled else ADJUSTMENT_COLUMNS), "specialist"]
    if table == "feedback":
        by += ["respondent", "item"]
    by += [column for column in extra if column not in by]
    items = sorted({tally.item for tally in tallies if isinstance(tally, Tally) and tally.item is not None})
    return Counting(table, tuple(by), tuple(dict.fromkeys(sums)), tuple(items))


def of_item(metric: Metric, counted: pd.DataFrame) -> pd.DataFrame:
    """Answers to the item that a metric is about; all rows for a metric of anything else."""
    item = metric.counted_by.item if isinstance(metric.counted_by, Tally) else None
    if item is None:
        return counted
    asked = (counted["item"] == item).to_numpy()
    return counted if asked.all() else counted[asked]


def tally_rows(metric: Metric, rows: pd.DataFrame) -> Arms:
    """Rows of a window as numerators, denominators and clusters of one metric."""
    rows = of_item(metric, rows)
    columns = _tallied(metric, rows)
    there = columns["d"] > 0
    kept = slice(None) if there.all() else there
    columns["stratum"] = np.zeros(len(rows), np.int64)
    taken = ("n", "arm", "stratum", "quarter", *COVARIATES)
    columns |= {name: plain(rows[name]) for name in taken if name in rows}
    index = rows.index[kept]
    # One index and a type for all: pandas would line up the rows, and look whether values are texts.
    out = pd.DataFrame(
        {name: pd.Series(of[kept], index, of.dtype, copy=False) for name, of in columns.items()}, index
    )
    return Arms(out, bool((columns["cluster"] >= 0).any()))


def stratified_rows(metric: Metric, rows: pd.DataFrame, known: Memo, part: str) -> Arms:
    """As `tally_rows`, added up by arm, stratum and cluster: all that estimates without a model look at.

    Parameters
    ----------
    metric : Metric
    rows : DataFrame
        A part of a window.
    known : Memo
        Of that window: its rows are numbered once for all metrics.
    part : str
        Which part it is.
    """
    rows = of_item(metric, rows)
    columns = _tallied(metric, rows)
    if (columns["y"] > columns["d"]).any():
        # That some rows have more events than chances is what tells a rate that is no fraction.
        return tally_rows(metric, rows)
    grouped = {name: rows[name].to_numpy() for name in ("arm", "stratum") if name in rows}
    grouped["cluster"] = columns.pop("cluster")

    def number() -> tuple[np.ndarray, np.ndarray]:
        return numbered([coded_values(values) for values in grouped.values()])

    item = metric.counted_by.item if isinstance(metric.counted_by, Tally) else None
    place, first = known.once(("numbered", part, item), number)
    there = columns["d"] > 0
    whole = {"n": rows["n"].to_numpy(), **columns}
    sums = {
        name: np.bincount(place, np.where(there, of, 0), len(first)).astype(np.int64)
        for name, of in whole.items()
    }
    kept = first[sums["d"] > 0]
    made = {name: of[sums["d"] > 0] for name, of in sums.items()} | {
        name: of[kept] for name, of in grouped.items()
    }
    if "stratum" in grouped:
        made |= {name: plain(rows[name])[kept] for name in ADJUSTMENT_COLUMNS if name in rows}
    else:
        made["stratum"] = np.zeros(len(kept), np.int64)
    return Arms(pd.DataFrame(made), bool((grouped["cluster"] >= 0).any()))


def _tallied(metric: Metric, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Numerator, denominator, second moments and cluster of each row."""
    tally = metric.counted_by
    assert isinstance(tally, Tally)
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
    return {"y": y, "d": d, "yy": yy, "dd": dd, "yd": yd, "cluster": cluster}


def gathered(rows: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    """Rows of `Arms` added up by arm, cluster and `keys`, which hold codes: all that clustered errors look at.

    Rows with more events than chances stay as they are: that some have is what tells a rate that is no fraction.
    """
    y, d = rows["y"].to_numpy(), rows["d"].to_numpy()
    if (y > d).any():
        return rows
    return added_up(rows, ["arm", *keys, "cluster"], ["n", "y", "d", "yy", "dd", "yd"])


def tally_by_quarter(metric: Metric, rows: pd.DataFrame) -> dict[tuple[int, int], float]:
    """Figure by (quarter, arm), where at least 10 validations stand behind it."""
    found = added_up(tally_rows(metric, rows).rows, ["quarter", "arm"], ["n", "y", "d"])
    return {
        (int(row.quarter), int(row.arm)): row.y / row.d for row in found.itertuples() if row.n >= MIN_PER_ARM
    }
