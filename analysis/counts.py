"""The narrow waist: every number in the project begins as a small frame of counts made here.

`counts` answers from cells when they hold the columns asked for, else from prepared rows through the engine; both
ways give the same frame. Source tables are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from functools import reduce
from types import MappingProxyType
from typing import Any, Literal

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.datasets.cells import CELLS, VIEWS, viewed
from analysis.datasets.cubes import Cube, Measure
from analysis.datasets.engines import Frame, collected
from analysis.datasets.opening import Dataset
from analysis.datasets.vocabularies import CODED
from analysis.errors import AnalysisError
from analysis.schema import FILTER_COLUMNS
from analysis.selection import LISTS, Selection, among

Via = Literal["auto", "cells", "rows"]

# Flags over focus areas are bit sets, counts over them are columns that add up.
AREA_FLAGS = {
    "any_deficiency": "deficient_areas",
    "any_must_deficiency": "must_deficient_areas",
    "has_assessed": "assessed_areas",
    "has_must_assessed": "must_assessed_areas",
    "possibly_deficient": "possible_areas",
    "possibly_must_deficient": "possible_must_areas",
}
AREA_COUNTS = (
    "n_deficient", "n_must_deficient", "n_assessed", "n_must_assessed", "n_not_verified", "n_verifiable",
    "n_must_not_verified", "n_must_verifiable",
)  # fmt: skip


def counts(
    dataset: Dataset,
    table: str,
    by: Sequence[str] = (),
    selection: Selection = Selection(),
    *,
    sums: Sequence[str] = ("n",),
    via: Via = "auto",
    only: Mapping[str, Sequence[int]] = MappingProxyType({}),
    categories: bool = False,
) -> pd.DataFrame:
    """Count records of a selection.

    Parameters
    ----------
    dataset : Dataset
    table : str
        A table of cells or of prepared rows: ``validations``, ``findings``, ``values``, ``pairs``,
        ``incidents``, ``causes``, ``feedback``, ``backlog`` …
    by : sequence of str
        Columns to group by. Coded columns come back as their values, None where not recorded.
    selection : Selection
        Filters; the focus area narrows which criteria are counted, not which validations.
    sums : sequence of str
        Columns to sum. ``"a*b"`` sums a product and is answered from rows.
    via : {"auto", "cells", "rows"}
        Where to count; ``auto`` takes cells where they can answer.
    only : mapping, optional
        Column → the codes or whole numbers it may have, where the selection has no filter for it; asked of rows.
    categories : bool
        Give coded columns as pandas categories, a byte or two a row, instead of their values. For very many rows.

    Returns
    -------
    DataFrame
        One row per group, sorted by `by`; a single row of zeros for an empty selection without `by`.

    Raises
    ------
    AnalysisError
        When the dataset has no such table or it lacks a column asked for.
    """
    needed = {*by, *only} | _filtered_columns(selection, table)
    summed, looked_at = _measured_columns(sums, dataset, selection)
    cube = (
        None if via == "rows" or only else _cube(dataset, table, needed, summed, looked_at, sums, selection)
    )
    if cube is not None:
        return _decoded(_from_cube(cube, dataset, by, selection, sums), by, dataset, categories)
    if via == "cells":
        raise AnalysisError(f"no cells of {table} hold {', '.join(sorted(needed | summed | looked_at))}.")
    frame = _rows(dataset, table, needed | summed | looked_at, selection)
    columns = frame.collect_schema().names()
    mask = selection.mask(dataset, columns)
    if mask is not None:
        frame = frame.filter(mask)
    for column, codes in only.items():
        frame = frame.filter(among(column, codes))
    # Quantities become columns before they are added up: a group-by that computes is slow, and wrong, on pandas.
    quantities = {f"_sum_{i}": _measure(name, dataset, selection, columns) for i, name in enumerate(sums)}
    narrow = frame.select(*by, **quantities)
    made = [nw.col(column).sum().alias(name) for column, name in zip(quantities, sums, strict=True)]
    if by:
        out = _sorted(collected(narrow.group_by(*by).agg(*made)), by)
    else:
        out = collected(narrow.select(*made))
    for name in sums:
        out[name] = out[name].fillna(0).astype("int64")
    return _decoded({name: out[name].to_numpy() for name in (*by, *sums)}, by, dataset, categories)


def available(dataset: Dataset, table: str) -> bool:
    """Whether the dataset can count this table at all."""
    return any(dataset.counts_by(cells.name) for cells in CELLS.values() if _serves(cells.name, table))


def _serves(cells: str, table: str) -> bool:
    return cells == f"{table.removesuffix('s')}_cells" or CELLS[cells].counts == table


def _cube(
    dataset: Dataset, table: str, needed: set[str], summed: set[str], looked_at: set[str], sums: Sequence[str],
    selection: Selection,
) -> Cube | None:  # fmt: skip
    """The cells that can answer, as small as they are kept; None where rows must."""
    if any("*" in name for name in sums) or not selection.whole_months():
        return None
    for cells in CELLS.values():
        cube = dataset.cube(cells.name) if _serves(cells.name, table) else None
        if cube is None or not needed | summed | looked_at <= cube.columns:
            continue
        # What cells are grouped by stands once per cell, not once per record: it cannot be added up.
        if not summed & set(cells.keys) and (_period_column(cube.columns) or not _has_period(selection)):
            month = {"month"} if _has_period(selection) else set()
            return cube.holding(needed | looked_at | month)
    return None


def _from_cube(
    cube: Cube, dataset: Dataset, by: Sequence[str], selection: Selection, sums: Sequence[str]
) -> dict[str, NDArray[Any]]:
    areas = [dataset.code("focus_area", area) for area in selection.focus_areas]
    measures = {}
    for name in sums:
        if areas and name in AREA_FLAGS:
            inside = (cube.kinds[AREA_FLAGS[name]] & sum(1 << area for area in areas)) > 0
            measures[name] = Measure(("n",), inside)
        elif areas and name in AREA_COUNTS:
            measures[name] = Measure(tuple(f"{name}_a{area}" for area in areas))
        else:
            measures[name] = Measure((name,))
    return cube.counted(
        by, measures, selection.kept(dataset, cube.strata), selection.kept(dataset, cube.kinds)
    )


def _rows(dataset: Dataset, table: str, columns: set[str], selection: Selection) -> Frame:
    rows = dataset.prepared(VIEWS[table][0] if table in VIEWS else table)
    if rows is None:
        raise AnalysisError(f"the dataset '{dataset.name}' has no {table}.")
    rows = viewed(rows, table)
    missing = columns - set(rows.collect_schema().names())
    if missing:
        raise AnalysisError(f"the prepared {table} have no column {', '.join(sorted(missing))}.")
    if _has_period(selection) and not _period_column(rows.collect_schema().names()):
        raise AnalysisError(
            f"{table} have no date, so --from and --to cannot choose among them; leave them out."
        )
    return rows


def _has_period(selection: Selection) -> bool:
    return selection.start is not None or selection.end is not None


def _period_column(columns: Container[str]) -> bool:
    return "day" in columns or "month" in columns


def _measured_columns(
    sums: Sequence[str], dataset: Dataset, selection: Selection
) -> tuple[set[str], set[str]]:
    """Columns that are added up, and columns only looked at, for the quantities to sum."""
    summed, looked_at = set(), set()
    areas = [dataset.code("focus_area", area) for area in selection.focus_areas]
    for name in {part for product in sums for part in product.split("*")}:
        if areas and name in AREA_FLAGS:
            summed.add("n")
            looked_at.add(AREA_FLAGS[name])
        elif areas and name in AREA_COUNTS:
            summed |= {f"{name}_a{i}" for i in areas}
        else:
            summed.add(name)
    return summed, looked_at


def _filtered_columns(selection: Selection, table: str) -> set[str]:
    columns = {column for name, (_, column) in LISTS.items() if getattr(selection, name)}
    columns -= {"focus_area"} if table != "findings" else set()
    if table not in ("incidents", "causes"):
        columns -= {"transport_mode"}
    return columns & {*FILTER_COLUMNS, "focus_area", "transport_mode"}


def _measure(name: str, dataset: Dataset, selection: Selection, columns: Sequence[str]) -> nw.Expr:
    """The quantity to sum: per row (0/1 or a count), or already summed in a cell."""
    if "*" in name:
        return reduce(
            lambda a, b: a * b,
            [_measure(part, dataset, selection, columns).cast(nw.Int64) for part in name.split("*")],
        )
    areas = [dataset.code("focus_area", area) for area in selection.focus_areas]
    if areas and name in AREA_FLAGS:
        bits = nw.col(AREA_FLAGS[name])
        inside = reduce(lambda a, b: a | b, [(bits // 2**i) % 2 == 1 for i in areas])
        return nw.when(inside).then(nw.col("n")).otherwise(0)
    if areas and name in AREA_COUNTS:
        return reduce(lambda a, b: a + b, [nw.col(f"{name}_a{i}") for i in areas])
    return nw.col(name)


def _sorted(frame: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Groups in the order of their keys; whole numbers are sorted as one number, which takes a fraction of the time."""
    key, size = np.zeros(len(frame), np.int64), 1
    for column in by:
        codes = frame[column].to_numpy()
        if codes.dtype.kind not in "iub" or not codes.size:
            return frame.sort_values(list(by), ignore_index=True)
        low, high = int(codes.min()), int(codes.max())
        if size * (high - low + 1) > np.iinfo(np.int64).max:
            key = np.unique(key, return_inverse=True)[1]
            size = int(key.max()) + 1
            if size == len(frame):
                # The columns so far tell every row from every other: no further one has a say.
                break
            if size * (high - low + 1) > np.iinfo(np.int64).max:
                return frame.sort_values(list(by), ignore_index=True)
        size *= high - low + 1
        key = key * (high - low + 1) + (codes.astype(np.int64) - low)
    order = np.argsort(key)
    return frame.take(order).reset_index(drop=True)


def _decoded(
    counted: Mapping[str, NDArray[Any]], by: Sequence[str], dataset: Dataset, categories: bool
) -> pd.DataFrame:
    out: dict[str, Any] = dict(counted)
    for column in by:
        base = re.sub("^(previous|last)_", "", column)
        if base in CODED:
            values = dataset.vocabulary(base)
            codes = np.nan_to_num(counted[column], nan=-1).astype(np.int64)
            # −1 stands for every code that is no value: not recorded, or outside the vocabulary.
            codes[(codes < 0) | (codes >= len(values))] = -1
            if categories:
                out[column] = pd.Categorical.from_codes(codes, pd.Index(values, dtype="object"))
            else:
                out[column] = pd.Series(np.array([*values, None], dtype="object")[codes], dtype="object")
    return pd.DataFrame(out)
