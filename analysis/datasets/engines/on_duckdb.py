"""DuckDB, embedded: the default engine, no server, rows in files, bounded memory that spills to disk."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd

from analysis.datasets.engines.contract import ROW, Frame, Kind
from analysis.datasets.engines.csv_text import BROKEN, blank_rows, column_names, csv_header
from analysis.datasets.engines.results import number_of_rows, said
from analysis.errors import AnalysisError
from analysis.files import Aside

MEMORY = "CTPAT_MEMORY"
"""Environment variable: how much memory DuckDB may take, like ``6GB``; the rest goes to disk."""

RUN = 4 * 122_880
"""Rows of many columns that are worked on at a time: whole row groups of a file."""

MOST_MEMORY = 2.5
"""GiB that DuckDB takes at most where nobody says how much; the program itself takes some more."""

_SQL_TYPES = {"text": "VARCHAR", "date": "DATE", "integer": "BIGINT", "number": "DOUBLE", "flag": "TINYINT"}


class DuckDB:
    """DuckDB, embedded: what is held on the way lies in files, and what does not fit in memory goes to disk.

    Memory is bounded by half of the machine's and `MOST_MEMORY`, or by the environment variable `MEMORY`.

    Parameters
    ----------
    beside : Path, optional
        What is held, and what does not fit in memory, lies in a hidden folder beside this one, which is removed in the
        end; in the system's folder of temporary files when not given.
    threads : int, optional
        Worker threads; DuckDB's own choice when not given. One thread makes writes reproducible.

    Raises
    ------
    AnalysisError
        When the environment variable is no amount of memory.
    """

    def __init__(self, *, beside: Path | None = None, threads: int | None = None) -> None:
        self._aside = _scratch_folder(beside)
        self._scratch = self._aside.path
        self._connection = duckdb.connect()
        self._is_cursor = False
        self._connection.execute(f"SET temp_directory = {_literal(str(self._scratch / 'spilled'))}")
        try:
            self._connection.execute(f"SET memory_limit = {_literal(_memory())}")
        except duckdb.Error as error:
            self.close()
            raise AnalysisError(
                f"{MEMORY} is '{_memory()}', which is no amount of memory: write it like 6GB, or leave it away."
            ) from error
        if threads:
            self._connection.execute(f"SET threads = {int(threads)}")
        self._tables = 0

    def close(self) -> None:
        """Give memory and temporary files back."""
        self._connection.close()
        if not self._is_cursor:
            self._aside.close()

    def cursor(self) -> DuckDB:
        """A second handle on the same database, for use in another thread."""
        other = object.__new__(DuckDB)
        other._connection = self._connection.cursor()
        other._is_cursor = True
        other._scratch = self._scratch
        other._tables = 0
        return other

    # -- in ---------------------------------------------------------------------------------------

    def held_name(self, column: str) -> str:
        """Any name will do."""
        return column

    def from_pandas(self, frame: pd.DataFrame) -> Frame:
        """A small pandas frame as an engine frame, read in place: do not change it afterwards."""
        # Not made a table: every new table makes DuckDB look again at each step of every frame under way.
        return nw.from_native(self._connection.from_df(frame)).lazy()

    def read_parquet(self, path: Path) -> Frame:
        """A Parquet file, or a folder of them, without loading it."""
        pattern = f"{_pattern(path)}/*.parquet" if path.is_dir() else _pattern(path)
        try:
            return nw.from_native(self._connection.read_parquet(pattern)).lazy()
        except duckdb.Error as error:
            raise AnalysisError(f"{path} is damaged or no Parquet file: make its dataset again.") from error

    def read_parquet_as_text(self, path: Path) -> Frame:
        """A Parquet file of somebody else's, every value as text, with its row numbers: the first row is 2.

        Raises
        ------
        AnalysisError
            When it is no Parquet file, or is damaged.
        """
        try:
            relation = self._connection.read_parquet(_pattern(path), file_row_number=True)
            columns = [
                f"{_as_text(_quoted(theirs), str(kind))} AS {_quoted(unique)}"
                for theirs, unique, kind in zip(
                    relation.columns[:-1], column_names(relation.columns[:-1]), relation.types, strict=False
                )
            ]
            numbered = relation.select(f"{', '.join(columns)}, {_quoted(relation.columns[-1])} + 2 AS {ROW}")
            return nw.from_native(numbered).lazy()
        except duckdb.Error as error:
            raise AnalysisError(f"{path} is damaged or no Parquet file: save it again.") from error

    def read_csv(self, path: Path) -> tuple[Frame, list[tuple[int, str]]]:
        """A CSV file as text columns with their row numbers.

        Returns
        -------
        frame : Frame
            All columns as text, plus ``_source_row``.
        broken : list of (row, rule)
            Rows that could not be split into the header's columns.

        Raises
        ------
        AnalysisError
            When the file is missing, empty, or no table of text.
        """
        names, delimiter, line_end = csv_header(path)
        # Guessed from the first line break of the file, which may stand inside a quoted column name.
        line_end = f", new_line = '{line_end}'" if line_end else ""
        columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in column_names(names))
        name = self._name()
        self._connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
        try:
            self._connection.execute(
                f"CREATE TEMP TABLE {name} AS SELECT *, row_number() OVER () + 1 AS {ROW} FROM read_csv(?, "
                f"columns = {{{columns}}}, header = true, auto_detect = false, delim = ?, quote = '\"', "
                "escape = '\"', nullstr = '', ignore_errors = true, store_rejects = true, "
                f"max_line_size = 16777216{line_end})",
                [str(path), delimiter],
            )
        except duckdb.Error as error:
            raise AnalysisError(
                f"{path} cannot be read as a table of text: save it as CSV in UTF-8 with one header row and one "
                "kind of line end."
            ) from error
        broken = [
            (int(line), BROKEN.get(kind, BROKEN["MISSING COLUMNS"]))
            for line, kind in self._connection.execute(
                "SELECT line, min(CAST(error_type AS VARCHAR)) FROM reject_errors GROUP BY line ORDER BY line"
            ).fetchall()
        ]
        self._renumber(name, sorted({line for line, _ in broken} | blank_rows(path, delimiter)))
        return self._table(name), broken

    def _renumber(self, name: str, skipped: Sequence[int]) -> None:
        """Number rows as the file does: broken and blank ones have numbers too."""
        ((rows,),) = self._connection.execute(f"SELECT count(*) FROM {name}").fetchall()
        if not skipped or skipped[0] > rows + 1:
            return
        numbers = np.setdiff1d(np.arange(2, rows + len(skipped) + 2), np.asarray(skipped))[:rows]
        renumbered = self._connection.from_df(pd.DataFrame({"old": np.arange(2, rows + 2), "new": numbers}))
        renumbered.create_view("renumbered", replace=True)
        self._connection.execute(f"UPDATE {name} SET {ROW} = new FROM renumbered WHERE {ROW} = old")
        self._connection.execute("DROP VIEW renumbered")

    # -- what narwhals has no word for --------------------------------------------------------------

    def parsed(
        self,
        frame: Frame,
        columns: Mapping[str, Kind],
        *,
        date_formats: Mapping[str, Sequence[str]] | None = None,
        suffix: str = "",
    ) -> Frame:
        """Text columns read as dates or numbers; what cannot be read is null.

        The result of column ``c`` is in ``c + suffix``; with an empty suffix it replaces the text. Dates are
        read like 2022-12-31, or in the forms that `date_formats` gives for their column.
        """
        relation = frame.to_native()
        made = []
        for column, kind in columns.items():
            source = _quoted(column)
            if kind == "date":
                formats = (date_formats or {}).get(column, ("%Y-%m-%d",))
                tries = ", ".join(f"try_strptime({source}, '{fmt}')" for fmt in map(_safe_format, formats))
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
                # 'nan' and 'inf' can be cast, but are no numbers.
                value = (
                    f"CASE WHEN isfinite(try_cast({source} AS DOUBLE)) THEN try_cast({source} AS DOUBLE) END"
                )
            made.append((f"{column}{suffix}", f"CAST({value} AS {_SQL_TYPES[kind]})"))
        replaced = {name for name, _ in made}
        kept = [_quoted(name) for name in relation.columns if name not in replaced]
        new = [f"{value} AS {_quoted(name)}" for name, value in made]
        made_of: Frame = nw.from_native(relation.select(", ".join(kept + new))).lazy()
        return made_of

    def numbered(self, frame: Frame, name: str, *, order_by: str) -> Frame:
        """Rows with their position from 0 in the order of a column without repetitions."""
        # A window over all rows would hold them all at once: a sorted file knows the numbers of its rows.
        held = self._held(frame, f"{_quoted(order_by)} NULLS FIRST")
        relation = self._connection.read_parquet(_pattern(held), file_row_number=True)
        others = ", ".join(_quoted(column) for column in relation.columns[:-1])
        numbered = relation.select(f"{_quoted(relation.columns[-1])} AS {_quoted(name)}, {others}")
        return nw.from_native(numbered).lazy()

    def fingerprinted(self, frame: Frame, column: str) -> Frame:
        """The same rows with whole numbers in place of a column's texts: equal texts have equal numbers."""
        made = f"hash({_quoted(column)}) AS {_quoted(column)}"
        relation = frame.to_native()
        others = ", ".join(_quoted(name) for name in relation.columns if name != column)
        numbers: Frame = nw.from_native(relation.select(f"{others}, {made}")).lazy()
        return numbers

    def digests(self, frame: Frame, by: str, columns: Sequence[str]) -> dict[int, str]:
        """Per value of a column a text that the values of some columns make, in whatever order its rows stand."""
        hashed = f"hash({', '.join(map(_quoted, columns))})"
        made = f"{_quoted(by)}, concat_ws(' ', count(*), sum({hashed}), bit_xor({hashed}))"
        rows = frame.to_native().aggregate(made, _quoted(by)).fetchall()
        return {int(value): str(digest) for value, digest in rows}

    def typed_empty(self, columns: Mapping[str, str]) -> Frame:
        """An empty frame with columns of our types."""
        casts = ", ".join(f"CAST(NULL AS {_SQL_TYPES[kind]}) AS {_quoted(c)}" for c, kind in columns.items())
        return nw.from_native(self._connection.sql(f"SELECT {casts} WHERE false")).lazy()

    # -- out --------------------------------------------------------------------------------------

    def kept(self, frame: Frame) -> Frame:
        """The same rows, computed once and held in a file, so that later steps do not compute them again."""
        return self.read_parquet(self._held(frame))

    def _held(self, frame: Frame, order: str = "") -> Path:
        path = self._scratch / f"{self._name()}.parquet"
        self._written(frame, path, order, "snappy")
        return path

    def write_parquet(self, frame: Frame, path: Path, *, order_by: Sequence[str]) -> int:
        """Write a Parquet file, sorted, and return its number of rows."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._written(frame, path, ", ".join(f"{_quoted(c)} NULLS FIRST" for c in order_by), "zstd")
        return self._rows_of(path)

    def runs(self, rows: int) -> list[tuple[int, int]]:
        """Row numbers from which to which many columns are worked on at a time, so that memory suffices."""
        return [(first, first + RUN) for first in range(0, max(rows, 1), RUN)]

    def kept_runs(self, frames: Sequence[Frame]) -> Frame:
        """The rows of all frames, computed frame by frame and held."""
        place = self._scratch / f"{self._name()}.parquet"
        self._written_runs(frames, place, "", "snappy")
        return self.read_parquet(place)

    def write_runs(self, frames: Sequence[Frame], path: Path, *, order_by: Sequence[str]) -> int:
        """Write the rows of all frames, each of which sorts before the next: a file, or a folder of one for each."""
        if len(frames) == 1:
            return self.write_parquet(frames[0], path, order_by=order_by)
        self._written_runs(frames, path, ", ".join(f"{_quoted(c)} NULLS FIRST" for c in order_by), "zstd")
        return self._rows_of(path)

    def _written_runs(self, frames: Sequence[Frame], folder: Path, order: str, compression: str) -> None:
        folder.mkdir(parents=True)
        for number, frame in enumerate(frames):
            self._written(frame, folder / f"{number:05}.parquet", order, compression)

    def _rows_of(self, path: Path) -> int:
        return number_of_rows(self.read_parquet(path))

    def _written(self, frame: Frame, path: Path, order: str, compression: str) -> None:
        # No table or view is made: each makes DuckDB look again at every step of every frame under way.
        relation = frame.to_native()
        ordered = relation.order(order) if order else relation
        # Order is made where it matters: keeping that of what is read would hold back what is ready to be written.
        self._connection.execute("SET preserve_insertion_order = false")
        try:
            with said(f"{path.name} cannot be written"):
                ordered.write_parquet(str(path), compression=compression, row_group_size=122_880)
        finally:
            self._connection.execute("RESET preserve_insertion_order")

    def forget(self) -> None:
        """Remove all that is held: frames made of it can no longer be used."""
        for path in self._scratch.glob("*.parquet"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for number in range(1, self._tables + 1):
            self._connection.execute(f"DROP TABLE IF EXISTS {self._held_name(number)}")

    def _held_name(self, number: int) -> str:
        return f"held_{id(self):x}_{number}"

    def _name(self) -> str:
        self._tables += 1
        return self._held_name(self._tables)

    def _table(self, name: str) -> Frame:
        return nw.from_native(self._connection.table(name)).lazy()


def _scratch_folder(beside: Path | None) -> Aside:
    place = Path(tempfile.gettempdir())
    if beside is not None:
        # The folder it is to be in may not be there yet, and must not be made for an import that then fails.
        parent = next((p for p in beside.absolute().parents if p.is_dir()), place)
        place = parent if os.access(parent, os.W_OK) else place
    try:
        return Aside(place / "duckdb")
    except OSError as error:
        raise AnalysisError(f"{place} cannot be written ({error.strerror}): make room there.") from error


def _memory() -> str:
    given = os.environ.get(MEMORY, "").strip()
    if given:
        return given
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):  # Windows does not tell.
        machine = 2 * MOST_MEMORY
    return f"{min(machine / 2, MOST_MEMORY) * 1024:.0f}MiB"


def _pattern(path: Path) -> str:
    # The reader takes a name for a pattern: brackets and stars in it mean themselves.
    return re.sub(r"([*?\[])", r"[\1]", str(path))


def _as_text(column: str, kind: str) -> str:
    if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL"):
        # An identifier held as a number is '7', not '7.0'.
        whole = f"isfinite(CAST({column} AS DOUBLE)) AND {column} = floor({column}) AND abs({column}) < 1e15"
        return f"CASE WHEN {whole} THEN CAST(CAST({column} AS BIGINT) AS VARCHAR) ELSE CAST({column} AS VARCHAR) END"
    if kind.startswith("TIMESTAMP"):
        midnight = f"date_trunc('day', {column}) = {column}"
        return f"CASE WHEN {midnight} THEN strftime({column}, '%Y-%m-%d') ELSE strftime({column}, '%Y-%m-%d %H:%M:%S') END"
    return f"CAST({column} AS VARCHAR)"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _safe_format(fmt: str) -> str:
    if "'" in fmt or "%" not in fmt:
        raise AnalysisError(f"date format {fmt!r} cannot be used: write it like %Y-%m-%d or %m/%d/%Y.")
    return fmt
