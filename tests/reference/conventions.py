"""How adapters write numbers: ``None`` is NaN, and NaN and infinities are strings in case files."""

from __future__ import annotations

import math
from typing import Any

from analysis.results import Interval
from analysis.stats.bounds import Bounds

Case = dict[str, Any]
NAN = math.nan


def number(value: float | str | None) -> float:
    """A number of a case file, where NaN and infinities are strings and missing is NaN."""
    return NAN if value is None else float(value)


def ends(limits: Bounds | Interval | None) -> Case:
    """The limits of an interval."""
    return (
        {"low": NAN, "high": NAN}
        if limits is None
        else {"low": float(limits.low), "high": float(limits.high)}
    )
