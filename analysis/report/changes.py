"""What changed since a briefing was saved: which numbers moved, by how much, and whether beyond noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.charts.figure import Figure
from analysis.figures.comparison import METHODS
from analysis.report.briefing import Number

MOST_NUMBERS = 60
"""Numbers of one figure that a saved briefing keeps."""

_VALUES = ("estimate", "value", "rate", "share", "median", "count", "n")
"""Columns that hold what a row shows, the first that is not empty."""
_OTHER_VALUES = {
    "virtual_vs_in_person.mix": "by_rate",
    "virtual_vs_in_person.balance": "after",
    "virtual_vs_in_person.seen_by": "ratio",
    "virtual_vs_in_person.criteria": "difference",
    "virtual_vs_in_person.margin": "margin",
    "virtual_vs_in_person.unmeasured": "e_value",
    "virtual_vs_in_person.backlog": "overdue",
    "virtual_vs_in_person.afterwards": "risk",
    "msc_deficiencies.criteria_modes": "difference",
    "incidents.earlier_deficiencies": "lift",
    "maritime.analyses": "median_days_to_close",
    "feedback.agreement": "gwet",
    "anomalies.offices": "adjusted",
    "anomalies.specialists": "adjusted",
    "anomalies.variation": "dispersion",
    "anomalies.minutes_lost": "lost_share",
    "anomalies.not_verified": "not_verified_rate",
}
"""The column of figures that show something else, by id."""
_NUMBERED = ("year", "score")
"""Columns of numbers that name a row."""
_NOT_NAMES = (
    "caveats", "status", "settings", "sentence", "reason", "unit", "verdict", "population",
)  # fmt: skip
"""Text that says more about a number than which it is, or changes with it."""


@dataclass(frozen=True, slots=True)
class Change:
    """One number then and now; `None` where it did not exist.

    `beyond_noise` is true where the difference is larger than both intervals allow for, as if the two were
    independent: data that grew share records, so this errs on the side of calling a move noise. `None` where one of
    them has no interval.
    """

    label: str
    before: float | None
    now: float | None
    beyond_noise: bool | None

    @property
    def moved(self) -> bool:
        """Whether it changed at all."""
        if self.before is None or self.now is None:
            return self.before is not self.now
        return not math.isclose(self.before, self.now, rel_tol=1e-9, abs_tol=1e-12)


def numbers_of(made: Figure) -> tuple[Number, ...]:
    """The numbers of a figure, each named by the columns that say what it is.

    At most `MOST_NUMBERS`, in the order of the figure; numbers that share a name (dates of a fine grid) are left out.
    """
    frame = made.data
    numeric = [str(column) for column in frame if _is_numeric(frame[column])]
    usual = [name for name in _VALUES if name in numeric]
    own = _OTHER_VALUES.get(made.id)
    values = [own] if own in numeric else usual
    named = [str(column) for column in frame if column in _NUMBERED or column not in numeric]
    names = [name for name in named if name not in _NOT_NAMES]
    if "label" in frame and frame["label"].is_unique:
        names = ["label"]
    found: dict[str, Number] = {}
    twice: set[str] = set()
    for row in frame.to_dict("records"):
        way = "" if "label" in names else _way(row)
        said = [_said(row[name]) for name in names if not (way and name in ("method", "measure"))]
        label = " · ".join(words for words in (way, *said) if words)
        if label in found:
            twice.add(label)
        shown = next((name for name in values if _number(row, name) is not None), None)
        value = _number(row, shown) if shown else None
        found[label] = Number(label, value, *_interval(row, shown, value))
    return tuple(number for label, number in found.items() if label not in twice)[:MOST_NUMBERS]


def changes(before: Sequence[Number], now: Sequence[Number]) -> tuple[Change, ...]:
    """Numbers that moved, appeared or vanished, in the order of the figure as it is now.

    Examples
    --------
    >>> changes([Number("rate", 0.10, 0.08, 0.12)], [Number("rate", 0.20, 0.18, 0.22)])
    (Change(label='rate', before=0.1, now=0.2, beyond_noise=True),)
    """
    then = {number.label: number for number in before}
    labels = [number.label for number in now]
    rows = [_change(then.get(number.label), number) for number in now]
    rows += [_change(number, None) for label, number in then.items() if label not in labels]
    return tuple(row for row in rows if row.moved)


def _change(before: Number | None, now: Number | None) -> Change:
    label = (now or before).label  # type: ignore[union-attr]  # one of the two is there
    beyond = _beyond_noise(before, now) if before and now else None
    return Change(label, before.value if before else None, now.value if now else None, beyond)


def _beyond_noise(before: Number, now: Number) -> bool | None:
    ends = (before.value, before.low, before.high, now.value, now.low, now.high)
    if any(end is None for end in ends):
        return None
    value, low, high, other, other_low, other_high = (float(end) for end in ends if end is not None)
    # The half-widths that face each other, added as independent errors are.
    half = (high - value, other - other_low) if other > value else (value - low, other_high - other)
    return abs(other - value) > math.hypot(*half)


def _way(row: Mapping[Any, object]) -> str:
    """A way of asking in words, where a row is one."""
    asked = (row.get("method"), row.get("measure"))
    known = next((words for way, words in METHODS.items() if way == asked), "")
    return known if not known or asked[1] == "difference" else f"{known}, {asked[1]}"


def _is_numeric(column: pd.Series[Any]) -> bool:
    """Whether all that is known in a column are numbers; a number that does not exist makes it a column of objects."""
    known = column.dropna()
    return pd.api.types.is_numeric_dtype(column) or (
        len(known) > 0 and all(_number({"": value}, "") is not None for value in known)
    )


def _interval(
    row: Mapping[Any, object], shown: str | None, value: float | None
) -> tuple[float | None, float | None]:
    """The ends around a value: its own columns, else `low` and `high` if it lies between them.

    The ends of a column of a histogram, or limits of another number of the row, are no interval of this one.
    """
    for names in ((f"{shown}_low", f"{shown}_high"), ("low", "high")):
        low, high = (_number(row, name) for name in names)
        if value is not None and low is not None and high is not None and low <= value <= high:
            return low, high
    return None, None


def _said(value: object) -> str:
    if isinstance(value, int | float):
        return "" if math.isnan(value) else f"{value:.0f}"
    return " ".join(value.split()) if isinstance(value, str) else ""


def _number(row: Mapping[Any, object], name: str) -> float | None:
    value = row.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
