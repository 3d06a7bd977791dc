"""Integer days and months of date columns: date types differ by engine, integers do not."""

from __future__ import annotations

import narwhals as nw


def epoch_day(column: str) -> nw.Expr:
    """Days since 1 January 1970 of a date column, by calendar arithmetic alone.

    Howard Hinnant's civil-calendar algorithm: years begin in March, eras are 400 years of 146,097 days.
    """
    year, month, day = nw.col(column).dt.year(), nw.col(column).dt.month(), nw.col(column).dt.day()
    shifted = nw.when(month <= 2).then(year - 1).otherwise(year)
    from_march = nw.when(month <= 2).then(month + 9).otherwise(month - 3)
    era = shifted // 400
    year_of_era = shifted - era * 400
    day_of_year = (from_march * 153 + 2) // 5 + day - 1
    day_of_era = year_of_era * 365 + year_of_era // 4 - year_of_era // 100 + day_of_year
    return (era * 146_097 + day_of_era - 719_468).cast(nw.Int32)


def month_key(column: str) -> nw.Expr:
    """Months since year 0 of a date column."""
    return (nw.col(column).dt.year() * 12 + nw.col(column).dt.month() - 1).cast(nw.Int32)


def fiscal_year(month: nw.Expr, start_month: int) -> nw.Expr:
    """Fiscal year of a month key, named by the calendar year it ends in."""
    shift = (13 - start_month) % 12
    return ((month + shift) // 12).cast(nw.Int32)
