"""Records of incidents: one row a value, period, entity type or category, and the answer that holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from analysis.results import Interval
from analysis.selection import month_start


@dataclass(frozen=True, slots=True)
class ShareRow:
    """Incidents with one value of column `by`: `count` of the `n` that record it, with the interval of the `share`.

    `of` names the part of the incidents that `n` counts where it is not all of them. ``None`` where it cannot be
    estimated, or is not shown.
    """

    by: str
    value: str
    label: str
    count: int | None
    n: int | None
    share: float | None
    interval: Interval | None
    of: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """A row of ``incidents --by transport_mode --json`` and its like."""
        return {
            self.by: self.value,
            "label": self.label,
            **self.of,
            "count": self.count,
            "n": self.n,
            "share": self.share,
            **_ends(self.interval),
        }


@dataclass(frozen=True, slots=True)
class PeriodRow:
    """Incidents of one month, fiscal or calendar year.

    `start` is the key of its first month and `months` how many of its `of` months the period covers; `parts` are the
    incidents by transport mode.
    """

    basis: str
    name: str
    label: str
    start: int
    months: int
    of: int
    count: int | None
    n: int | None
    share: float | None
    parts: tuple[tuple[str, int | None], ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the period covers all of it."""
        return self.months == self.of

    def to_dict(self) -> dict[str, Any]:
        """A row of ``incidents --by month --json``."""
        return {
            self.basis: int(self.name) if self.name.isdigit() else self.name,
            "label": self.label,
            "count": self.count,
            "n": self.n,
            "share": self.share,
            "months": self.months,
            "whole": self.whole,
            "transport_modes": dict(self.parts),
        }


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """Incidents of one entity type, and the rate of those that happened to members at risk.

    `count` of all `n` incidents that name a member make the `share`. `events` are those within the `member_years` of
    `members`; `rate` is events per member-year with exact Poisson limits.
    """

    entity_type: str
    label: str
    count: int | None
    n: int | None
    share: float | None
    events: int | None
    members: int | None
    member_years: float | None
    rate: float | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``incidents --by entity_type --json``: `rate`, ``low`` and ``high`` per member-year."""
        return {
            "entity_type": self.entity_type,
            "label": self.label,
            "count": self.count,
            "n": self.n,
            "share": self.share,
            "events": self.events,
            "members": self.members,
            "member_years": self.member_years,
            "rate": self.rate,
            **_ends(self.interval),
        }


@dataclass(frozen=True, slots=True)
class ConcentrationRow:
    """How incidents spread over units of one kind, never named.

    `incidents` of `units` units fall on `hit` of them; half of the incidents fall on `half_on` of them. `repeat` units
    have two or more, `repeat_incidents` together. `expected_hit` and `expected_repeat` are how many there would be if
    incidents fell on members by chance, in proportion to time at risk.
    """

    unit: str
    label: str
    units: int | None
    incidents: int | None
    hit: int | None
    half_on: int | None
    repeat: int | None = None
    repeat_incidents: int | None = None
    expected_hit: float | None = None
    expected_repeat: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``incidents --by concentration --json``: `count` units of `n` have an incident."""
        out: dict[str, Any] = {
            "unit": self.unit,
            "count": self.hit,
            "n": self.units,
            "share": self.hit / self.units if self.hit is not None and self.units else None,
            "incidents": self.incidents,
            "half_of_incidents_on": self.half_on,
        }
        if self.unit == "member":
            out |= {
                "repeat": self.repeat,
                "repeat_incidents": self.repeat_incidents,
                "expected": self.expected_hit,
                "expected_repeat": self.expected_repeat,
            }
        return out


@dataclass(frozen=True, slots=True)
class LiftRow:
    """How often one category was deficient at the last validation of members with an incident of one cause.

    `count` of `n` members with such an incident, `all_count` of `all_n` validated members; `lift` is the ratio of the
    two shares. `adjusted_p` is Holm's over the categories of the cause. `cause` is None for any cause.
    """

    cause: str | None
    cause_label: str
    category: str
    label: str
    count: int | None
    n: int | None
    share: float | None
    all_count: int | None
    all_n: int | None
    all_share: float | None
    lift: float | None
    interval: Interval | None
    p_value: float | None
    adjusted_p: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """A row of ``incidents --by last_deficient_category --json``; ``low`` and ``high`` belong to the lift."""
        return {
            "last_deficient_category": self.category,
            "label": self.label,
            "cause": self.cause or "any",
            "count": self.count,
            "n": self.n,
            "share": self.share,
            "all_count": self.all_count,
            "all_n": self.all_n,
            "all_share": self.all_share,
            "lift": self.lift,
            **_ends(self.interval),
            "p_value": self.p_value,
            "adjusted_p": self.adjusted_p,
        }


Row = ShareRow | PeriodRow | ExposureRow | ConcentrationRow | LiftRow


@dataclass(frozen=True, slots=True)
class Incidents:
    """Incidents of a selection: rows, `n` incidents, how many `unlinked` ones name no member, and a sentence.

    `recorded` is how many of them record what they are grouped by. Of rates, `dispersion` is how much more monthly
    counts vary than chance would make them (1 is chance alone), and `p_value` that of one rate for all entity types.
    """

    by: str
    rows: tuple[Row, ...]
    n: int | None
    recorded: int | None
    unlinked: int | None
    sentence: str = ""
    caveats: tuple[str, ...] = ()
    dispersion: float | None = None
    p_value: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis incidents --json``."""
        out: dict[str, Any] = {
            "rows": [row.to_dict() for row in self.rows],
            "n": self.n,
            "recorded": self.recorded,
            "unlinkable": self.unlinked,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }
        if self.by == "entity_type":
            out |= {"dispersion": self.dispersion, "p_value": self.p_value}
        return out

    def to_frame(self) -> pd.DataFrame:
        """One row a value, for a notebook or a download."""
        return pd.json_normalize([row.to_dict() for row in self.rows], sep="_")


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a series: a month (its key) with its number of incidents, or the days before an incident.

    `expected` with limits `low` and `high`; `outside` says whether it lies beyond them.
    """

    month: int
    value: float | None
    expected: float | None
    low: float | None
    high: float | None
    outside: bool


@dataclass(frozen=True, slots=True)
class IncidentSeries:
    """Incidents in time with control limits: `kind` is ``counts`` per month, or ``gaps`` in days where they are rare."""

    kind: str
    points: tuple[Point, ...]
    n: int | None
    spread: float | None
    widened: bool
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a point."""
        return pd.DataFrame(
            [
                {"month": month_start(p.month).isoformat()[:7], "kind": self.kind, "value": p.value,
                 "expected": p.expected, "low": p.low, "high": p.high, "outside": p.outside}
                for p in self.points
            ],
            columns=["month", "kind", "value", "expected", "low", "high", "outside"],
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class IncidentGrid:
    """Incidents by two columns: `counts` by row and column value, None where hidden; `totals` of the columns."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: tuple[tuple[int | None, ...], ...]
    totals: tuple[int | None, ...]
    n: int | None
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a cell: ``count``, ``n`` of the column, ``share`` within the column."""
        out = []
        for row, line in zip(self.rows, self.counts, strict=True):
            for column, count, total in zip(self.columns, line, self.totals, strict=True):
                share = count / total if count is not None and total else None
                out.append({"row": row, "column": column, "count": count, "n": total, "share": share})
        return pd.DataFrame(out, columns=["row", "column", "count", "n", "share"])


def _ends(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}
