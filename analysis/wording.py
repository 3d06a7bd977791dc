"""Numbers, dates and verdicts in words: one way of writing for screen, slide, notebook and export.

Minus is U+2212, ranges an en dash; differences are always signed and in percentage points; a p-value is
never "0". Fractions come in, words go out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from analysis.results import Interval

MINUS = "−"
EN_DASH = "–"
NOT_ESTIMABLE = EN_DASH
_UNDER_ONE_PERCENT = 0.00995
"""What one decimal would still show as less than one."""


def number(value: float, decimals: int = 0) -> str:
    """A count or amount with thousands commas and a true minus.

    >>> number(-1234)
    '−1,234'
    >>> number(4.04, 1)
    '4.0'
    """
    text = f"{_rounded(value, decimals):,.{decimals}f}"
    return text.replace("-", MINUS)


def signed(value: float, decimals: int = 1) -> str:
    """A signed amount; zero carries no sign.

    >>> signed(-1.94), signed(0.6), signed(-0.01)
    ('−1.9', '+0.6', '0.0')
    """
    rounded = _rounded(value, decimals)
    text = f"{rounded:+,.{decimals}f}" if rounded else f"{0:.{decimals}f}"
    return text.replace("-", MINUS)


def points(difference: float, decimals: int = 1) -> str:
    """A difference of two fractions, in signed percentage points without the unit.

    >>> points(-0.0187)
    '−1.9'
    """
    return signed(difference * 100, decimals)


def percent(fraction: float, n: int | None = None) -> str:
    """A share: one decimal, two under 1 %, none where fewer than 100 stand behind it.

    >>> percent(0.2412), percent(0.0043), percent(0.241, n=29)
    ('24.1%', '0.43%', '24%')
    """
    if n is not None and n < 100:
        return f"{_rounded(fraction * 100, 0):.0f}%"
    decimals = 2 if 0 < abs(fraction) < _UNDER_ONE_PERCENT else 1
    return f"{_rounded(fraction * 100, decimals):.{decimals}f}%".replace("-", MINUS)


def ratio(value: float) -> str:
    """A ratio with two decimals.

    >>> ratio(0.704)
    '0.70'
    """
    return number(value, 2)


def p_value(p: float | None, symbol: str = "p") -> str:
    """A p-value with two decimals, three below 0.01; never zero, never alone on a page.

    >>> p_value(0.0304), p_value(0.0061), p_value(1e-12), p_value(None)
    ('p = 0.03', 'p = 0.006', 'p < 0.001', 'p not estimable')
    """
    if p is None:
        return f"{symbol} not estimable"
    if p < 0.001:
        return f"{symbol} < 0.001"
    if p > 0.99:
        return f"{symbol} > 0.99"
    return f"{symbol} = {p:.{2 if p >= 0.00995 else 3}f}"


def interval(bounds: Interval | None, scale: str, *, compact: bool = False) -> str:
    """An interval in words on the scale of its estimate.

    `scale` is ``difference`` (signed points; ``small_difference`` with two decimals), ``ratio``, ``share``, ``days`` or
    ``hours``. Words for text, compact brackets for charts.

    >>> interval(Interval(-0.044, 0.006), "difference")
    '−4.4 to +0.6'
    >>> interval(Interval(-0.044, 0.006), "difference", compact=True)
    '[−4.4, +0.6]'
    >>> interval(Interval(0.64, 0.77), "ratio")
    '0.64 to 0.77'
    >>> interval(Interval(0.0043, 0.0121), "share")
    '0.43% to 1.21%'
    """
    if bounds is None:
        return "no interval"
    low, high = amount(bounds.low, scale), amount(bounds.high, scale)
    if scale == "share" and bounds.low < _UNDER_ONE_PERCENT and bounds.high < 0.1:
        # Both ends with the decimals of the smaller one.
        low, high = (f"{number(end * 100, 2)}%" for end in (bounds.low, bounds.high))
    return f"[{low}, {high}]" if compact else f"{low} to {high}"


def amount(value: float | None, scale: str) -> str:
    """One number on a scale, without its unit; an en dash where it does not exist.

    >>> amount(None, "ratio"), amount(0.241, "share"), amount(19.0, "days")
    ('–', '24.1%', '19')
    """
    if value is None:
        return NOT_ESTIMABLE
    match scale:
        case "difference":
            return points(value)
        case "small_difference":
            return points(value, 2)
        case "ratio":
            return ratio(value)
        case "share":
            return percent(value)
        case "days":
            return number(value, 0 if value >= 10 else 1)
        case "hours":
            return number(value, 1)
        case "count":
            return number(value)
    raise ValueError(f"unknown scale {scale!r}")


def date(day: dt.date) -> str:
    """A day in words.

    >>> date(dt.date(2022, 12, 31))
    '31 Dec 2022'
    """
    return f"{day.day} {day:%b %Y}"


def month(day: dt.date) -> str:
    """A month in words.

    >>> month(dt.date(2022, 12, 31))
    'Dec 2022'
    """
    return f"{day:%b %Y}"


def month_long(day: dt.date) -> str:
    """A month in full.

    >>> month_long(dt.date(2020, 7, 1))
    'July 2020'
    """
    return f"{day:%B %Y}"


def period(start: dt.date, end: dt.date) -> str:
    """A period in whole months where it is one, else in days, with its basis.

    >>> period(dt.date(2020, 7, 1), dt.date(2022, 12, 31))
    'Jul 2020 – Dec 2022 (calendar)'
    >>> period(dt.date(2020, 7, 5), dt.date(2022, 12, 31))
    '5 Jul 2020 – 31 Dec 2022'
    """
    whole_months = start.day == 1 and (end + dt.timedelta(days=1)).day == 1
    if not whole_months:
        return f"{date(start)} {EN_DASH} {date(end)}"
    if (start.year, start.month) == (end.year, end.month):
        return f"{month(start)} (calendar)"
    return f"{month(start)} {EN_DASH} {month(end)} (calendar)"


def listed(names: Sequence[str], *, conjunction: str = "and") -> str:
    """Names in a row of words.

    >>> listed(["Buffalo", "Miami", "Laredo"])
    'Buffalo, Miami and Laredo'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {conjunction} {names[-1]}"


def about(n: int) -> str:
    """A rough count, rounded up to two figures: never less than what is needed.

    >>> about(149), about(6831)
    ('150', '6,900')
    """
    step = 10 ** max(len(str(n)) - 2, 0)
    return number(-(-n // step) * step)


def margin_size(fraction: float) -> str:
    """A margin in points, with a decimal only where it has one.

    >>> margin_size(0.05), margin_size(0.025), margin_size(0.07)
    ('5', '2.5', '7')
    """
    size = round(fraction * 100, 6)
    return number(
        size, 0 if abs(size - round(size)) < 1e-6 else 1 if abs(size * 10 - round(size * 10)) < 1e-6 else 2
    )


def counted(n: float, singular: str, plural: str | None = None) -> str:
    """A count with its unit.

    >>> counted(1, "validation"), counted(4398, "validation")
    ('1 validation', '4,398 validations')
    """
    return f"{number(n)} {singular if n == 1 else plural or singular + 's'}"


def _rounded(value: float, decimals: int) -> float:
    # round() keeps a negative zero; adding 0.0 drops its sign.
    return round(value, decimals) + 0.0
