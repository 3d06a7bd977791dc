"""Which way round a source writes its dates: read off the values where they tell, asked where they do not."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import narwhals as nw
import pandas as pd

from analysis.datasets.engines import Frame, collected
from analysis.datasets.workbooks import TYPED_DATES
from analysis.errors import AnalysisError

ISO = "%Y-%m-%d"
_WRITTEN = re.compile(r"(\d{1,2})([/.\-])(\d{1,2})\2(\d{4})")
_ORDERS = {"day first": "%d{0}%m{0}%Y", "month first": "%m{0}%d{0}%Y"}


@dataclass(frozen=True, slots=True)
class DateForms:
    """Forms of dates by column, and what was read off the values, with the number of rows."""

    formats: Mapping[str, tuple[str, ...]]
    notes: Mapping[str, int]


def date_forms(
    frame: Frame, columns: Sequence[str], *, table: str, given: Sequence[str], typed: bool
) -> DateForms:
    """How the date columns of a table are written.

    Parameters
    ----------
    columns : sequence of str
        Text columns that hold dates.
    given : sequence of str
        Forms that the mapping names; with them nothing is read off the values.
    typed : bool
        Whether dates may have come as dates (a workbook, a Parquet file).

    Raises
    ------
    AnalysisError
        When a column's dates can be read day first and month first with different results, or are mixed.
    """
    always = TYPED_DATES if typed else ()
    if given:
        return DateForms(dict.fromkeys(columns, tuple(dict.fromkeys((*given, *always)))), {})
    formats: dict[str, tuple[str, ...]] = {}
    notes: dict[str, int] = {}
    for column in columns:
        formats[column] = tuple(dict.fromkeys((ISO, *always)))
        odd = frame.filter(~nw.col(column).str.contains(r"^\d{4}-\d{2}-\d{2}"))
        seen = collected(odd.group_by(column).agg(n=nw.len()))
        for separator, values in _by_separator(seen, column).items():
            order = _order_of(values, f"{table}.{column}")
            if order is None:
                continue
            formats[column] += (_ORDERS[order].format(separator),)
            example = next(text for text in values if _reading(text, order))
            notes[f"{column}: dates read {order}, like {example}"] = sum(
                n for text, n in values.items() if _reading(text, order)
            )
    return DateForms(formats, notes)


def _by_separator(seen: pd.DataFrame, column: str) -> dict[str, dict[str, int]]:
    out: dict[str, dict[str, int]] = {}
    for text, n in sorted(zip(seen[column].astype(str), seen["n"], strict=True)):
        if match := _WRITTEN.fullmatch(text):
            out.setdefault(match[2], {})[text] = int(n)
    return out


def _order_of(values: Iterable[str], what: str) -> str | None:
    """The one order that the values allow; None where none of them is a date either way."""
    readings = {text: (_reading(text, "day first"), _reading(text, "month first")) for text in values}
    only_day = [text for text, (day, month) in readings.items() if day and not month]
    only_month = [text for text, (day, month) in readings.items() if month and not day]
    both = [text for text, (day, month) in readings.items() if day and month and day != month]
    if only_day and only_month:
        raise AnalysisError(
            f"{what} mixes dates written day first ({only_day[0]}) and month first ({only_month[0]}); "
            "mend the file, or say which is meant with date_formats in the mapping."
        )
    if both and not only_day and not only_month:
        day, month = readings[both[0]]
        assert day and month
        separator = _WRITTEN.fullmatch(both[0])[2]  # type: ignore[index]  # it matched a moment ago
        forms = " or ".join(f'date_formats = ["{form.format(separator)}"]' for form in _ORDERS.values())
        raise AnalysisError(
            f"{what} can be read day first or month first: {both[0]} is {_words(day)} or {_words(month)}; "
            f"say which in the mapping, with {forms}."
        )
    if only_month:
        return "month first"
    return "day first" if any(day for day, _ in readings.values()) else None


def _reading(text: str, order: str) -> dt.date | None:
    match = _WRITTEN.fullmatch(text)
    assert match
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    day, month = (first, second) if order == "day first" else (second, first)
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _words(day: dt.date) -> str:
    return f"{day.day} {day:%B %Y}"
