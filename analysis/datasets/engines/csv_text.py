"""Text files before they are split into rows: their header, separator and line ends, blank lines, column names."""

from __future__ import annotations

import csv
import io
import mmap
import os
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from analysis.datasets.engines.contract import ROW
from analysis.errors import AnalysisError

_OURS = (ROW, "_left_out")

BROKEN = {
    "MISSING COLUMNS": "the row does not have the header's columns",
    "UNQUOTED VALUE": "a quotation mark of the row is not closed",
    "LINE SIZE OVER MAXIMUM": "the row is longer than 16 million characters",
    "INVALID ENCODING": "the row is not UTF-8 text",
}
"""Why a row cannot be split into columns, in our words."""

LONGEST_HEADER = 65_536
"""Characters of a header row."""

MOST_COLUMNS = 4_000
MOST_BLANK = 1_000_000
"""Blank lines of a file: more are no slip."""


def csv_header(path: Path) -> tuple[list[str], str, str | None]:
    """Column names, separator, and the line end where the header itself goes over several lines."""
    if not path.exists():
        raise AnalysisError(f"{path} does not exist: check the name of the source file.")
    if not path.is_file():
        raise AnalysisError(f"{path} is not a file: name the CSV file itself.")
    if os.path.getsize(path) == 0:
        raise AnalysisError(f"{path} is empty: it needs a header row and at least one row of data.")
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            sample = file.read(LONGEST_HEADER + 1)
    except UnicodeDecodeError as error:
        raise AnalysisError(f"{path} is not a table of UTF-8 text: save it as CSV in UTF-8.") from error
    if "\0" in sample:
        raise AnalysisError(f"{path} is not a table of text: save it as CSV in UTF-8.")
    first_line = io.StringIO(sample).readline()
    delimiter = max([",", ";", "\t", "|"], key=first_line.count)
    lines = io.StringIO(sample, newline="").readlines()
    header = csv.reader(lines, delimiter=delimiter)
    try:
        names = next(header, [])
    except csv.Error as error:
        raise AnalysisError(f"{path} is not a table: its header row cannot be read ({error}).") from error
    if len(names) < 2:
        raise AnalysisError(f"{path} is not a table: its first row has no columns separated by commas.")
    if len(names) > MOST_COLUMNS:
        raise AnalysisError(
            f"{path} is not a table: its first row has {len(names):,} columns; at most {MOST_COLUMNS:,} are read."
        )
    if len("".join(lines[: header.line_num])) > LONGEST_HEADER:
        raise AnalysisError(
            f"{path} is not a table: its first row is longer than {LONGEST_HEADER:,} characters."
        )
    end = lines[header.line_num - 1]
    line_end = ("\\r\\n" if end.endswith("\r\n") else "\\n") if header.line_num > 1 else None
    return names, delimiter, line_end


def blank_rows(path: Path, delimiter: str) -> set[int]:
    """Row numbers of blank lines, which the reader passes over without counting them."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if not re.search(rb"\n\r?\n|\r\r", content):
            return set()
    limit = csv.field_size_limit(2**24)
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline="") as text:
            rows = csv.reader(text, delimiter=delimiter)
            blank = set(
                islice((number for number, row in enumerate(rows, start=1) if not row), MOST_BLANK + 1)
            )
    except csv.Error:
        return set()
    finally:
        csv.field_size_limit(limit)
    if len(blank) > MOST_BLANK:
        raise AnalysisError(
            f"{path} has more than {MOST_BLANK:,} blank lines: remove them and save it again."
        )
    return blank


def column_names(names: Sequence[str]) -> list[str]:
    """Names of columns as frames hold them: never empty, never twice, never one of ours."""
    # An unnamed or repeated header must not make a file unreadable: it is only given a name. Ours come first.
    seen = dict.fromkeys(_OURS, 1)
    out = []
    for position, raw in enumerate(names, start=1):
        name = raw.strip()
        # A star stands for all columns wherever columns are named.
        name = f"column_{position}" if name in ("", "*") else name
        seen[name.lower()] = seen.get(name.lower(), 0) + 1
        out.append(name if seen[name.lower()] == 1 else f"{name}_{seen[name.lower()]}")
    return out
