"""Read somebody's files: CSV in any common encoding, Excel, Parquet; every value as text with its row number."""

from __future__ import annotations

import codecs
import datetime as dt
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.datasets.engines import ROW, Engine, Frame, column_names
from analysis.errors import AnalysisError, nearest

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".parquet")
"""Endings of files that can be read; any other is taken for CSV."""

WORKBOOKS = (".xlsx", ".xlsm")
TYPED_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""How the dates of a workbook or a Parquet file, which are dates already, are written as text."""

_LARGEST_WORKBOOK = 2**31
_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class SourceTable:
    """The rows of one file as text.

    `broken` are rows that could not be split into columns; `notes` says what was done to read it, with the number
    of rows it touched; `typed` tells that dates came as dates, not as somebody's text.
    """

    file: str
    frame: Frame
    broken: list[tuple[int, str]] = field(default_factory=list)
    notes: dict[str, int] = field(default_factory=dict)
    typed: bool = False

    @property
    def columns(self) -> list[str]:
        """Column names in the order of the file."""
        return [name for name in self.frame.collect_schema().names() if name != ROW]


def read_source(engine: Engine, path: Path, *, sheet: str | None = None) -> SourceTable:
    """Read a file by its ending.

    Parameters
    ----------
    sheet : str, optional
        Sheet of a workbook; the only one with anything in it when not given.

    Raises
    ------
    AnalysisError
        When the file is missing, empty, protected or no table.
    """
    if not path.exists():
        raise AnalysisError(f"{path} does not exist: check the name of the source file.")
    ending = path.suffix.lower()
    if ending == ".parquet":
        frame = engine.read_parquet_as_text(path)
        return SourceTable(path.name, frame, typed=True)
    if ending in (*WORKBOOKS, ".xls"):
        rows, above = _sheet_rows(path, sheet)
        name = f"{path.name} · {sheet}" if sheet else path.name
        notes = {"rows above the header left unread (a title, not data)": above} if above else {}
        return SourceTable(name, engine.kept(engine.from_pandas(rows)), notes=notes, typed=True)
    return _read_text(engine, path)


# -- text ---------------------------------------------------------------------------------------------


def _read_text(engine: Engine, path: Path) -> SourceTable:
    encoding = _encoding(path) if path.is_file() else "utf-8"
    if encoding == "utf-8":
        frame, broken = engine.read_csv(path)
        return SourceTable(path.name, frame, broken)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "source.csv"
        try:
            changed = _recoded(path, encoding, copy)
            frame, broken = engine.read_csv(copy)
        except UnicodeDecodeError as error:
            raise AnalysisError(f"{path} is damaged text ({encoding}): save it as CSV in UTF-8.") from error
        except AnalysisError as error:
            raise AnalysisError(str(error).replace(str(copy), str(path))) from error
    name = {"cp1252": "Windows-1252", "latin-1": "Latin-1", "utf-16": "UTF-16"}[encoding]
    return SourceTable(path.name, frame, broken, {f"lines read as {name} text, which is not UTF-8": changed})


def _encoding(path: Path) -> str:
    """UTF-8 unless the file begins as UTF-16, or every line beyond ASCII is no UTF-8.

    A file in which some such lines are UTF-8 is UTF-8 with broken rows: they are rejected one by one.
    """
    with open(path, "rb") as file:
        if file.read(2) in _BOMS:
            return "utf-16"
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open(path, "rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
            return "utf-8"
        except UnicodeDecodeError:
            pass
    undefined = False
    with open(path, "rb") as file:
        for line in file:
            if b"\0" in line:
                return "utf-8"
            if line.isascii():
                continue
            if _is_utf8(line):
                return "utf-8"
            undefined = undefined or any(byte in b"\x81\x8d\x8f\x90\x9d" for byte in line)
    return "latin-1" if undefined else "cp1252"


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _recoded(path: Path, encoding: str, copy: Path) -> int:
    """Write a file again in UTF-8; how many lines that changed."""
    changed = 0
    with (
        open(path, encoding=encoding, newline="") as old,
        open(copy, "w", encoding="utf-8", newline="") as new,
    ):
        for line in old:
            changed += encoding == "utf-16" or not line.isascii()
            new.write(line)
    return changed


# -- workbooks ----------------------------------------------------------------------------------------


def sheet_names(path: Path) -> list[str]:
    """Sheets of a workbook that have anything in them.

    Raises
    ------
    AnalysisError
        When the file is no workbook that can be read.
    """
    with _workbook(path) as book:
        return [sheet.title for sheet in book.worksheets if _filled(sheet)]


class _workbook:
    """A workbook, open for reading; what is wrong with it in one sentence."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Any:
        from openpyxl import load_workbook

        with open(self.path, "rb") as file:
            if file.read(8) == _OLD_OFFICE:
                raise AnalysisError(
                    f"{self.path} is protected by a password or in the old .xls form: save it as .xlsx without a password."
                )
        try:
            with zipfile.ZipFile(self.path) as archive:
                if sum(part.file_size for part in archive.infolist()) > _LARGEST_WORKBOOK:
                    raise AnalysisError(f"{self.path} is too large a workbook: save the sheet as CSV.")
            with warnings.catch_warnings():
                # Styles and extensions it does not know; values are not touched by them.
                warnings.simplefilter("ignore")
                self.book = load_workbook(self.path, read_only=True, data_only=True)
        except AnalysisError:
            raise
        except Exception as error:
            raise AnalysisError(
                f"{self.path} is no Excel workbook, or is damaged: save it again as .xlsx or CSV."
            ) from error
        return self.book

    def __exit__(self, *raised: object) -> None:
        self.book.close()


def _filled(sheet: Any) -> bool:
    return any(any(cell is not None for cell in row) for row in sheet.iter_rows(values_only=True))


def _sheet_rows(path: Path, wanted: str | None) -> tuple[pd.DataFrame, int]:
    """Rows under the header as text, and how many rows stand above the header.

    A title over the table (a row with one filled cell, as merged cells are) is not its header.
    """
    with _workbook(path) as book:
        names = [sheet.title for sheet in book.worksheets]
        if wanted is not None and wanted not in names:
            raise AnalysisError(f"{path} has no sheet '{wanted}'; {nearest(wanted, names)}")
        if wanted is None:
            filled = [sheet.title for sheet in book.worksheets if _filled(sheet)]
            if not filled:
                raise AnalysisError(f"{path} is empty: it needs a header row and at least one row of data.")
            if len(filled) > 1:
                raise AnalysisError(
                    f"{path} has several sheets ({', '.join(filled)}): name one with sheet = … in the mapping."
                )
            wanted = filled[0]
        try:
            rows = list(_text_rows(book[wanted]))
        except Exception as error:
            raise AnalysisError(
                f"{path}: sheet '{wanted}' cannot be read ({error}): save it as CSV."
            ) from error
    if not rows:
        raise AnalysisError(
            f"{path}: sheet '{wanted}' is empty: it needs a header row and at least one row of data."
        )
    above = next((i for i, (_, row) in enumerate(rows) if sum(cell is not None for cell in row) > 1), 0)
    rows = rows[above:]
    _, header = rows[0]
    width = max((i for i, name in enumerate(header, start=1) if name), default=0)
    width = max(width, *(len(row) for _, row in rows))
    if width < 2:
        raise AnalysisError(
            f"{path} is not a table: the first row of sheet '{wanted}' has fewer than two columns."
        )
    columns = column_names([*(name or "" for name in header), *[""] * (width - len(header))])
    cells = [[*row, *[None] * (width - len(row))] for _, row in rows[1:]]
    frame = pd.DataFrame(cells, columns=columns, dtype="str")
    return frame.assign(**{ROW: pd.Series([number for number, _ in rows[1:]], dtype="int64")}), above


def _text_rows(sheet: Any) -> Iterator[tuple[int, list[str | None]]]:
    """Rows with anything in them, with the numbers the sheet shows, without empty cells at their ends."""
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells = [_cell(value) for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if cells:
            yield number, cells


def _cell(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        return value.strftime(TYPED_DATES[0] if value.time() == dt.time() else TYPED_DATES[1])
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
