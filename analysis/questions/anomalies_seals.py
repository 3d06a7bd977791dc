"""Whether cloned seals crowd together at a terminal, on a route, in a month, beyond chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import available, counts
from analysis.questions.anomalies_records import Reason, told
from analysis.results import Interval
from analysis.selection import Selection, month_start
from analysis.stats.proportions import wilson
from analysis.stats.scan import scan_windows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

CLONED = "cloned"
PLACES = ("terminal", "route_origin")
SPANS = (1, 2, 3)
"""Lengths of the spans searched, in months; the whole period is searched too."""
SCAN_LEVEL = 0.02
"""A cluster is named when fewer reshuffled records than this share crowd as much anywhere."""
FEWEST_CLONED = 3


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Incidents with a cloned seal among those of one terminal whose seal is recorded."""

    name: str
    count: int | None
    n: int | None
    interval: Interval | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        share = self.count / self.n if self.n and self.count is not None else None
        low, high = (self.interval.low, self.interval.high) if self.interval else (None, None)
        return {
            "terminal": self.name,
            "count": self.count,
            "n": self.n,
            "share": share,
            "low": low,
            "high": high,
        }


@dataclass(frozen=True, slots=True)
class SealCluster:
    """The place and span of months in which cloned seals crowd most; `flagged` where chance hardly would.

    `count` of `n` incidents there have a cloned seal, `expected` would have by transport mode alone. `p_value` allows
    for all places and spans looked at.
    """

    column: str
    place: str
    first: int
    last: int
    count: int | None
    n: int | None
    expected: float | None
    p_value: float
    reasons: tuple[Reason, ...] = ()

    @property
    def flagged(self) -> bool:
        """Whether it deserves a second look."""
        return bool(self.reasons)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "where": self.place, "from": f"{month_start(self.first):%Y-%m}", "to": f"{month_start(self.last):%Y-%m}",
            "count": self.count, "n": self.n, "expected": self.expected, "p_value": self.p_value, **told(self.reasons),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClonedSeals:
    """Cloned seals by terminal, and the likeliest cluster; `cloned` of `n` incidents whose seal is recorded."""

    rows: tuple[PlaceRow, ...]
    cluster: SealCluster | None
    cloned: int | None
    n: int | None
    windows: int = 0
    caveats: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row a terminal."""
        return pd.DataFrame([row.to_dict() for row in self.rows])


def cloned_seals(dataset: Dataset, selection: Selection = Selection()) -> ClonedSeals:
    """Search incidents for a cluster of cloned seals.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
        Offices and period are the incidents' own.
    """
    selection = selection.checked(dataset)
    if not available(dataset, "incidents"):
        return ClonedSeals((), None, 0, 0, caveats=("table_absent",))
    if CLONED not in dataset.vocabulary("seal_issue") or not dataset.records("seal_issue"):
        return ClonedSeals((), None, 0, 0, caveats=("column_absent",))
    by = ["incident_id", "month", "transport_mode", "seal_issue", *PLACES]
    rows = counts(dataset, "incidents", by, selection.without("modes", "focus_areas"), via="rows")
    labels = {place: dataset.label("terminal", place) for place in dataset.vocabulary("terminal")}
    labels |= {place: dataset.label("route_origin", place) for place in dataset.vocabulary("route_origin")}
    return searched(rows[rows["seal_issue"].notna()], labels)


def searched(incidents: pd.DataFrame, labels: dict[str, str] | None = None) -> ClonedSeals:
    """As `cloned_seals`, of incidents at hand: month, transport mode, seal issue, places, and n."""
    rows = incidents.reset_index(drop=True)
    n = int(rows["n"].sum()) if len(rows) else 0
    if not n:
        return ClonedSeals((), None, 0, 0, caveats=("no_incidents",))
    cloned = (rows["seal_issue"] == CLONED).to_numpy()
    names = labels or {}
    places = []
    for terminal, own in rows.assign(_cloned=cloned * rows["n"]).groupby("terminal"):
        count, size = int(own["_cloned"].sum()), int(own["n"].sum())
        places.append(
            PlaceRow(names.get(str(terminal), str(terminal)), count, size, wilson(count, size).interval())
        )
    windows, inside = _windows(rows)
    found = scan_windows(cloned, rows["n"], inside, pd.factorize(rows["transport_mode"].fillna(""))[0])
    cluster = None
    if found.window is not None and found.p_value is not None:
        column, place, first, last = windows[found.window]
        cluster = _cluster(
            column, names.get(place, place), first, last, found.events, found.n, found.expected, found.p_value
        )
    total = int(rows["n"].to_numpy() @ cloned)
    return ClonedSeals(tuple(places), cluster, total, n, len(windows))


def _cluster(
    column: str, place: str, first: int, last: int, count: int, n: int, expected: float | None, p: float
) -> SealCluster:
    where = f"at {place}" if column == "terminal" else f"on routes from {place}"
    when = wording.month_long(month_start(first))
    if last != first:
        when = f"{wording.month(month_start(first))} to {wording.month(month_start(last))}"
    said = f"{count:,} of {wording.counted(n, 'incident')} {where} in {when} had a cloned seal, where {expected or 0:.1f} were expected"
    flagged = p <= SCAN_LEVEL and count >= FEWEST_CLONED
    return SealCluster(
        column,
        place,
        first,
        last,
        count,
        n,
        expected,
        p,
        (Reason("cloned_seals", said, p),) if flagged else (),
    )


def _windows(rows: pd.DataFrame) -> tuple[list[tuple[str, str, int, int]], NDArray[np.bool_]]:
    """Places by spans of months, each window with the incidents it holds; windows of the same incidents once."""
    month = rows["month"].to_numpy(int)
    first, last = int(month.min()), int(month.max())
    spans = [(at, at + length - 1) for length in SPANS for at in range(first, last - length + 2)]
    spans.append((first, last))
    seen: dict[bytes, tuple[str, str, int, int]] = {}
    held = []
    for column in PLACES:
        for place in sorted(rows[column].dropna().unique()):
            here = (rows[column] == place).to_numpy()
            for begin, end in spans:
                inside = here & (month >= begin) & (month <= end)
                key = np.packbits(inside).tobytes()
                if inside.any() and key not in seen:
                    seen[key] = (column, str(place), begin, end)
                    held.append(inside)
    return list(seen.values()), np.array(held, bool).reshape(len(held), len(rows))
