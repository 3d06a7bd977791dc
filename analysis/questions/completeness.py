"""Where are records missing? Validations (or incidents) by field office and month, and how many carry a value."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import narwhals as nw
import pandas as pd

from analysis import wording
from analysis.datasets.engines import collected
from analysis.errors import AnalysisError, nearest
from analysis.schema import NOT_RECORDED, TABLES
from analysis.selection import Selection, month_number, month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

Step = Literal["month", "quarter", "year"]
MONTHS: dict[Step, int] = {"month": 1, "quarter": 3, "year": 12}
MOST_CELLS = 1_900
MOST_COLUMNS = 84
_DATES = {"validations": "conducted_on", "incidents": "occurred_on"}


@dataclass(frozen=True, slots=True)
class Completeness:
    """Records by field office and period.

    `cells` has one row an office and period, none left out: ``field_office``, ``start`` (first day), ``n``,
    ``filled`` (of them with a value in `column`) and ``share`` (missing where n is 0). Without `column` only n counts.
    `offices` has one row an office: ``n`` and ``filled`` of all its periods, how many are ``empty``, and the ``fewest`` and
    ``most`` records in one. What is not told is missing.
    """

    table: str
    column: str | None
    step: Step
    cells: pd.DataFrame
    offices: pd.DataFrame
    sentence: str
    caveats: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The ``completeness`` of ``python -m analysis check --json``."""
        rows = [
            {"field_office": r.field_office, "start": r.start.isoformat(), "n": _told(r.n)}
            | ({"filled": _told(r.filled)} if self.column else {})
            for r in self.cells.itertuples()
        ]
        return {
            "table": self.table,
            "column": self.column,
            "step": self.step,
            "rows": rows,
            "sentence": self.sentence,
        }


def columns_of(dataset: Dataset) -> tuple[str, ...]:
    """Optional columns that the dataset records at all, but not for every record: those worth a look."""
    table = _table_of(dataset)
    if table is None:
        return ()
    spec = TABLES[table]
    optional = [c.name for c in spec.columns if not c.required and c.name not in spec.virtual_only]
    made = [(~nw.col(name).is_null()).sum().alias(name) for name in optional]
    filled = collected(dataset.rows(table).select(*made)).iloc[0]
    return tuple(name for name in optional if 0 < int(filled[name]) < dataset.row_counts[table])


def completeness(
    dataset: Dataset, selection: Selection = Selection(), *, column: str | None = None
) -> Completeness | None:
    """Count records by field office and month, or by quarter or year where months would be too many to look at.

    Parameters
    ----------
    selection : Selection
        Only its offices and its period apply.
    column : str, optional
        Optional column whose filled values are counted.

    Returns
    -------
    Completeness or None
        None for a dataset without validations and incidents, or a selection without records.
    """
    table = _table_of(dataset)
    if table is None:
        return None
    known = [c.name for c in TABLES[table].columns if not c.required]
    if column is not None and column not in known:
        raise AnalysisError(f"'{column}' is no optional column of {table}; {nearest(column, known)}")
    selection = selection.checked(dataset)
    counted = _counted(dataset, table, selection, column)
    if counted.empty:
        return None
    start, end = selection.period(dataset)
    offices = sorted(counted["field_office"].unique())
    months = range(month_number(start), month_number(end) + 1)
    step = _step(len(offices), len(months))
    width = MONTHS[step]
    counted["start"] = [_first_of(int(month), width) for month in counted["month"]]
    sums = counted.groupby(["field_office", "start"])[["n", "filled"]].sum()
    starts = sorted({_first_of(month, width) for month in months})
    grid = pd.MultiIndex.from_product([offices, starts], names=["field_office", "start"])
    cells = sums.reindex(grid, fill_value=0).reset_index()
    cells["share"] = [f / n if n else None for f, n in zip(cells["filled"], cells["n"], strict=True)]
    return Completeness(table, column, step, cells, _offices(cells), _sentence(table, column, step, cells))


def _offices(cells: pd.DataFrame) -> pd.DataFrame:
    by_office = cells.assign(none=cells["n"] == 0).groupby("field_office", sort=False)
    return by_office.agg(
        n=("n", "sum"),
        filled=("filled", "sum"),
        empty=("none", "sum"),
        fewest=("n", "min"),
        most=("n", "max"),
    ).reset_index()


def _told(count: Any) -> int | None:
    return None if pd.isna(count) else int(count)


def _table_of(dataset: Dataset) -> str | None:
    return next((name for name in _DATES if dataset.row_counts.get(name)), None)


def _counted(dataset: Dataset, table: str, selection: Selection, column: str | None) -> pd.DataFrame:
    date = _DATES[table]
    rows = dataset.rows(table)
    start, end = selection.period(dataset)
    rows = rows.filter((nw.col(date) >= nw.lit(start)) & (nw.col(date) <= nw.lit(end)))
    if selection.offices:
        rows = rows.filter(nw.col("field_office").is_in(list(selection.offices)))
    # A row may stand for several incidents.
    n = nw.col("weight").fill_null(1) if table == "incidents" else nw.lit(1, nw.Int64)
    filled = nw.when(~nw.col(column).is_null()).then(n).otherwise(0) if column else n
    narrow = rows.select(
        nw.col("field_office").fill_null(NOT_RECORDED),
        month=nw.col(date).dt.year().cast(nw.Int64) * 12 + nw.col(date).dt.month() - 1,
        n=n,
        filled=filled,
    )
    out = collected(narrow.group_by("field_office", "month").agg(nw.col("n").sum(), nw.col("filled").sum()))
    return out.astype({"month": "int64", "n": "int64", "filled": "int64"})


def _step(offices: int, months: int) -> Step:
    for step, width in MONTHS.items():
        columns = -(-months // width) + 1
        if columns <= MOST_COLUMNS and offices * columns <= MOST_CELLS:
            return step
    return "year"


def _first_of(month: int, width: int) -> dt.date:
    return month_start(month - month % width)


def _sentence(table: str, column: str | None, step: Step, cells: pd.DataFrame) -> str:
    unit = table.removesuffix("s")
    n = int(cells["n"].sum())
    offices = cells["field_office"].nunique()
    if column:
        share = wording.percent(cells["filled"].sum() / n, n)
        return f"{column} is recorded for {share} of {wording.counted(n, unit)}."
    empty = int((cells["n"] == 0).sum())
    where = (
        f"{wording.counted(offices, 'field office')} and {wording.counted(cells['start'].nunique(), step)}"
    )
    if not empty:
        return f"{wording.counted(n, unit)} over {where}; no office is without a record in any {step}."
    of = wording.number(len(cells))
    return (
        f"{wording.counted(n, unit)} over {where}; {wording.number(empty)} of {of} office-{step}s have none."
    )
