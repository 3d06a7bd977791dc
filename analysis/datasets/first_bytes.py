"""What a file is by its first bytes, whatever its name says: archives, programs and pictures are no tables."""

from __future__ import annotations

from pathlib import Path

from analysis.errors import AnalysisError

WORKBOOKS = (".xlsx", ".xlsm", ".xls")
"""Endings of Excel files; those of the old form are only recognised, not read."""

PARQUET = ".parquet"

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_PARQUET = b"PAR1"
_UNPACK = "unpack it and give the file inside"
_TABLE = "give a CSV, Excel or Parquet file"
_KINDS = (
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", _UNPACK),
    (b"\x7fELF", "a program", _TABLE),
    (b"%PDF-", "a PDF", _TABLE),
    (b"\x89PNG\r\n\x1a\n", "a picture", _TABLE),
    (b"\xff\xd8\xff", "a picture", _TABLE),
    (b"SQLite format 3\x00", "an SQLite database", "save its tables as CSV"),
)
_LOOKED_AT = 512


def check_kind(path: Path) -> None:
    """Refuse what is no file of rows, or another kind of file than its ending says.

    Raises
    ------
    AnalysisError
        For what is no regular file, an archive, a program, a picture, a database, or a wrong ending.
    """
    if not path.exists():
        raise AnalysisError(f"{path} does not exist: check the name of the source file.")
    # A device or a pipe might never end.
    if not path.is_file():
        raise AnalysisError(f"{path} is not a file: name the file of rows itself.")
    try:
        with open(path, "rb") as file:
            start = file.read(_LOOKED_AT)
    except OSError as error:
        raise AnalysisError(f"{path} cannot be read ({error.strerror}).") from error
    kind, mend = _kind(start)
    ending = path.suffix.lower()
    if start.startswith(_ZIP) and ending not in WORKBOOKS:
        kind, mend = "a zip archive or a workbook", f"{_UNPACK}, or name a workbook .xlsx"
    elif start.startswith(_PARQUET) and ending != PARQUET:
        # A table of text may begin with these letters; it goes on with a separator or the rest of a word.
        kind, mend = ("a Parquet file", "give it the ending .parquet") if b"\x00" in start else ("", "")
    if kind:
        raise AnalysisError(f"{path} is {kind}, not a table of {_said(ending)}: {mend}.")


def _kind(start: bytes) -> tuple[str, str]:
    for magic, kind, mend in _KINDS:
        if start.startswith(magic):
            return kind, mend
    if start.startswith(b"MZ") and b"\x00" in start[:64]:
        return "a program", _TABLE
    if start.startswith(b"BZh") and start[4:10] == b"1AY&SY":
        return "a bzip2 archive", _UNPACK
    if start[8:12] == b"DUCK" and b"\x00" in start:
        return "a DuckDB database", "give it the ending .duckdb"
    return "", ""


def _said(ending: str) -> str:
    if ending in WORKBOOKS:
        return "Excel"
    return "Parquet" if ending == PARQUET else "text"
