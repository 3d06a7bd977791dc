"""Count again only what changed: months whose prepared rows are what they were keep their cells.

Prepared rows are all made anew when a month is appended, since a new record changes old ones: it is somebody's next
validation or first incident, the as-of date moves, rows are numbered in the order of their identifiers. Months are
therefore compared by what their rows are now, not by which records came: a month of which nothing changed, for the
columns that a table of cells is made of, is not counted again. Cells without a month (the backlog) always are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import narwhals as nw

from analysis.datasets.cells import CellTable, counted_rows, grouped, grouping, prepared_for
from analysis.datasets.engines import Engine, Frame


class Recount:
    """Cells of prepared rows, taken from an earlier dataset where its rows were the same.

    Parameters
    ----------
    engine : Engine
    prepared : mapping
        Prepared tables as they are now.
    earlier : Path, optional
        The dataset before; without one everything is counted.
    """

    def __init__(self, engine: Engine, prepared: Mapping[str, Frame], earlier: Path | None) -> None:
        self._engine, self._prepared, self._earlier = engine, prepared, earlier
        self._before = self._frames_of(earlier) if earlier else {}

    def cells(self, table: CellTable) -> tuple[Frame, int]:
        """A table of cells, and of how many months it is as it was."""
        rows = counted_rows(self._prepared, table)
        held = self._held(table, rows)
        if held is None:
            return grouped(rows, table), 0
        months = self._unchanged(table, rows)
        if not months:
            return grouped(rows, table), 0
        month = nw.col("month")
        again = self._engine.kept(grouped(rows.filter(~month.is_in(months)), table))
        return nw.concat(
            [held.filter(month.is_in(months)), again.select(held.collect_schema().names())]
        ), len(months)

    def _held(self, table: CellTable, rows: Frame) -> Frame | None:
        """The earlier cells, if they have the columns that they would have now, and months to choose by."""
        path = self._earlier / "cells" / f"{table.name}.parquet" if self._earlier else None
        if path is None or not path.exists() or prepared_for(table.counts) not in self._before:
            return None
        held = self._engine.read_parquet(path)
        keys, sums = grouping(rows, table)
        return held if "month" in keys and held.collect_schema().names() == [*keys, *sums] else None

    def _unchanged(self, table: CellTable, rows: Frame) -> list[int]:
        keys, sums = grouping(rows, table)
        before = counted_rows(self._before, table)
        columns = [*keys, *sums]
        if not set(columns) <= set(before.collect_schema().names()):
            return []
        now, then = (self._engine.digests(frame, "month", columns) for frame in (rows, before))
        return sorted(month for month, digest in now.items() if then.get(month) == digest)

    def _frames_of(self, folder: Path) -> dict[str, Frame]:
        return {
            name: self._engine.read_parquet(path)
            for name in self._prepared
            if (path := folder / "prepared" / f"{name}.parquet").exists()
        }
