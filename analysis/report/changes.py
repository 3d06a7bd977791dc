"""What changed since a briefing was saved: which numbers moved, by how much, and whether beyond noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.charts.figure import Figure
from analysis.report.briefing import Number

MOST_NUMBERS = 60
"""Numbers of one figure that a saved briefing keeps."""

_VALUES = ("estimate", "value", "rate", "share", "count", "n")
"""Columns that hold what a row shows, the first that is not empty."""
_NOT_NAMES = ("caveats", "status", "settings", "sentence", "reason", "unit")


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
    values = [name for name in _VALUES if name in frame and pd.api.types.is_numeric_dtype(frame[name])]
    names = [str(c) for c in frame if not pd.api.types.is_numeric_dtype(frame[c]) and c not in _NOT_NAMES]
    found: dict[str, Number] = {}
    twice: set[str] = set()
    for row in frame.to_dict("records"):
        label = " · ".join(_said(row[name]) for name in names if _said(row[name]))
        if label in found:
            twice.add(label)
        value = next((known for name in values if (known := _number(row, name)) is not None), None)
        found[label] = Number(label, value, _number(row, "low"), _number(row, "high"))
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
    label = (now or before).label  # type: ignore[union-attr]
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


def _said(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _number(row: dict[str, object], name: str) -> float | None:
    value = row.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return None
    return float(value)
