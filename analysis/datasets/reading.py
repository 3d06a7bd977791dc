"""Read somebody's files: CSV in any common encoding, Excel, Parquet; every value as text with its row number."""

from __future__ import annotations

import codecs
import re
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from analysis.datasets.engines import ROW, Engine, Frame
from analysis.datasets.first_bytes import PARQUET, WORKBOOKS, check_kind
from analysis.datasets.workbooks import sheet_rows
from analysis.errors import AnalysisError
from analysis.files import made_aside

ENDINGS = (".csv", ".txt", ".tsv", ".xlsx", ".xlsm", ".parquet")
"""Endings of files that can be read; any other is taken for CSV."""

_BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_MANY_ROWS, _DENSEST = 10_000_000, 100
"""Rows from which on a Parquet file is looked at, and the most of them a byte can stand for where rows differ."""
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
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
    """Read a file by its ending, which its first bytes must not contradict.

    Parameters
    ----------
    sheet : str, optional
        Sheet of a workbook; the only one with anything in it when not given.

    Raises
    ------
    AnalysisError
        When the file is missing, empty, protected, too large to be true or no table.
    """
    check_kind(path)
    ending = path.suffix.lower()
    if ending == PARQUET:
        _check_parquet(path)
        frame = engine.read_parquet_as_text(path)
        return SourceTable(path.name, frame, typed=True)
    if ending in WORKBOOKS:
        rows, above = sheet_rows(path, sheet)
        name = f"{path.name} · {sheet}" if sheet else path.name
        notes = {"rows above the header left unread (a title, not data)": above} if above else {}
        return SourceTable(name, engine.kept(engine.from_pandas(rows)), notes=notes, typed=True)
    return _read_text(engine, path)


def _check_parquet(path: Path) -> None:
    """Refuse columns that hold more than one value, and more rows than so few bytes can hold."""
    try:
        described = pq.read_metadata(path)
        schema = described.schema.to_arrow_schema()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise AnalysisError(f"{path} is damaged or no Parquet file: save it again.") from error
    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise AnalysisError(
            f"{path} has lists or structures in column '{nested[0]}': save it with one value a cell."
        )
    if described.num_rows > _MANY_ROWS and described.num_rows > _DENSEST * path.stat().st_size:
        raise AnalysisError(
            f"{path} claims {described.num_rows:,} rows in {path.stat().st_size:,} bytes: save it again with its identifiers."
        )


# -- text ---------------------------------------------------------------------------------------------


def _read_text(engine: Engine, path: Path) -> SourceTable:
    encoding = _encoding(path)
    if encoding == "utf-8":
        frame, broken = engine.read_csv(path)
        return SourceTable(path.name, frame, broken)
    with made_aside(Path(tempfile.gettempdir()) / "recoded") as folder:
        copy = folder / "source.csv"
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
            # Looked at line by line below.
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
            undefined = undefined or _NOT_WINDOWS.search(line) is not None
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
