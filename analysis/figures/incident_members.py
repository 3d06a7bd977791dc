"""Figures of the Incidents page about members: rates by entity type, and on how few of them incidents fall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import share_words
from analysis.figures.incident_words import (
    NOTHING_HERE,
    count_words,
    of_words_shown,
    said,
    state_of_incidents,
)
from analysis.questions.incident_concentration import concentration
from analysis.questions.incident_exposure import FEW_EVENTS, LEVEL, incidents_by_entity_type
from analysis.questions.incident_records import ConcentrationRow, ExposureRow
from analysis.reasons import words

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_SPELLS = {"exposure_by_member", "exposure_unknown"}


def rates(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Incidents per 1,000 members a year by entity type, against time at risk."""
    figure_id, heading = "incidents.rates", "Incidents by entity type"
    measure = "Incidents per 1,000 members a year, by entity type"
    answer = asked(incidents_by_entity_type, dataset, selection)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = [row for row in answer.rows if isinstance(row, ExposureRow)]
    if missing := _SPELLS & set(answer.caveats):
        why = words(missing.pop())
        later = (
            "What came after a validation is on the page Virtual vs in person."
            if "exposure_by_member" in answer.caveats
            else ""
        )
        return Figure(figure_id, heading, measure, state=State("too_small", why, later))
    spoken = [row for row in rows if row.rate is not None and (row.events or 0) >= FEW_EVENTS]
    if not spoken:
        fact = f"Every entity type has fewer than {FEW_EVENTS} incidents of members at risk."
        return Figure(figure_id, heading, measure, state=State("too_small", fact, NOTHING_HERE))
    first = spoken[0]
    differ = answer.p_value
    title = (
        f"Entity types differ {'more' if differ < LEVEL else 'no more'} than chance would make them ({wording.p_value(differ)})"
        if differ is not None
        else f"Highest rate: {first.label}, {_thousand(first.rate)}"
    )
    ordered = [*spoken, *[row for row in rows if row not in spoken]]
    alt = at_most(
        f"{len(rows)} rows of incident rates by entity type. Highest: {first.label}, {_thousand(first.rate)} per 1,000 members a year. {title}."
    )
    drawn = any(row.interval for row in spoken)
    table = _rate_table(ordered)
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: exact Poisson 95% intervals, not adjusted for the number of entity types" if drawn else "",
            f"Fewer than {FEW_EVENTS} incidents: counted, not drawn",
            f"Months vary {wording.number(answer.dispersion, 1)} times as much as chance would make them" if answer.dispersion is not None else "",
            *said(answer.caveats, "overdispersed", "aggregated", "entry_by_validation", "entry_unknown", "outside_time_at_risk", "suppressed"),
            "Time at risk: from certification to leaving, within the period",
            f"n = {wording.counted(answer.recorded, 'incident')} of members" if answer.recorded is not None else "",
            f"{wording.number(answer.unlinked)} that name no member are left out" if answer.unlinked else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            _rate_frame(ordered), alt_text=alt, title="Incidents per 1,000 members a year", unit="number",
            tooltip={"words": "Rate", "result": "Incidents"}, palette=palette,
        ) if drawn else None,
        html=None if drawn else plain_table(table, caption=title),
        data=answer.to_frame(),
        table=table,
    )  # fmt: skip


def concentrated(dataset: Dataset, selection: Selection) -> Figure:
    """On how few members, offices and terminals incidents fall; nobody is named."""
    figure_id, heading = "incidents.concentration", "Concentration"
    answer = asked(concentration, dataset, selection)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, state=state)
    rows = [row for row in answer.rows if isinstance(row, ConcentrationRow)]
    if not rows:
        fact = "These incidents name no member, and one field office only."
        return Figure(figure_id, heading, state=State("too_small", fact, NOTHING_HERE))
    title = (
        answer.sentence.replace("**", "").removesuffix(".") if "suppressed" not in answer.caveats else heading
    )
    texts = [_spread_texts(row) for row in rows]
    heads = [
        Head("Incidents fall on"),
        Head("With an incident", number=True),
        Head("Half fall on", number=True),
        Head("Two or more", number=True),
    ]
    repeats = any(row.unit == "member" for row in rows)
    lines = [
        [
            Cell(t["Unit"], t["Incidents"]),
            Cell(t["With an incident"], t["Expected with an incident"]),
            Cell(t["Half of incidents on"]),
            Cell(t["With two or more"], t["Expected with two or more"]),
        ]
        for t in texts
    ]
    if not repeats:
        heads, lines = heads[:3], [line[:3] for line in lines]
    return Figure(
        id=figure_id,
        title=title,
        measure="How few members, field offices and terminals incidents fall on",
        caption=caption(
            "By chance: if incidents fell on members in proportion to their time at risk" if any(r.expected_hit for r in rows) else "",
            "No member is named",
            *said(answer.caveats, "suppressed"),
            f"n = {wording.counted(answer.n or 0, 'incident')}",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of how incidents spread over {wording.listed([row.label.lower() for row in rows])}. {title}."),
        html=drawn_table(heads, lines, caption=title),
        data=answer.to_frame(),
        table=pd.DataFrame(texts),
    )  # fmt: skip


def _thousand(rate: float | None) -> str:
    return wording.NOT_ESTIMABLE if rate is None else wording.number(rate * 1000, 1)


def _rate_words(row: ExposureRow) -> str:
    if row.rate is None or row.interval is None:
        return _thousand(row.rate)
    return f"{_thousand(row.rate)} ({_thousand(row.interval.low)} to {_thousand(row.interval.high)})"


def _years(row: ExposureRow) -> str:
    if row.events is None or row.member_years is None:
        return "not shown"
    return f"{wording.number(row.events)} in {wording.number(row.member_years)} years"


def _rate_frame(rows: list[ExposureRow]) -> pd.DataFrame:
    out = []
    for row in rows:
        shown = row.rate is not None and row.interval is not None and (row.events or 0) >= FEW_EVENTS
        low, high = (row.interval.low, row.interval.high) if shown and row.interval else (None, None)
        out.append(
            {
                "label": row.label, "arm": "other", "result": _years(row), "strong_result": True, "words": _rate_words(row),
                "estimate": None if not shown or row.rate is None else row.rate * 1000,
                "low": None if low is None else low * 1000, "high": None if high is None else high * 1000,
                "description": f"{row.label}: {_rate_words(row)} per 1,000 members a year, {_years(row)}",
            }
        )  # fmt: skip
    return pd.DataFrame(out).astype({"estimate": float, "low": float, "high": float})


def _rate_table(rows: list[ExposureRow]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "Entity type": row.label,
                "Incidents": count_words(row.count),
                "While at risk": count_words(row.events),
                "Members": count_words(row.members),
                "Member-years": wording.NOT_ESTIMABLE
                if row.member_years is None
                else wording.number(row.member_years),
                "Per 1,000 members a year (95% interval)": _rate_words(row),
            }
            for row in rows
        ]
    )


def _spread_texts(row: ConcentrationRow) -> dict[str, str]:
    share = f" ({share_words(row.hit / row.units, row.units)})" if row.hit is not None and row.units else ""
    hit = f"by chance about {wording.number(row.expected_hit)}" if row.expected_hit is not None else ""
    again = (
        f"by chance about {wording.number(row.expected_repeat, 1)}" if row.expected_repeat is not None else ""
    )
    member = row.unit == "member"
    return {
        "Unit": row.label,
        "Incidents": wording.counted(row.incidents, "incident") if row.incidents is not None else "not shown",
        "With an incident": f"{of_words_shown(row.hit, row.units)}{share}",
        "Expected with an incident": hit,
        "Half of incidents on": count_words(row.half_on),
        "With two or more": count_words(row.repeat) if member else "",
        "Expected with two or more": again,
    }
