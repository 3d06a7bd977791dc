"""Incidents in time: by month, fiscal or calendar year, and as a series with control limits."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis import wording
from analysis.counts import counts
from analysis.questions.incident_records import Incidents, IncidentSeries, PeriodRow, Point
from analysis.questions.incident_shares import caveats_of, population
from analysis.results import finite_or_none
from analysis.selection import EPOCH, Selection, month_number, month_start
from analysis.stats.event_charts import EventChart, count_chart, gap_chart

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset

BASES = ("month", "fiscal_year", "calendar_year")
RARE_BELOW = 3.0
"""Incidents a month below which days between incidents say more than counts."""


def incidents_over_time(
    dataset: Dataset, selection: Selection = Selection(), basis: str = "month"
) -> Incidents:
    """Incidents per month, fiscal or calendar year, with their transport modes; periods without any are rows too.

    Parameters
    ----------
    dataset : Dataset
    selection : Selection
    basis : {"month", "fiscal_year", "calendar_year"}
        A fiscal year is named by the calendar year it ends in.
    """
    who = population(dataset, selection)
    counted = counts(dataset, "incidents", ["month", "transport_mode"], selection)
    months = _months(dataset, selection, counted)
    modes = [m for m in dataset.vocabulary("transport_mode") if m in set(counted["transport_mode"])]
    shift = (13 - dataset.fiscal_year_start_month) % 12 if basis == "fiscal_year" else 0
    of = 1 if basis == "month" else 12
    by_period = counted.assign(period=(counted["month"] + shift) // of)
    amounts = by_period.groupby(["period", "transport_mode"])["n"].sum()
    rows = []
    for period in dict.fromkeys((month + shift) // of for month in months):
        covered = [month for month in months if (month + shift) // of == period]
        parts = tuple((mode, int(amounts.get((period, mode), 0))) for mode in modes)
        count = sum(n for _, n in parts)
        name, label = _named(int(period), basis, dataset.fiscal_year_start_month)
        rows.append(
            PeriodRow(
                basis,
                name,
                label,
                covered[0],
                len(covered),
                of,
                count,
                who.n,
                count / who.n if who.n else None,
                parts,
            )
        )
    answer = Incidents(basis, tuple(rows), who.n, who.n, who.unlinked, "", caveats_of(who, selection))
    return Incidents(basis, answer.rows, who.n, who.n, who.unlinked, _sentence(rows, who.n), answer.caveats)


def incident_series(dataset: Dataset, selection: Selection = Selection()) -> IncidentSeries:
    """Incidents per month with control limits; where they are rare, the days between one and the next.

    Months that the selection covers in part count as that part of a month. Rows that stand for many incidents are
    never rare: their limits allow for the variation between months.
    """
    who = population(dataset, selection)
    caveats = caveats_of(who, selection)
    counted = counts(dataset, "incidents", ["month"], selection)
    months = _months(dataset, selection, counted)
    if not who.n or not months:
        return IncidentSeries("counts", (), who.n, None, False, caveats)
    if who.n / len(months) < RARE_BELOW and not who.aggregated:
        return _gaps(dataset, selection, who.n, caveats)
    amounts = dict(zip(counted["month"], counted["n"], strict=True))
    chart = count_chart(
        [int(amounts.get(month, 0)) for month in months], [_covered(month, selection) for month in months]
    )
    return _series("counts", months, chart, who.n, tuple(c for c in caveats if c != "aggregated"))


def month_days(month: int) -> tuple[int, int]:
    """First and last day of a month key, in days since 1970."""
    first = month_start(month)
    return (first - EPOCH).days, (first - EPOCH).days + monthrange(first.year, first.month)[1] - 1


def _gaps(dataset: Dataset, selection: Selection, n: int, caveats: tuple[str, ...]) -> IncidentSeries:
    rows = counts(dataset, "incidents", ["day", "month", "month_only"], selection, via="rows")
    exact = rows[rows["month_only"] == 0]
    if len(exact) < len(rows):
        caveats += ("months_left_out",)
    each = exact.loc[exact.index.repeat(exact["n"])]
    days = each["day"].to_numpy(np.int64)
    return _series("gaps", [int(m) for m in each["month"]][1:], gap_chart(np.diff(days)), n, caveats)


def _series(
    kind: str, months: list[int], chart: EventChart, n: int, caveats: tuple[str, ...]
) -> IncidentSeries:
    points = tuple(
        Point(
            month, float(chart.value[i]), finite_or_none(float(chart.centre[i])),
            finite_or_none(float(chart.low[i])), finite_or_none(float(chart.high[i])), bool(chart.outside[i]),
        )
        for i, month in enumerate(months)
    )  # fmt: skip
    return IncidentSeries(kind, points, n, chart.spread, chart.widened, (*caveats, *chart.reasons))


def _months(dataset: Dataset, selection: Selection, counted: pd.DataFrame) -> list[int]:
    """Months of the selection within the data, whether or not anything happened in them."""
    start, end = selection.period(dataset)
    if start > end:
        return []
    # The period of a dataset is that of its validations: incidents may lie outside of it.
    seen = [int(month) for month in counted["month"]]
    first = min([month_number(start), *seen]) if selection.start is None else month_number(start)
    last = max([month_number(end), *seen]) if selection.end is None else month_number(end)
    return list(range(first, last + 1))


def _covered(month: int, selection: Selection) -> float:
    """The part of a month that the selection covers."""
    first, last = month_days(month)
    start = max(first, (selection.start - EPOCH).days) if selection.start else first
    end = min(last, (selection.end - EPOCH).days) if selection.end else last
    return (end - start + 1) / (last - first + 1)


def _named(period: int, basis: str, fiscal_start: int) -> tuple[str, str]:
    """A period's name in data and as people read it."""
    if basis == "month":
        first = month_start(period)
        return first.isoformat()[:7], wording.month(first)
    if basis == "fiscal_year":
        first = dt.date(period - (fiscal_start > 1), fiscal_start, 1)
        last = month_start(month_number(first) + 11)
        return str(
            period
        ), f"FY{period % 100:02d}: {wording.month(first)} {wording.EN_DASH} {wording.month(last)}"
    return str(period), str(period)


def _sentence(rows: list[PeriodRow], n: int) -> str:
    if not n:
        return "No incidents match these filters."
    whole = [row for row in rows if row.whole] or rows
    most = max(whole, key=lambda row: row.count or 0)
    unit = "month" if most.basis == "month" else "whole year" if most.whole else "year"
    return (
        f"Most incidents in one {unit}: **{wording.number(most.count or 0)}** in {most.label.split(':')[0]}, of {wording.number(n)} in "
        f"{wording.counted(len(rows), 'month' if most.basis == 'month' else 'year')}."
    )
