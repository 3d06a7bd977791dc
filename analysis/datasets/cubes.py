"""Cells in memory as who and when × what, so that a filter looks at thousands of strata, not at millions of cells.

Cells lie sorted by the columns that filters use. What neighbours share of these is kept once, as a *stratum*; whatever
else they are counted by is kept once, as a *kind*. A cell is then a place in its stratum, the number of its kind, and
sums, of which each is read from its file when it is first added up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.datasets.cells import CellTable
from analysis.datasets.tables import read_table
from analysis.schema import FILTER_COLUMNS

Columns = dict[str, NDArray[Any]]
Whole = NDArray[np.int64]

STRATIFYING = frozenset((*FILTER_COLUMNS, "transport_mode"))
COARSE = frozenset(("field_office", "mode", "month"))
"""What most questions filter and group by: cells of these alone are kept too, once they were asked for."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is added up: some sums of each cell, of every kind or only of those marked."""

    sums: tuple[str, ...]
    kinds: NDArray[np.bool_] | None = None


class Cube:
    """A table of cells; nothing it hands out may be changed. Safe to share between threads.

    Parameters
    ----------
    strata, kinds : dict of str to array
        Columns of the strata and of the kinds.
    first : array
        The first cell of each stratum, and at the end the number of cells.
    kind : array
        The kind of each cell.
    names : sequence of str
        The sums there are.
    read : callable
        Gives the sums of a name, one per cell.
    """

    def __init__(
        self,
        strata: Columns,
        kinds: Columns,
        first: Whole,
        kind: NDArray[Any],
        names: Sequence[str],
        read: Callable[[str], NDArray[np.float64]],
    ) -> None:
        self.strata, self.kinds = strata, kinds
        self.columns = frozenset((*strata, *kinds, *names))
        self._first, self._kind = first, kind
        self._names, self._read = tuple(names), read
        self._lock = threading.RLock()
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._counts_something: bool | None = None
        self._groups: dict[tuple[str, ...], tuple[Whole, Columns, int]] = {}
        self._smaller: dict[tuple[bool, bool], Cube] = {}

    def sums(self, name: str) -> NDArray[np.float64]:
        """One sum of every cell."""
        with self._lock:
            if name not in self._sums:
                self._sums[name] = self._read(name)
            return self._sums[name]

    def holding(self, columns: set[str]) -> Cube:
        """The smallest table with these columns that is kept: with few columns of strata, or without kinds."""
        few = {c for c in columns if c in self.strata} <= COARSE
        bare = not any(c in self.kinds for c in columns)
        if not few and not bare:
            return self
        with self._lock:
            if (few, bare) not in self._smaller:
                kept = tuple(c for c in self.strata if c in COARSE or not few)
                self._smaller[few, bare] = self._regrouped(kept, {} if bare else self.kinds)
            return self._smaller[few, bare]

    def _regrouped(self, strata: tuple[str, ...], kinds: Columns) -> Cube:
        stratum, groups, size = self._numbered(strata, self.strata)
        width = max((len(values) for values in kinds.values()), default=1)
        place = np.repeat(stratum * width, np.diff(self._first))
        if kinds:
            place += self._kind
        cell, there = _numbers(place, size * width)
        first = np.searchsorted(there // width, np.arange(size + 1))
        kind, cell = (there % width).astype(self._kind.dtype), cell.astype(np.int32)

        def read(name: str) -> NDArray[np.float64]:
            return np.bincount(cell, self.sums(name), len(there)).astype(np.float64)

        return Cube(groups, kinds, first, kind, self._names, read)

    def counted(
        self,
        by: Sequence[str],
        measures: Mapping[str, Measure],
        strata: NDArray[np.bool_] | None = None,
        kinds: NDArray[np.bool_] | None = None,
    ) -> Columns:
        """Sums per group, sorted by `by`; a group is there when any cell of it is, whatever it adds up to.

        Parameters
        ----------
        by : sequence of str
            Columns of strata or kinds.
        measures : mapping of str to Measure
            Column of the result → what is added up.
        strata, kinds : array of bool, optional
            Those to count; all when not given.
        """
        outer = tuple(column for column in by if column in self.strata)
        inner = tuple(column for column in by if column not in self.strata)
        outside, kind, sums = self._by_kind(outer, list(measures.values()), strata)
        if kinds is not None:
            kept = kinds[kind]
            outside, kind, sums = outside[kept], kind[kept], {name: s[kept] for name, s in sums.items()}
        _, outer_groups, size = self._numbered(outer, self.strata)
        of_kind, inner_groups, width = self._numbered(inner, self.kinds)
        group, found = outside * width + (of_kind[kind] if inner else 0), np.zeros(1, np.int64)
        if by:
            group, found = _numbers(group, size * width)
        out: Columns = {column: outer_groups[column][found // width] for column in outer}
        out |= {column: inner_groups[column][found % width] for column in inner}
        for name, measure in measures.items():
            weights: NDArray[np.float64] = np.add.reduce([sums[each] for each in measure.sums])
            if measure.kinds is not None:
                weights = weights * measure.kinds[kind]
            out[name] = np.rint(np.bincount(group, weights, len(found))).astype(np.int64)
        if tuple(by) != (*outer, *inner):
            order = np.lexsort([out[column] for column in reversed(by)])
            out = {column: values[order] for column, values in out.items()}
        return {column: out[column] for column in (*by, *measures)}

    def _by_kind(
        self, outer: tuple[str, ...], measures: Sequence[Measure], strata: NDArray[np.bool_] | None
    ) -> tuple[Whole, Whole, dict[str, NDArray[np.float64]]]:
        """Group of strata, kind and sums, where there is any cell: the only step that goes through the cells."""
        of_stratum, _, size = self._numbered(outer, self.strata)
        width = max((len(values) for values in self.kinds.values()), default=1)
        cells, chosen, lengths = self._cells(strata)
        place = self._kind[cells]
        if outer:
            place = np.repeat(of_stratum[chosen] * width, lengths) + place
        there: Whole = np.arange(size * width)
        if _is_sparse(len(there), len(place)):
            there, place = np.unique(place, return_inverse=True)
        names = dict.fromkeys(name for measure in measures for name in measure.sums)
        sums: dict[str, Any] = {
            name: np.bincount(place, self.sums(name)[cells], len(there)) for name in names
        }
        # Where every cell counts something, the count tells where there are cells.
        marks = (
            sums["n"] if "n" in sums and self._every_cell_counts() else np.bincount(place, None, len(there))
        )
        found = np.flatnonzero(marks)
        there = there[found]
        return there // width, there % width, {name: values[found] for name, values in sums.items()}

    def _every_cell_counts(self) -> bool:
        with self._lock:
            if self._counts_something is None:
                self._counts_something = bool((self.sums("n") > 0).all())
            return self._counts_something

    def _cells(self, strata: NDArray[np.bool_] | None) -> tuple[Any, Any, Whole]:
        """The cells of the marked strata, these strata, and how many cells each has."""
        lengths = np.diff(self._first)
        if strata is None or strata.all():
            return slice(None), slice(None), lengths
        chosen = np.flatnonzero(strata)
        lengths = lengths[chosen]
        before = np.cumsum(lengths) - lengths
        cells = np.repeat(self._first[chosen] - before, lengths) + np.arange(lengths.sum())
        return cells, chosen, lengths

    def _numbered(self, columns: tuple[str, ...], table: Columns) -> tuple[Whole, Columns, int]:
        """For each row of strata or kinds the number of its group by some columns; these groups; how many."""
        if not columns:
            return np.zeros(len(next(iter(table.values()), [0])), np.int64), {}, 1
        with self._lock:
            if columns not in self._groups:
                number, rows = _distinct([table[column] for column in columns])
                self._groups[columns] = number, {c: table[c][rows] for c in columns}, len(rows)
            return self._groups[columns]


def read_cube(path: Path, table: CellTable) -> Cube:
    """A table of cells from its Parquet file.

    Raises
    ------
    OSError, ValueError
        When the file is damaged.
    """
    from pyarrow.parquet import ParquetDataset

    there = ParquetDataset(path).schema.names
    keys = [key for key in table.keys if key in there]
    held = read_table(path, keys)
    strata = [key for key in keys if key in STRATIFYING]
    size = len(held)
    starts = np.zeros(size, bool)
    starts[:1] = True
    for key in strata:
        values = held[key].to_numpy()
        starts[1:] |= values[1:] != values[:-1]
    first = np.flatnonzero(starts)
    others = {key: held[key].to_numpy() for key in keys if key not in strata}
    kind, rows = (
        _distinct(list(others.values())) if others else (np.zeros(size, np.int64), np.zeros(0, np.int64))
    )

    def read(name: str) -> NDArray[np.float64]:
        sums: NDArray[np.float64] = read_table(path, [name])[name].to_numpy(np.float64)
        return np.nan_to_num(sums)

    return Cube(
        {key: held[key].to_numpy()[first] for key in strata},
        {key: values[rows] for key, values in others.items()},
        np.append(first, size),
        kind.astype(np.int32),
        [name for name in there if name not in keys],
        read,
    )


def _distinct(columns: Sequence[NDArray[Any]]) -> tuple[Whole, Whole]:
    """For each row the number of its combination, in sorted order, and a row of each combination."""
    number: Whole = np.zeros(len(columns[0]), np.int64)
    size = 1
    for values in columns:
        codes, span = _codes(values)
        number = number * span + codes
        size *= span
        if _is_sparse(size, len(number)):
            number, there = _numbers(number, size)
            size = len(there)
    number, there = _numbers(number, size)
    row = np.zeros(len(there), np.int64)
    row[number] = np.arange(len(number))
    return number, row


def _codes(values: NDArray[Any]) -> tuple[Whole, int]:
    """Whole numbers counted from the least of them, and how far they go; what is not recorded comes last."""
    known = ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), bool)
    if not known.any():
        return np.zeros(len(values), np.int64), 1
    low, high = int(values[known].min()), int(values[known].max())
    if known.all():
        return values.astype(np.int64) - low, high - low + 1
    return np.where(known, values, high + 1).astype(np.int64) - low, high - low + 2


def _is_sparse(size: int, rows: int) -> bool:
    """Whether a table of all places that could be is so large that sorting the rows is quicker."""
    return size > 4 * rows + 100_000


def _numbers(places: Whole, size: int) -> tuple[Whole, Whole]:
    """Places that occur numbered in order: the number of each, and the places."""
    if _is_sparse(size, len(places)):
        there, number = np.unique(places, return_inverse=True)
        return number, there
    marked = np.zeros(size, bool)
    marked[places] = True
    return (np.cumsum(marked) - 1)[places], np.flatnonzero(marked)
