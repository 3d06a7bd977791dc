"""Words and numbers that the figures of deficiencies share."""

from __future__ import annotations

from analysis import wording
from analysis.charts.figure import KeyEntry
from analysis.results import Estimate, Interval

WIDEN = "Widen the period or take filters off."
LEVEL_KEY = (KeyEntry("must", "Must"), KeyEntry("should", "Should"))


def share_words(value: float | None, n: int | None = None) -> str:
    """A share or rate, an en dash where there is none."""
    return wording.NOT_ESTIMABLE if value is None else wording.percent(value, n)


def with_interval(value: float | None, bounds: Interval | None, n: int | None = None) -> str:
    """A share or rate with its interval in brackets."""
    if value is None or bounds is None:
        return share_words(value, n)
    return f"{share_words(value, n)} ({wording.interval(bounds, 'share')})"


def of_words(count: int | None, n: int | None) -> str:
    """A count and what it is out of; where it is not shown, that."""
    if count is None or n is None:
        return "not shown"
    return f"{wording.number(count)} of {wording.number(n)}"


def count_words(count: int | None) -> str:
    """A count, an en dash where it is not shown."""
    return wording.NOT_ESTIMABLE if count is None else wording.number(count)


def estimable(row: Estimate | None) -> tuple[float, Interval] | None:
    """An estimate with its interval, None where either is missing."""
    if row is None or row.estimate is None or row.interval is None:
        return None
    return row.estimate, row.interval


def adjusted_p(p: float | None, symbol: str = "p") -> str:
    """A p-value for a column that is headed by its symbol."""
    return wording.p_value(p, symbol).removeprefix(f"{symbol} ").removeprefix("= ")


def q_words(q: float | None) -> str:
    """A q-value; just under 5 %, where two decimals would hide that it is, it says so.

    >>> q_words(0.0496), q_words(0.31)
    ('q < 0.05', 'q = 0.31')
    """
    return "q < 0.05" if q is not None and 0.045 <= q < 0.05 else wording.p_value(q, "q")


def placed(value: float | None, bounds: Interval | None) -> dict[str, float | None]:
    """Where a mark and its line are drawn."""
    return {
        "estimate": value,
        "low": bounds.low if bounds else None,
        "high": bounds.high if bounds else None,
    }
