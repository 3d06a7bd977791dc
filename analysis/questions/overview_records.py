"""Records of the overview: key statistics, and how they changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.results import Interval


@dataclass(frozen=True, slots=True)
class Change:
    """A statistic against the comparable period before, unadjusted.

    `difference` is latest minus before on the statistic's own scale, with its interval where both have one. `latest` and
    `before` are the counts and denominators behind them.
    """

    difference: float
    interval: Interval | None
    latest: tuple[int | None, int | None]
    before: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True)
class Statistic:
    """One key statistic: a count, a share or rate of `n` with its interval, or a median with its middle half.

    `scale` says how the value is written (``count``, ``share``, ``rate``, ``days``); `series` holds it by quarter,
    None where too little was counted; `reason` is a code where it cannot be answered.
    """

    id: str
    label: str
    scale: str
    unit: str
    count: int | None = None
    n: int | None = None
    value: float | None = None
    interval: Interval | None = None
    middle_half: tuple[float, float] | None = None
    series: tuple[float | None, ...] = ()
    reason: str | None = None
    change: Change | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``overview --json``: keys that do not apply are absent, what cannot be estimated is null."""
        out: dict[str, Any] = {"statistic": self.id, "label": self.label, "unit": self.unit}
        if self.count is not None or self.scale == "count":
            out["count"] = self.count
        if self.n is not None:
            out["n"] = self.n
        key = {"share": "share", "rate": "rate", "days": "median"}.get(self.scale)
        if key:
            out[key] = self.value
            out["low"] = self.interval.low if self.interval else None
            out["high"] = self.interval.high if self.interval else None
        if self.scale == "days":
            out["middle_half"] = list(self.middle_half) if self.middle_half else None
            del out["low"], out["high"]
        if self.change is not None:
            bounds = self.change.interval
            out["change"] = self.change.difference
            out["change_low"] = bounds.low if bounds else None
            out["change_high"] = bounds.high if bounds else None
        if self.reason:
            out["reason"] = self.reason
        return out


@dataclass(frozen=True, slots=True)
class Overview:
    """Key statistics of a selection, with the sentence the page opens with.

    `periods` are the two periods whose change is given, in words; `before` and `latest` name them in few words,
    the latest only where it is not the period chosen. All are empty where there is no earlier period.
    """

    statistics: tuple[Statistic, ...]
    quarters: tuple[int, ...]
    n: int | None
    sentence: str
    caveats: tuple[str, ...] = ()
    periods: str = ""
    before: str = ""
    latest: str = ""

    def statistic(self, name: str) -> Statistic | None:
        """The statistic of that id, if the dataset has it."""
        return next((s for s in self.statistics if s.id == name), None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis overview --json``."""
        return {
            "rows": [statistic.to_dict() for statistic in self.statistics],
            "n": self.n,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
            "compared": self.periods,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a statistic, for a notebook or a download."""
        return pd.DataFrame([statistic.to_dict() for statistic in self.statistics])


@dataclass(frozen=True, slots=True)
class Monthly:
    """Validations per month and mode, ordered by month; a count is None where it may not be shown.

    `n` counts all of them; modes outside the comparison are among them.
    """

    rows: tuple[tuple[int, str | None, int | None], ...]
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """Columns ``month`` (key), ``mode``, ``n``."""
        frame = pd.DataFrame(self.rows, columns=["month", "mode", "n"])
        return frame.astype({"month": "int64", "n": "Int64"})
