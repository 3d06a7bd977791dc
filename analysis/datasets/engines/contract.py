"""What an engine must do: read, hold and write rows, and the few steps that narwhals has no word for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import narwhals as nw
import pandas as pd

Frame = nw.LazyFrame[Any]

Kind = Literal["date", "integer", "number", "flag"]
"""What a text can be read as."""

ROW = "_source_row"
"""Row number in the source file as a spreadsheet shows it: the header is row 1."""

EMPTY: dict[str, nw.Expr] = {
    "text": nw.lit(None, nw.String), "date": nw.lit(None, nw.Date), "integer": nw.lit(None, nw.Int64),
    "number": nw.lit(None, nw.Float64), "flag": nw.lit(None, nw.Int8),
}  # fmt: skip
"""Nothing recorded, by type of column."""


class Reader(Protocol):
    """Whatever an open dataset reads its rows with."""

    def close(self) -> None:
        """Give memory, files and connections back."""

    def cursor(self) -> Reader:
        """A second handle on the same engine, for use in another thread."""

    def read_parquet(self, path: Path) -> Frame:
        """A Parquet file, or a folder of its parts.

        Raises
        ------
        AnalysisError
            When it is damaged.
        """


class Engine(Reader, Protocol):
    """Whatever makes datasets. The same steps give the same rows on every engine."""

    def held_name(self, column: str) -> str:
        """How the engine holds a source column of this name: not every engine takes every name."""

    def from_pandas(self, frame: pd.DataFrame) -> Frame:
        """A small pandas frame as an engine frame: do not change it afterwards."""

    def read_parquet_as_text(self, path: Path) -> Frame:
        """A Parquet file of somebody else's, every value as text, with its row numbers: the first row is 2.

        Raises
        ------
        AnalysisError
            When it is no Parquet file, or is damaged.
        """

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

    def numbered(self, frame: Frame, name: str, *, order_by: str) -> Frame:
        """Rows with their position from 0 in the order of a column without repetitions."""

    def fingerprinted(self, frame: Frame, column: str) -> Frame:
        """The same rows with whole numbers in place of a column's texts: equal texts have equal numbers."""

    def digests(self, frame: Frame, by: str, columns: Sequence[str]) -> dict[int, str]:
        """Per value of a column a text that the values of some columns make, in whatever order its rows stand."""

    def typed_empty(self, columns: Mapping[str, str]) -> Frame:
        """An empty frame with columns of our types."""

    def kept(self, frame: Frame) -> Frame:
        """The same rows, computed once and held, so that later steps do not compute them again."""

    def runs(self, rows: int) -> list[tuple[int, int]]:
        """Row numbers from which to which many columns are worked on at a time, so that memory suffices."""

    def kept_runs(self, frames: Sequence[Frame]) -> Frame:
        """The rows of all frames, computed frame by frame and held."""

    def write_runs(self, frames: Sequence[Frame], path: Path, *, order_by: Sequence[str]) -> int:
        """Write the rows of all frames, each of which sorts before the next, like `write_parquet`."""

    def forget(self) -> None:
        """Give back what is held: frames made of it can no longer be used."""

    def write_parquet(self, frame: Frame, path: Path, *, order_by: Sequence[str]) -> int:
        """Write Parquet, sorted, and return its number of rows: a file, or a folder of parts where it is large."""
