"""Figures of the Incidents page: incidents over time by transport mode, and as a series with control limits."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.event_series import event_series
from analysis.charts.figure import Figure, KeyEntry, Role, State
from analysis.charts.months import Annotation
from analysis.charts.stacked_columns import PARTS, stacked_columns
from analysis.charts.theme import PaletteName
from analysis.counts import available
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.figures.incident_words import NOTHING_HERE, count_words, said, state_of_incidents
from analysis.figures.overview import turning_points
from analysis.questions.incident_records import IncidentSeries, PeriodRow, Point
from analysis.questions.incident_series import incident_series, incidents_over_time
from analysis.selection import month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

BASIS_WORDS = {"month": "month", "fiscal_year": "fiscal year", "calendar_year": "calendar year"}
_ROLES: tuple[Role, ...] = ("part_1", "part_2", "part_3", "part_4", "part_5", "part_6")


def over_time(
    dataset: Dataset, selection: Selection, *, basis: str = "month", palette: PaletteName = "light"
) -> Figure:
    """Incidents per month, fiscal or calendar year, stacked by transport mode."""
    figure_id, heading = "incidents.over_time", "Incidents over time"
    answer = asked(incidents_over_time, dataset, selection, basis)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, state=state)
    rows = [row for row in answer.rows if isinstance(row, PeriodRow)]
    sizes = {mode: 0 for row in rows for mode, _ in row.parts}
    for row in rows:
        for mode, count in row.parts:
            sizes[mode] += count or 0
    modes = sorted(sizes, key=lambda mode: -sizes[mode])
    # Where some parts may not be shown the others would not stack up: then only whole periods are drawn.
    split = not any(count is None for row in rows for _, count in row.parts)
    frame, parts = _split(rows, modes, dataset) if split else _unsplit(rows)
    if not frame["n"].fillna(0).any():
        return Figure(
            figure_id, heading, state=State("too_small", "Every count is too small to show.", NOTHING_HERE)
        )
    title = _busiest(rows)
    yearly = basis != "month"
    note = f" ({_fiscal_words(dataset)})" if basis == "fiscal_year" else ""
    measure = f"Incidents per {BASIS_WORDS[basis]}{note}{', by transport mode' if split else ''}"
    alt = at_most(f"Columns of {measure[0].lower()}{measure[1:]}. {title}. Largest part: {parts[0].lower()}.")
    chart = stacked_columns(
        frame,
        parts=parts,
        alt_text=alt,
        ticks={row.start: row.label.split(":")[0] for row in rows} if yearly else None,
        annotations=_turning_points(dataset) if not yearly else (),
        palette=palette,
    )
    partly = [row.label.split(":")[0] for row in rows if not row.whole]
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            *said(answer.caveats, "suppressed"),
            f"Covered in part, drawn as wide as it is: {wording.listed(partly)}" if yearly and partly else "",
            _n(answer.n, answer.unlinked),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=tuple(KeyEntry(role, part) for role, part in zip(_ROLES, parts, strict=False)),
        data=answer.to_frame(),
        table=_period_table(rows, modes, dataset, basis),
    )


def _split(rows: list[PeriodRow], modes: list[str], dataset: Dataset) -> tuple[pd.DataFrame, list[str]]:
    """One part a transport mode; more modes than greys can tell apart share the last one."""
    parts = [dataset.label("transport_mode", mode) for mode in modes[: len(PARTS)]]
    frame = pd.DataFrame(
        [
            {"start": row.start, "end": row.start + row.months, "period": row.label,
             "part": parts[min(modes.index(mode), len(parts) - 1)], "n": count}
            for row in rows
            for mode, count in row.parts
        ]
    )  # fmt: skip
    return frame.groupby(["start", "end", "period", "part"], sort=False, as_index=False)["n"].sum(), parts


def _unsplit(rows: list[PeriodRow]) -> tuple[pd.DataFrame, list[str]]:
    part = "All transport modes"
    columns = [
        {"start": row.start, "end": row.start + row.months, "period": row.label, "part": part, "n": row.count}
        for row in rows
    ]
    return pd.DataFrame(columns), [part]


def limits(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Incidents per month, or the days between them, with control limits."""
    figure_id, heading = "incidents.limits", "Incidents with control limits"
    answer = asked(incident_series, dataset, selection)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, state=state)
    if "single_incidents" in answer.caveats or not any(point.value is not None for point in answer.points):
        why = said(answer.caveats, "single_incidents") or ["Fewer than two incidents have a known day."]
        return Figure(figure_id, heading, state=State("too_small", why[0], NOTHING_HERE))
    gaps = answer.kind == "gaps"
    points = answer.points
    frame = _placed_points(points, gaps=gaps)
    title = (
        _outside(points, gaps=gaps)
        if "suppressed" not in answer.caveats
        else "Incidents per month, small counts hidden"
    )
    measure = "Days since the incident before" if gaps else "Incidents per month"
    if any(point.high is not None for point in points):
        measure += ", with control limits"
    provisional = "few_periods" in answer.caveats
    alt = at_most(
        f"Line of {len(points)} {'waits between incidents' if gaps else 'months'} with their limits. {title}."
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            *_method(answer),
            f"Provisional: limits rest on {len(points)} points, fewer than 20" if provisional else "",
            *said(answer.caveats, "months_left_out", "suppressed", "no_variation", "too_few_periods"),
            _n(answer.n, None),
            when(dataset, selection),
        ),
        alt=alt,
        chart=event_series(frame, alt_text=alt, title="Days" if gaps else "", palette=palette),
        key=(KeyEntry("outside", "Outside limits"),) if any(point.outside for point in points) else (),
        data=answer.to_frame(),
        table=_point_table(points, gaps=gaps),
    )


def _method(answer: IncidentSeries) -> list[str]:
    if not any(point.high is not None for point in answer.points):
        return []
    if answer.kind == "gaps":
        rule = "Too rare to count by month: days between one incident and the next, with geometric limits (g-chart)"
    elif answer.widened:
        rule = (
            f"Neighbouring months differ {wording.number(answer.spread or 0, 1)} times as much as chance would make them, "
            "and the limits allow for it (Laney's u′-chart)"
        )
    else:
        rule = "Limits by Poisson chance (c-chart)"
    return [
        rule,
        "Ink line: what is expected; chance alone puts about 1 point in 370 outside",
        "A point outside is a reason to look",
    ]


def _outside(points: tuple[Point, ...], *, gaps: bool) -> str:
    beyond = [point for point in points if point.outside]
    unit = "wait between two incidents" if gaps else "month"
    if not any(point.high is not None for point in points):
        return f"{len(points)} {'waits' if gaps else 'months'} are too few for limits"
    if not beyond:
        return f"No {unit} lies outside its limits"
    if len(beyond) == 1 and not gaps:
        where = "above" if (beyond[0].value or 0) > (beyond[0].high or 0) else "below"
        return f"{wording.month(month_start(beyond[0].month))} lies {where} its limit"
    many = "waits between incidents" if gaps else "months"
    return f"{len(beyond)} of {len(points)} {many} {'lies' if len(beyond) == 1 else 'lie'} outside the limits"


def _placed_points(points: tuple[Point, ...], *, gaps: bool) -> pd.DataFrame:
    """Months one after another; waits at the incident that ended them, spread over its month."""
    months = pd.Series([point.month for point in points])
    within = months.groupby(months).cumcount()
    size = months.map(months.value_counts())
    at = months + ((within + 0.5) / size if gaps else 0.5)
    starts = at.shift(1).fillna(float(months.iloc[0])) if gaps else months.astype(float)
    rows = []
    for i, point in enumerate(points):
        name = wording.month(month_start(point.month))
        value = count_words(None if point.value is None else round(point.value))
        rows.append(
            {
                "at": float(at.iloc[i]), "from": float(starts.iloc[i]), "to": float(at.iloc[i]) if gaps else point.month + 1.0,
                "value": point.value, "expected": point.expected, "low": point.low, "high": point.high,
                "outside": point.outside, "name": name, "words": f"{value} {'days' if gaps else 'incidents'}",
                "limits": _limits(point),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype({"value": float, "expected": float, "low": float, "high": float})


def _limits(point: Point) -> str:
    if point.low is None or point.high is None:
        return wording.NOT_ESTIMABLE
    return f"{wording.number(point.low)} to {wording.number(point.high)}"


def _point_table(points: tuple[Point, ...], *, gaps: bool) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Month": wording.month(month_start(point.month)),
                "Days since the one before" if gaps else "Incidents": count_words(None if point.value is None else round(point.value)),
                "Expected": wording.NOT_ESTIMABLE if point.expected is None else wording.number(point.expected, 1),
                "Limits": _limits(point),
                "Outside": "Outside limits" if point.outside else "",
            }
            for point in points
        ]
    )  # fmt: skip


def _period_table(rows: list[PeriodRow], modes: list[str], dataset: Dataset, basis: str) -> pd.DataFrame:
    out = []
    for row in rows:
        found = dict(row.parts)
        cells = {BASIS_WORDS[basis].capitalize(): row.label, "All": count_words(row.count)}
        cells |= {dataset.label("transport_mode", mode): count_words(found[mode]) for mode in modes}
        if basis != "month":
            cells["Months covered"] = f"{row.months} of {row.of}"
        out.append(cells)
    return pd.DataFrame(out)


def _busiest(rows: list[PeriodRow]) -> str:
    known = [row for row in rows if row.count is not None]
    whole = [row for row in known if row.whole] or known
    if not whole:
        return "Incidents over time"
    most = max(whole, key=lambda row: row.count or 0)
    unit = "month" if most.basis == "month" else "whole year" if most.whole else "year"
    return f"Most incidents in one {unit}: {wording.number(most.count or 0)} in {most.label.split(':')[0]}"


def _fiscal_words(dataset: Dataset) -> str:
    first = dt.date(2000, dataset.fiscal_year_start_month, 1)
    return f"{first:%B}{wording.EN_DASH}{first - dt.timedelta(days=1):%B}"


def _turning_points(dataset: Dataset) -> list[Annotation]:
    return turning_points(dataset) if available(dataset, "validations") else []


def _n(n: int | None, unlinked: int | None) -> str:
    text = f"n = {wording.counted(n or 0, 'incident')}" if n is not None else ""
    return f"{text}, of which {wording.number(unlinked)} name no member" if text and unlinked else text
