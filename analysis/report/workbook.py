"""A briefing as a workbook: a sheet a figure, as shown and as numbers, and what every column means."""

from __future__ import annotations

import datetime as dt
import io
import math
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
import xlsxwriter

from analysis.report.content import Content, Sheet
from analysis.report.printed import caption_of, cells, changes_table, plain, remarks, sources, table_of
from analysis.schema import LABELS

MOST_ROWS = 1_000_000
_NAME = 31
"""Longest name of a sheet."""
_WIDEST = 60
_COLUMNS = {
    "estimate": "The effect, virtual minus in person (or their ratio)", "low": "Lower end of the 95% interval",
    "high": "Upper end of the 95% interval", "p_value": "p-value of no difference", "n": "How many stand behind the number",
    "count": "How many had the event", "events": "How many had the event", "share": "Part of all, as a fraction",
    "rate": "Of those assessed, as a fraction", "value": "The number shown, as a fraction where it is a share",
    "method": "Way of asking", "measure": "Difference, ratio or odds ratio", "population": "Of whom the estimate speaks",
    "status": "ok, too_small or not_estimable", "caveats": "Reason codes: Methods explains them",
    "verdict": "Verdict code: Methods explains it", "adjusted_p": "p-value after allowing for all looks of the family",
}  # fmt: skip


def xlsx(content: Content, *, progress: Callable[[int, int, str], None] | None = None) -> bytes:
    """A briefing as an Excel file."""
    out = io.BytesIO()
    # Text is text: nothing a record holds becomes a formula, a link or a number.
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    book = xlsxwriter.Workbook(out, options)
    day = content.as_of
    book.set_properties(
        {"title": content.briefing.title, "subject": content.scope, "author": "", "keywords": content.tag,
         "created": dt.datetime(day.year, day.month, day.day)}
    )  # fmt: skip
    looks = {
        "title": book.add_format({"bold": True, "font_size": 14}), "head": book.add_format({"bold": True, "bottom": 2, "text_wrap": True, "valign": "top"}),
        "quiet": book.add_format({"font_color": "#4A5866", "text_wrap": True, "valign": "top"}), "cell": book.add_format({"text_wrap": True, "valign": "top"}),
        "whole": book.add_format({"num_format": "#,##0", "valign": "top"}), "fraction": book.add_format({"num_format": "0.0000", "valign": "top"}),
    }  # fmt: skip
    names = _names(content)
    _front(book, looks, content, names)
    seen: set[str] = set()
    for place, (sheet, name) in enumerate(zip(content.sheets, names, strict=True)):
        if progress:
            progress(place, len(content.sheets), sheet.title)
        _figure(book.add_worksheet(name), looks, content, sheet)
        seen |= {str(column) for column in sheet.figure.data.columns}
    moved = changes_table(content)
    if len(moved):
        _grid(book.add_worksheet("What changed"), looks, moved, 0)
    meanings = [(name, _COLUMNS.get(name) or LABELS.get(name, "")) for name in sorted(seen)]
    known = [row for row in meanings if row[1]]
    _grid(book.add_worksheet("Columns"), looks, pd.DataFrame(known, columns=["Column", "Meaning"]), 0)
    book.close()
    return out.getvalue()


def _front(book: Any, looks: dict[str, Any], content: Content, names: list[str]) -> None:
    page = book.add_worksheet("Contents")
    page.set_column(0, 0, 34)
    page.set_column(1, 1, 100)
    page.write_string(0, 0, plain(content.briefing.title), looks["title"])
    rows = [
        ("Tag", content.tag),
        *sources(content),
        *(("To keep in mind", words) for words in remarks(content)),
    ]
    for line, (what, which) in enumerate(rows, 2):
        page.write_string(line, 0, what, looks["quiet"])
        page.write_string(line, 1, which, looks["cell"])
    start = len(rows) + 3
    page.write_row(start, 0, ["Sheet", "Figure"], looks["head"])
    for line, (name, sheet) in enumerate(zip(names, content.sheets, strict=True), start + 1):
        page.write_url(line, 0, f"internal:'{name}'!A1", string=name)
        page.write_string(line, 1, plain(sheet.title), looks["cell"])


def _figure(page: Any, looks: dict[str, Any], content: Content, sheet: Sheet) -> None:
    made = sheet.figure
    page.write_string(0, 0, plain(sheet.title), looks["title"])
    lines = [
        made.measure,
        sheet.entry.note,
        f"{content.tag} · {caption_of(sheet)} Figure {made.id}.",
        made.alt,
    ]
    if made.state is not None:
        lines.append(f"{made.state.fact} {made.state.next_step}".strip())
    line = 1
    for words in filter(None, lines):
        page.merge_range(line, 0, line, 7, "", looks["quiet"])
        page.write_string(line, 0, words, looks["quiet"])
        page.set_row(line, 15 * (1 + len(words) // 110))
        line += 1
    for heading, frame in (("As shown", table_of(made)), ("Numbers", made.data)):
        if len(frame.columns) and len(frame):
            page.write_string(line + 1, 0, heading, looks["title"])
            line = _grid(page, looks, frame.head(MOST_ROWS), line + 2)


def _grid(page: Any, looks: dict[str, Any], frame: pd.DataFrame, top: int) -> int:
    """Write a frame with its head at `top`; the row after it."""
    for column, name in enumerate(frame.columns):
        page.write_string(top, column, str(name), looks["head"])
    for line, row in enumerate(frame.itertuples(index=False), top + 1):
        for column, value in enumerate(row):
            _cell(page, looks, line, column, value)
    for column, width in enumerate(_widths(frame)):
        page.set_column(column, column, width)
    return top + 1 + len(frame)


def _cell(page: Any, looks: dict[str, Any], line: int, column: int, value: object) -> None:
    if isinstance(value, bool):
        page.write_string(line, column, "yes" if value else "no", looks["cell"])
    elif isinstance(value, int | float) and math.isfinite(value):
        page.write_number(line, column, value, looks["whole" if float(value).is_integer() else "fraction"])
    elif value is None or value is pd.NA or value is pd.NaT or isinstance(value, float):
        page.write_blank(line, column, None)
    else:
        page.write_string(line, column, str(value)[:32_000], looks["cell"])


def _widths(frame: pd.DataFrame) -> list[int]:
    rows = cells(frame.head(200))
    return [min(max(len(row[i]) for row in rows) + 3, _WIDEST) for i in range(len(frame.columns))]


def _names(content: Content) -> list[str]:
    """One name a sheet: allowed by Excel, and no two alike."""
    names: list[str] = []
    for place, sheet in enumerate(content.sheets, 1):
        words = re.sub(r"[^A-Za-z0-9 _-]", " ", sheet.entry.figure.replace(".", " ").replace("_", " "))
        names.append(f"{place} {words}"[:_NAME].strip())
    return names
