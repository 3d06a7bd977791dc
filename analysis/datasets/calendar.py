"""Integer days and months of date columns: date types differ by engine, integers do not."""

from __future__ import annotations

import narwhals as nw


def epoch_day(column: str) -> nw.Expr:
    """Days since 1 January 1970 of a date column, by calendar arithmetic alone (years from 1)."""
    before = nw.col(column).dt.year() - 1
    leap_days = before // 4 - before // 100 + before // 400
    return (before * 365 + leap_days + nw.col(column).dt.ordinal_day() - _DAYS_TO_1970).cast(nw.Int32)


_DAYS_TO_1970 = 719_163
"""Number of 1 January 1970 where 1 January of the year 1 is day 1."""


def month_key(column: str) -> nw.Expr:
    """Months since year 0 of a date column."""
    return (nw.col(column).dt.year() * 12 + nw.col(column).dt.month() - 1).cast(nw.Int32)


def fiscal_year(month: nw.Expr, start_month: int) -> nw.Expr:
    """Fiscal year of a month key, named by the calendar year it ends in."""
    shift = (13 - start_month) % 12
    return ((month + shift) // 12).cast(nw.Int32)
