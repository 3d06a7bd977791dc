"""Figures of the Maritime page: routes, terminals, seals, insiders, maritime entity types, post-incident analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import share_words
from analysis.figures.incident_words import (
    NOTHING_HERE,
    count_words,
    left_out_words,
    of_words_shown,
    said,
    share_picture,
    share_table,
    share_title,
    state_of_incidents,
)
from analysis.questions.incident_shares import FEWEST_RANKED
from analysis.questions.maritime import Analyses, Maritime, maritime
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

WHAT_COUNTS = "Maritime: at sea, or of a sea carrier, port authority or terminal operator, or consolidator"
FEWEST_DRAWN = 5
"""Incidents below which a route has no mark: it is in the table."""
ELSEWHERE = "Other figures of this page do not need it."


def routes(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Maritime incidents by where the route began."""
    return _breakdown("maritime.routes", "route_origin", dataset, selection, palette)


def terminals(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Maritime incidents by terminal."""
    return _breakdown("maritime.terminals", "terminal", dataset, selection, palette)


def seals(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """What was wrong with the seal in maritime incidents."""
    return _breakdown("maritime.seals", "seal_issue", dataset, selection, palette)


def conspiracy(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """How often insiders took part, by route origin."""
    figure_id, heading = "maritime.conspiracy", "Internal conspiracy"
    measure = "Maritime incidents in which insiders took part, by route origin"
    answer = asked(maritime, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = answer.breakdown("internal_conspiracy")
    if not rows or all(row.share is None for row in rows):
        fact = (
            "None of these incidents says whether insiders took part."
            if not rows
            else "Every count is too small to show."
        )
        return Figure(figure_id, heading, measure, state=State("too_small", fact, ELSEWHERE))
    whole = rows[0]
    few = whole.n is not None and whole.n < FEWEST_RANKED
    title = f"Insiders took part in {share_words(whole.share, whole.n)} of maritime incidents"
    if few or whole.share is None:
        title = f"Too few to rank: {wording.counted(whole.n, 'incident')}" if whole.n else heading
    drawn = [row for row in rows if row is whole or (row.n or 0) >= FEWEST_DRAWN]
    left = sum(row.n is not None and row.n < FEWEST_DRAWN for row in rows[1:])
    ranked = [f"{row.label} {share_words(row.share, row.n)}" for row in drawn[1:3] if row.share is not None]
    first = f" First: {wording.listed(ranked)}." if ranked else ""
    alt = at_most(
        f"{wording.counted(len(drawn), 'row')} of incidents with insiders by route origin. {title}.{first}"
    )
    chart, html = share_picture(
        drawn,
        name="Route origin",
        title=title,
        axis="Insiders took part, % of incidents",
        alt=alt,
        palette=palette,
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: 95% intervals, not adjusted for the number of routes" if chart is not None else "",
            f"In the table only, for fewer than {FEWEST_DRAWN} incidents: {wording.counted(left, 'route')}"
            if left
            else "",
            WHAT_COUNTS,
            *said(answer.caveats, "small_numbers", "suppressed", "aggregated"),
            f"n = {wording.counted(whole.n, 'incident')}" if whole.n is not None else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        html=html,
        data=pd.DataFrame([row.to_dict() for row in rows]),
        table=share_table(rows, "Route origin"),
    )


def analyses(dataset: Dataset, selection: Selection) -> Figure:
    """Post-incident analyses: opened, closed, still open, and how long they take."""
    figure_id, heading = "maritime.analyses", "Post-incident analyses"
    answer = asked(maritime, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, heading, state=state)
    found = answer.analyses
    if found is None or not found.opened:
        fact = (
            "The dataset does not record post-incident analyses."
            if found is None
            else "No post-incident analysis was opened."
        )
        if found is not None and found.opened is None:
            fact = "The number of analyses is too small to show."
        return Figure(figure_id, heading, state=State("too_small", fact, ELSEWHERE))
    title = _analyses_title(found)
    table = _analyses_table(found)
    low, high = (wording.amount(day, "days") for day in found.middle_half)
    return Figure(
        id=figure_id,
        title=title,
        measure="Post-incident analyses of maritime incidents, by the year in which they were opened",
        caption=caption(
            f"Days to close: median {wording.amount(found.median_days, 'days')}, middle half {low}{wording.EN_DASH}{high} "
            "(Kaplan–Meier: an open one counts as still waiting)" if found.median_days is not None
            else "Fewer than half are closed, or too few to show: no median of days to close",
            "As published, the Maritime Security Unit had started about 70 analyses and information requests by the end of 2020 "
            "(program deck, 16 Jun 2021)" if dataset.synthetic else "",
            *said(answer.caveats, "suppressed"),
            f"n = {wording.counted(found.opened, 'analysis', 'analyses')} of {wording.counted(answer.n or 0, 'maritime incident')}",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of post-incident analyses opened and closed by year. {title}."),
        html=plain_table(table, caption=title, total=True),
        data=pd.DataFrame([found.to_dict() | {"by_year": None}]) if not found.by_year
        else pd.DataFrame(found.to_dict()["by_year"]).assign(median_days_to_close=found.median_days),
        table=table,
    )  # fmt: skip


def _state(answer: Maritime, dataset: Dataset, selection: Selection) -> State | None:
    if state := state_of_incidents(answer.of, dataset, selection):
        return state
    return None if answer.n else State("too_small", answer.sentence.replace("**", ""), NOTHING_HERE)


def _breakdown(
    figure_id: str, column: str, dataset: Dataset, selection: Selection, palette: PaletteName
) -> Figure:
    """Maritime incidents by the values of one column."""
    name = LABELS[column]
    measure = f"{name}, share of maritime incidents"
    answer = asked(maritime, dataset, selection)
    if state := _state(answer, dataset, selection):
        return Figure(figure_id, name, measure, state=state)
    rows = answer.breakdown(column)
    if not sum(row.count or 0 for row in rows):
        hidden = "suppressed" in answer.caveats and rows
        fact = (
            "Every count is too small to show."
            if hidden
            else f"None of these incidents records its {name.lower()}."
        )
        return Figure(figure_id, name, measure, state=State("too_small", fact, ELSEWHERE))
    first, title = rows[0], share_title(rows, name)
    alt = at_most(
        f"{len(rows)} rows of maritime incidents by {name.lower()}. {title}. First: {first.label}, {of_words_shown(first.count, first.n)}."
    )
    chart, html = share_picture(
        rows, name=name, title=title, axis="Share of maritime incidents, %", alt=alt, palette=palette
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: Goodman's simultaneous 95% intervals" if chart is not None else "",
            WHAT_COUNTS,
            *said(answer.caveats, "small_numbers", "suppressed", "aggregated"),
            f"n = {wording.counted(first.n, 'incident')}" if first.n is not None else "",
            left_out_words(answer.n, first.n),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        html=html,
        data=pd.DataFrame([row.to_dict() for row in rows]),
        table=share_table(rows, name),
    )


def _analyses_title(found: Analyses) -> str:
    if found.open is None:
        return (
            f"{wording.counted(found.opened or 0, 'post-incident analysis', 'post-incident analyses')} opened"
        )
    text = f"{wording.number(found.open)} of {wording.counted(found.opened or 0, 'post-incident analysis', 'post-incident analyses')} {'is' if found.open == 1 else 'are'} open"
    if found.median_days is not None:
        text += f"; half close within {wording.amount(found.median_days, 'days')} days"
    return text


def _analyses_table(found: Analyses) -> pd.DataFrame:
    def line(name: str, opened: int | None, closed: int | None) -> dict[str, str]:
        still = None if opened is None or closed is None else opened - closed
        return {
            "Opened in": name,
            "Opened": count_words(opened),
            "Closed since": count_words(closed),
            "Still open": count_words(still),
        }

    years = [line(str(year), opened, closed) for year, opened, closed in found.by_year]
    return pd.DataFrame([*years, line("All", found.opened, found.closed)])
