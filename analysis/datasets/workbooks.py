"""Excel workbooks: their sheets, and the rows of one as text with the numbers that the sheet shows.

A workbook is a zip of XML and can claim to be far larger than it is: what it unpacks to is looked at before any
of it is read.
"""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pandas as pd

from analysis.datasets.engines import ROW, column_names
from analysis.errors import AnalysisError, nearest

TYPED_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""How the dates of a workbook or a Parquet file, which are dates already, are written as text."""

MOST_ROWS, MOST_COLUMNS = 2**20, 2**14
"""Rows and columns that a sheet of Excel can have."""

_MOST_CELLS = 50_000_000
_LARGEST = 2**31
_LARGEST_SHEET, _LARGEST_PART = 2**30, 2**26
_SMALL_PART = 2**24
_DENSEST = 250
"""Times that a part may grow when unpacked: rows that are all the same grow about a hundredfold."""
_LONGEST_ROW = 2**23
_CHUNK = 2**20
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def sheet_names(path: Path) -> list[str]:
    """Sheets of a workbook that have anything in them.

    Raises
    ------
    AnalysisError
        When the file is no workbook that can be read.
    """
    with _workbook(path) as book:
        return [sheet.title for sheet in book.worksheets if _filled(path, sheet)]


def sheet_rows(path: Path, wanted: str | None) -> tuple[pd.DataFrame, int]:
    """Rows under the header as text, and how many rows stand above the header.

    A title over the table (a row with one filled cell, as merged cells are) is not its header.

    Parameters
    ----------
    wanted : str or None
        Name of the sheet; None for the only one with anything in it.

    Raises
    ------
    AnalysisError
        When the file is no workbook that can be read, is empty or larger than a workbook can be, or `wanted` is
        not in it.
    """
    with _workbook(path) as book:
        names = [sheet.title for sheet in book.worksheets]
        if wanted is not None and wanted not in names:
            raise AnalysisError(f"{path} has no sheet '{wanted}'; {nearest(wanted, names)}")
        if wanted is None:
            filled = [sheet.title for sheet in book.worksheets if _filled(path, sheet)]
            if not filled:
                raise AnalysisError(f"{path} is empty: it needs a header row and at least one row of data.")
            if len(filled) > 1:
                raise AnalysisError(
                    f"{path} has several sheets ({', '.join(filled)}): name one with sheet = … in the mapping."
                )
            wanted = filled[0]
        rows = list(_text_rows(path, book[wanted]))
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
    if width * len(rows) > _MOST_CELLS:
        raise AnalysisError(
            f"{path}: sheet '{wanted}' is {len(rows):,} rows of {width:,} columns: save it as CSV without empty columns."
        )
    columns = column_names([*(name or "" for name in header), *[""] * (width - len(header))])
    cells = [[*row, *[None] * (width - len(row))] for _, row in rows[1:]]
    frame = pd.DataFrame(cells, columns=columns, dtype="str")
    return frame.assign(**{ROW: pd.Series([number for number, _ in rows[1:]], dtype="int64")}), above


# -- opening ------------------------------------------------------------------------------------------


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
                _check_parts(self.path, archive)
            with warnings.catch_warnings():
                # Styles and extensions it does not know; values are not touched by them.
                warnings.simplefilter("ignore")
                self.book = load_workbook(self.path, read_only=True, data_only=True)
        except AnalysisError:
            raise
        except Exception as error:
            # The reader raises whatever a damaged part leads it to: KeyError, struct.error, ParseError …
            raise AnalysisError(
                f"{self.path} is no Excel workbook, or is damaged: save it again as .xlsx or CSV."
            ) from error
        return self.book

    def __exit__(self, *raised: object) -> None:
        self.book.close()


def _check_parts(path: Path, archive: zipfile.ZipFile) -> None:
    """Refuse what unpacks to more than a workbook holds, and XML that defines entities."""
    parts = archive.infolist()
    if sum(part.file_size for part in parts) > _LARGEST:
        raise AnalysisError(f"{path} is too large a workbook: save the sheet as CSV.")
    for part in parts:
        if not part.filename.lower().endswith((".xml", ".rels", ".vml")):
            continue
        rows = part.filename.startswith("xl/worksheets/") or part.filename == "xl/sharedStrings.xml"
        dense = part.file_size > _SMALL_PART and part.file_size > _DENSEST * part.compress_size
        if dense or part.file_size > (_LARGEST_SHEET if rows else _LARGEST_PART):
            raise AnalysisError(
                f"{path} is too large a workbook: unpacked, its part {part.filename} has {part.file_size:,} bytes; "
                "save the sheet as CSV."
            )
        _check_prologue(path, archive, part)
        if part.file_size > _SMALL_PART and _longest_row(archive, part) > _LONGEST_ROW:
            raise AnalysisError(f"{path} has a row that is too long for a workbook: save the sheet as CSV.")


def _check_prologue(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    """No workbook has a document type; one that defines entities can grow without end."""
    seen: list[str] = []
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = lambda *found: seen.append("doctype")
    parser.StartElementHandler = lambda *found: seen.append("element")
    with archive.open(part) as xml:
        while not seen and (chunk := xml.read(4096)):
            try:
                parser.Parse(chunk)
            except expat.ExpatError:
                # What is wrong later in the chunk is for the reader to say.
                break
    if "doctype" in seen:
        raise AnalysisError(f"{path} is no Excel workbook: its XML defines entities; save it again as .xlsx.")


def _longest_row(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> int:
    """About how many bytes of XML stand in the longest row or text: they are held together when read."""
    longest = run = 0
    with archive.open(part) as xml:
        while chunk := xml.read(_CHUNK):
            if b"</row>" in chunk or b"</si>" in chunk or b":row>" in chunk or b":si>" in chunk:
                longest, run = max(longest, run), 0
            run += len(chunk)
    return max(longest, run)


# -- rows ---------------------------------------------------------------------------------------------


def _filled(path: Path, sheet: Any) -> bool:
    return any(any(cell is not None for cell in row) for row in _rows(path, sheet))


def _rows(path: Path, sheet: Any) -> Iterator[tuple[Any, ...]]:
    # What a sheet says of its own size can be anything: too much, or less than there is.
    sheet.reset_dimensions()
    number = cells = 0
    rows = sheet.iter_rows(values_only=True)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:
            # The reader raises whatever a damaged cell leads it to.
            raise AnalysisError(
                f"{path}: sheet '{sheet.title}' cannot be read ({_first_line(error)}): save it as CSV."
            ) from error
        number += 1
        cells += len(row)
        if number > MOST_ROWS or len(row) > MOST_COLUMNS or cells > _MOST_CELLS:
            raise AnalysisError(
                f"{path}: sheet '{sheet.title}' has cells beyond row {MOST_ROWS:,} or column {MOST_COLUMNS:,}, or more "
                f"than {_MOST_CELLS:,}: save it as CSV."
            )
        yield row


def _text_rows(path: Path, sheet: Any) -> Iterator[tuple[int, list[str | None]]]:
    """Rows with anything in them, with the numbers the sheet shows, without empty cells at their ends."""
    for number, row in enumerate(_rows(path, sheet), start=1):
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


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
