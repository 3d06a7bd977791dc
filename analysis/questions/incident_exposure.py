"""Incidents against time at risk: rates per member-year by entity type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import counts
from analysis.questions.incident_records import ExposureRow, Incidents
from analysis.questions.incident_series import month_days
from analysis.questions.incident_shares import LAST_VALIDATION, caveats_of, population
from analysis.results import Interval, finite_or_none
from analysis.selection import EPOCH, Selection, month_number
from analysis.stats.event_charts import WIDEN_ABOVE, poisson_dispersion
from analysis.stats.exact_rates import rate_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from analysis.datasets.opening import Dataset

DAYS_A_YEAR = 365.25
FEW_EVENTS = 5
"""Incidents below which a rate is shown with its interval, but not spoken of."""
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Exposure:
    """Members at risk: one row for each entity type and pair of days, with ``entered``, ``left`` and ``n`` members.

    `start` and `end` are the first and last day (since 1970) that count; `missing` a reason code where nobody knows.
    """

    rows: pd.DataFrame
    start: int
    end: int
    missing: str | None = None
    caveats: tuple[str, ...] = ()

    def days(self, start: int | None = None, end: int | None = None) -> NDArray[np.float64]:
        """Member-days of every row between two days, both included."""
        first = np.maximum(self.rows["entered"].to_numpy(float), self.start if start is None else start)
        last = np.minimum(self.rows["left"].to_numpy(float), self.end if end is None else end)
        days: NDArray[np.float64] = np.maximum(last - first + 1, 0.0)
        return days


def exposure(dataset: Dataset, selection: Selection) -> Exposure:
    """Time at risk of the members of a selection: from entering the program to leaving it, within the period.

    Office and entity type are the member's own. A filter on the last validation leaves no time at risk: members are
    known, not the spells between their validations.
    """
    start, end = selection.period(dataset)
    first, last = (start - EPOCH).days, (min(end, dataset.as_of) - EPOCH).days
    nothing = pd.DataFrame({"entity_type": [], "entered": [], "left": [], "n": []})
    if dataset.prepared("members") is None:
        return Exposure(nothing, first, last, "exposure_unknown")
    if any(getattr(selection, name) for name in LAST_VALIDATION):
        return Exposure(nothing, first, last, "exposure_by_member")
    plain = selection.without("start", "end", *LAST_VALIDATION, "focus_areas", "transport_modes")
    rows = counts(
        dataset, "members", ["entity_type", "entered_day", "left_day", "certified"], plain, via="rows"
    )
    caveats = []
    if rows["entered_day"].isna().any():
        caveats.append("entry_unknown")
    known = rows[rows["entered_day"].notna()]
    if (known["certified"] == 0).any():
        caveats.append("entry_by_validation")
    if known.empty:
        return Exposure(nothing, first, last, "exposure_unknown")
    table = pd.DataFrame(
        {
            "entity_type": known["entity_type"],
            "entered": known["entered_day"].astype(float),
            "left": known["left_day"].astype(float).fillna(np.inf),
            "n": known["n"],
        }
    )
    return Exposure(table.reset_index(drop=True), first, last, None, tuple(caveats))


def incidents_by_entity_type(dataset: Dataset, selection: Selection = Selection()) -> Incidents:
    """Incidents of every entity type, and their rate per member-year with exact Poisson limits, highest first."""
    who = population(dataset, selection)
    caveats = caveats_of(who, selection)
    at_risk = exposure(dataset, selection)
    counted = counts(dataset, "incidents", ["entity_type"], selection)
    amounts = dict(zip(counted["entity_type"], counted["n"], strict=True))
    events = _events(dataset, selection)
    days = at_risk.days() * at_risk.rows["n"].to_numpy(float)
    linked = who.n - who.unlinked
    rows = []
    for name in dataset.vocabulary("entity_type"):
        mine = (at_risk.rows["entity_type"] == name).to_numpy()
        members = int(at_risk.rows.loc[mine & (days > 0), "n"].sum())
        if not members and not amounts.get(name):
            continue
        count, years = int(amounts.get(name, 0)), float(days[mine].sum()) / DAYS_A_YEAR
        known = at_risk.missing is None
        rate, bounds = (
            _rate(int(events.get(name, 0)), years, aggregated=who.aggregated) if known else (None, None)
        )
        rows.append(
            ExposureRow(
                name,
                dataset.label("entity_type", name),
                count,
                linked,
                count / linked if linked else None,
                int(events.get(name, 0)) if known else None,
                members if known else None,
                years if known else None,
                rate,
                bounds,
            )
        )
    rows.sort(key=lambda row: (-(row.rate or 0.0), -(row.count or 0)))
    spread = _dispersion(dataset, selection, at_risk) if at_risk.missing is None else None
    caveats += (at_risk.missing,) if at_risk.missing else at_risk.caveats
    if at_risk.missing is None and sum(events.values()) < linked:
        caveats += ("outside_time_at_risk",)
    if spread is not None and spread > WIDEN_ABOVE:
        caveats += ("overdispersed",)
    answer = tuple(rows)
    differs = None if who.aggregated else _differ(answer)
    return Incidents(
        "entity_type",
        answer,
        who.n,
        linked,
        who.unlinked,
        _sentence(answer, who.n, caveats, differs),
        caveats,
        spread,
        differs,
    )


def overall_rate(dataset: Dataset, selection: Selection) -> tuple[float, Interval | None] | None:
    """Incidents per member-year of the whole selection, None where there is no time at risk."""
    at_risk = exposure(dataset, selection)
    years = float((at_risk.days() * at_risk.rows["n"].to_numpy(float)).sum()) / DAYS_A_YEAR
    if at_risk.missing or not years:
        return None
    aggregated = population(dataset, selection).aggregated
    rate, bounds = _rate(sum(_events(dataset, selection).values()), years, aggregated=aggregated)
    return None if rate is None else (rate, bounds)


def _events(dataset: Dataset, selection: Selection) -> dict[str, int]:
    """Incidents that happened to members at risk, by entity type."""
    start, end = selection.period(dataset)
    if start > end:
        return {}
    within = Selection(
        selection.offices,
        selection.modes,
        start,
        end,
        selection.entity_types,
        selection.risks,
        selection.kinds,
        selection.locations,
        selection.focus_areas,
        selection.transport_modes,
    )
    rows = counts(dataset, "incidents", ["entity_type"], within, sums=["n_at_risk"]).dropna(
        subset=["entity_type"]
    )
    return {str(name): int(n) for name, n in zip(rows["entity_type"], rows["n_at_risk"], strict=True)}


def _rate(events: int, years: float, *, aggregated: bool) -> tuple[float | None, Interval | None]:
    if not years:
        return None, None
    bounds = rate_exact(events, years)
    return finite_or_none(float(bounds.estimate)), None if aggregated else bounds.interval()


def _dispersion(dataset: Dataset, selection: Selection, at_risk: Exposure) -> float | None:
    """How much more the incidents of members vary between months than chance would make them."""
    counted = counts(dataset, "incidents", ["month"], selection, sums=["n_at_risk"])
    amounts = dict(zip(counted["month"], counted["n_at_risk"], strict=True))
    if at_risk.start > at_risk.end:
        return None
    start, end = selection.period(dataset)
    members = at_risk.rows["n"].to_numpy(float)
    events, days = [], []
    for month in range(month_number(start), month_number(end) + 1):
        first, last = month_days(month)
        days.append(float((at_risk.days(max(first, at_risk.start), min(last, at_risk.end)) * members).sum()))
        events.append(int(amounts.get(month, 0)))
    return finite_or_none(float(poisson_dispersion(events, days).statistic))


def _differ(rows: tuple[ExposureRow, ...]) -> float | None:
    """P-value of one rate for all entity types; those that expect less than one incident are taken together."""
    rated = [(row.events or 0, row.member_years) for row in rows if row.member_years]
    events, years = (
        (np.array(column, float) for column in zip(*rated, strict=True)) if rated else (np.zeros(0),) * 2
    )
    if not years.sum():
        return None
    expected = years * events.sum() / years.sum()
    few = expected < 1
    pooled = [np.append(values[~few], values[few].sum()) for values in (events, years)]
    return poisson_dispersion(*pooled).p()


def _sentence(rows: tuple[ExposureRow, ...], n: int, caveats: tuple[str, ...], differs: float | None) -> str:
    if not n:
        return "No incidents match these filters."
    rated = [row for row in rows if row.rate is not None and (row.events or 0) >= FEW_EVENTS]
    if not rated:
        unknown = {"exposure_by_member", "exposure_unknown"} & set(caveats)
        why = "no rate per member can be given" if unknown else "too few for a rate"
        return f"{wording.counted(n, 'incident')}: by entity type {why}."
    first = rated[0]
    bounds = ""
    if first.interval:
        low, high = (wording.number(v * 1000, 1) for v in (first.interval.low, first.interval.high))
        bounds = f"; 95% interval {low} to {high}"
    said = (
        f"Highest rate: {first.label}, **{wording.number((first.rate or 0) * 1000, 1)} incidents per 1,000 members a year** "
        f"({wording.number(first.events or 0)} in {wording.number(first.member_years or 0)} member-years{bounds})."
    )
    if differs is None:
        return said
    more = "more" if differs < LEVEL else "no more"
    return f"{said} Entity types differ {more} than chance would make them ({wording.p_value(differs)})."
