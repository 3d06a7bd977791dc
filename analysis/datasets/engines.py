"""The one place that touches rows: reading, writing, and the few steps narwhals has no word for.

Everything else about rows is written in narwhals, so that the same code runs on pandas, on DuckDB and on a
cluster. SQL stands only here.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import duckdb
import narwhals as nw
import pandas as pd

from analysis.errors import AnalysisError

Frame = nw.LazyFrame[Any]

ROW = "source_row"
"""Row number in the source file as a spreadsheet shows it: the header is row 1."""

_SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "integer": "BIGINT", "number": "DOUBLE", "flag": "TINYINT"}


class Engine:
    """DuckDB, embedded: one in-memory database that spills to disk when memory runs short.

    Parameters
    ----------
    threads : int, optional
        Worker threads; DuckDB's own choice when not given. One thread makes writes reproducible.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        self._connection = duckdb.connect(config={"preserve_insertion_order": True})
        if threads:
            self._connection.execute(f"SET threads = {int(threads)}")
        self._tables = 0

    def close(self) -> None:
        """Give memory and temporary files back."""
        self._connection.close()

    def cursor(self) -> Engine:
        """A second handle on the same database, for use in another thread."""
        other = object.__new__(Engine)
        other._connection = self._connection.cursor()
        other._tables = 0
        return other

    # -- in ---------------------------------------------------------------------------------------

    def from_pandas(self, frame: pd.DataFrame) -> Frame:
        """A small pandas frame as an engine frame, read in place: do not change it afterwards."""
        # Not made a table: every new table makes DuckDB look again at each step of every frame under way.
        return nw.from_native(self._connection.from_df(frame)).lazy()

    def read_parquet(self, path: Path) -> Frame:
        """A Parquet file, or a folder of them, without loading it."""
        pattern = str(path / "*.parquet") if path.is_dir() else str(path)
        return nw.from_native(self._connection.read_parquet(pattern)).lazy()

    def read_csv(self, path: Path) -> tuple[Frame, list[tuple[int, str]]]:
        """A CSV file as text columns with their row numbers.

        Returns
        -------
        frame : Frame
            All columns as text, plus ``source_row``.
        broken : list of (row, rule)
            Rows that could not be split into the header's columns.

        Raises
        ------
        AnalysisError
            When the file is missing, empty, or no table of text.
        """
        names, delimiter = _csv_header(path)
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in _unique(names))
        name = self._name()
        self._connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
        try:
            self._connection.execute(
                f"CREATE TEMP TABLE {name} AS SELECT *, row_number() OVER () + 1 AS {ROW} FROM read_csv(?, "
                f"columns = {{{columns}}}, header = true, auto_detect = false, delim = ?, quote = '\"', "
                "escape = '\"', nullstr = '', ignore_errors = true, store_rejects = true, max_line_size = 16777216)",
                [str(path), delimiter],
            )
        except duckdb.Error as error:
            raise AnalysisError(
                f"{path} cannot be read as a table of text: save it as CSV in UTF-8 with one header row."
            ) from error
        broken = [
            (int(line), "the row does not have the header's columns")
            for (line,) in self._connection.execute(
                "SELECT DISTINCT line FROM reject_errors ORDER BY line"
            ).fetchall()
        ]
        if broken:
            self._renumber(name, [line for line, _ in broken])
        return self._table(name), broken

    def _renumber(self, name: str, skipped: Sequence[int]) -> None:
        # Rows after a broken one stand further down in the file than their count among the good ones.
        for line in sorted(skipped):
            self._connection.execute(f"UPDATE {name} SET {ROW} = {ROW} + 1 WHERE {ROW} >= ?", [line])

    # -- what narwhals has no word for --------------------------------------------------------------

    def parsed(
        self,
        frame: Frame,
        columns: dict[str, Literal["date", "integer", "number", "flag"]],
        *,
        date_formats: Sequence[str] = ("%Y-%m-%d",),
        suffix: str = "",
    ) -> Frame:
        """Text columns read as dates or numbers; what cannot be read is null.

        The result of column ``c`` is in ``c + suffix``; with an empty suffix it replaces the text.
        """
        relation = frame.to_native()
        made = []
        for column, kind in columns.items():
            source = _quoted(column)
            if kind == "date":
                tries = ", ".join(f"try_strptime({source}, '{fmt}')" for fmt in map(_safe_format, date_formats))
                value = f"CAST(coalesce({tries}) AS DATE)"
            elif kind == "flag":
                value = (
                    f"CASE WHEN lower({source}) IN ('1', 'true', 'yes', 'y') THEN 1 "
                    f"WHEN lower({source}) IN ('0', 'false', 'no', 'n') THEN 0 END"
                )
            elif kind == "integer":
                # '3.0' is a whole number, '3.5' is not one.
                value = (
                    f"CASE WHEN try_cast({source} AS DOUBLE) = floor(try_cast({source} AS DOUBLE)) "
                    f"THEN try_cast(try_cast({source} AS DOUBLE) AS BIGINT) END"
                )
            else:
                value = f"try_cast({source} AS DOUBLE)"
            made.append((f"{column}{suffix}", f"CAST({value} AS {_SQL_TYPES[kind]})"))
        replaced = {name for name, _ in made}
        kept = [_quoted(name) for name in relation.columns if name not in replaced]
        new = [f"{value} AS {_quoted(name)}" for name, value in made]
        return nw.from_native(relation.select(", ".join(kept + new))).lazy()

    def typed_empty(self, columns: dict[str, str]) -> Frame:
        """An empty frame with columns of our types."""
        casts = ", ".join(f"CAST(NULL AS {_SQL_TYPES[kind]}) AS {_quoted(c)}" for c, kind in columns.items())
        return nw.from_native(self._connection.sql(f"SELECT {casts} WHERE false")).lazy()

    # -- out --------------------------------------------------------------------------------------

    def kept(self, frame: Frame) -> Frame:
        """The same rows, computed once and held, so that later steps do not compute them again."""
        name = self._name()
        relation = frame.to_native()
        relation.create_view("outgoing", replace=True)
        self._connection.execute(f"CREATE TEMP TABLE {name} AS SELECT * FROM outgoing")
        self._connection.execute("DROP VIEW outgoing")
        return self._table(name)

    def write_parquet(self, frame: Frame, path: Path, *, order_by: Sequence[str]) -> int:
        """Write a Parquet file, sorted, and return its number of rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        relation = frame.to_native()
        relation.create_view("outgoing", replace=True)
        order = ", ".join(f"{_quoted(c)} NULLS FIRST" for c in order_by)
        order_clause = f"ORDER BY {order}" if order else ""
        self._connection.execute(
            f"COPY (SELECT * FROM outgoing {order_clause}) TO {_literal(str(path))} "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)"
        )
        self._connection.execute("DROP VIEW outgoing")
        ((rows,),) = self._connection.execute("SELECT count(*) FROM read_parquet(?)", [str(path)]).fetchall()
        return int(rows)

    def _name(self) -> str:
        self._tables += 1
        return f"held_{id(self):x}_{self._tables}"

    def _table(self, name: str) -> Frame:
        return nw.from_native(self._connection.table(name)).lazy()


def collected(frame: Frame) -> pd.DataFrame:
    """Rows of a lazy frame as pandas."""
    return frame.collect(backend="pandas").to_native()


def number_of_rows(frame: Frame) -> int:
    """How many rows a lazy frame has."""
    return int(collected(frame.select(nw.len().alias("n")))["n"].iloc[0])


def _csv_header(path: Path) -> tuple[list[str], str]:
    if not path.exists():
        raise AnalysisError(f"{path} does not exist: check the name of the source file.")
    if not path.is_file():
        raise AnalysisError(f"{path} is not a file: name the CSV file itself.")
    if os.path.getsize(path) == 0:
        raise AnalysisError(f"{path} is empty: it needs a header row and at least one row of data.")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            sample = file.read(65_536)
    except UnicodeDecodeError as error:
        raise AnalysisError(f"{path} is not a table of UTF-8 text: save it as CSV in UTF-8.") from error
    if "\0" in sample:
        raise AnalysisError(f"{path} is not a table of text: save it as CSV in UTF-8.")
    first_line = io.StringIO(sample).readline()
    delimiter = max([",", ";", "\t", "|"], key=first_line.count)
    try:
        names = next(csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter), [])
    except csv.Error as error:
        raise AnalysisError(f"{path} is not a table: its header row cannot be read ({error}).") from error
    if len(names) < 2:
        raise AnalysisError(f"{path} is not a table: its first row has no columns separated by commas.")
    return names, delimiter


def csv_columns(path: Path) -> list[str]:
    """Column names of a CSV file, as they will be read."""
    return _unique(_csv_header(path)[0])


def _unique(names: Sequence[str]) -> list[str]:
    # An unnamed or repeated header must not make a file unreadable: it is only given a name.
    seen: dict[str, int] = {}
    out = []
    for position, raw in enumerate(names, start=1):
        name = raw.strip() or f"column_{position}"
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        out.append(name if seen[name.lower()] == 1 else f"{name}_{seen[name.lower()]}")
    return out


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _safe_format(fmt: str) -> str:
    if "'" in fmt or "%" not in fmt:
        raise AnalysisError(f"date format {fmt!r} cannot be used: write it like %Y-%m-%d or %m/%d/%Y.")
    return fmt
