"""Figures of the Incidents page: concealment by transport mode, causes, seal issues, contraband."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.heat_map import heat_map
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, when
from analysis.figures.comparison_words import at_most
from analysis.figures.incident_words import (
    NOTHING_HERE,
    OWN_LIST,
    count_words,
    left_out_words,
    of_words_shown,
    said,
    share_picture,
    share_table,
    share_title,
    state_of_column,
    state_of_incidents,
)
from analysis.questions.incident_records import IncidentGrid, Incidents, ShareRow
from analysis.questions.incident_shares import incident_grid, incidents_by_cause, incidents_by_value, spoken
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FEWEST_IN_COLUMN = 30


def concealment(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """How contraband was concealed, within each transport mode, as a heat map."""
    figure_id, heading = "incidents.concealment", "Concealment by transport mode"
    measure = "Share of each concealment method within a transport mode, %"
    answer = asked(incident_grid, dataset, "concealment_method", "transport_mode", selection)
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    if not answer.rows:
        fact = "None of these incidents records how it was concealed."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", fact, "Other figures of this page do not need it."),
        )
    frame = answer.to_frame()
    known = frame[(frame["n"] >= FEWEST_IN_COLUMN) & frame["share"].notna()]
    if known.empty:
        fact = f"Every transport mode has fewer than {FEWEST_IN_COLUMN} incidents."
        return Figure(figure_id, heading, measure, state=State("too_small", fact, NOTHING_HERE))
    top = known.loc[known["share"].astype(float).idxmax()]
    method, mode = (
        dataset.label("concealment_method", top["row"]),
        dataset.label("transport_mode", top["column"]),
    )
    title = f"“{method}” makes up {wording.percent(float(top['share']), int(top['n']))} of {mode.lower()} incidents"
    alt = at_most(f"Grid of {len(answer.rows)} concealment methods by transport mode. {title}.")
    cells = pd.DataFrame(
        [
            _cell(row, column, count, total, dataset)
            for row, line in zip(answer.rows, answer.counts, strict=True)
            for column, count, total in zip(answer.columns, line, answer.totals, strict=True)
        ]
    ).astype({"value": float})
    recorded = sum(total or 0 for total in answer.totals)
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Each column adds up to 100",
            f"·: fewer than {FEWEST_IN_COLUMN} incidents of that transport mode",
            OWN_LIST if dataset.synthetic else "",
            *said(answer.caveats, "suppressed"),
            f"n = {wording.counted(recorded, 'incident')}" if "suppressed" not in answer.caveats else "",
            left_out_words(answer.n, recorded) if "suppressed" not in answer.caveats else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=heat_map(
            cells,
            alt_text=alt,
            tooltip={"label": "Concealment", "column": "Transport mode", "said": "Incidents"},
            palette=palette,
        ),
        data=frame,
        table=_grid_table(answer, dataset),
    )


def causes(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Causes of the breach; an incident may have several."""
    answer = asked(incidents_by_cause, dataset, selection)
    several = "An incident can have several causes: shares add up to more than 100%"
    return _shares("incidents.causes", answer, dataset, selection, several, palette)


def seals(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """What was wrong with the seal."""
    answer = asked(incidents_by_value, dataset, "seal_issue", selection)
    return _shares("incidents.seals", answer, dataset, selection, "", palette)


def contraband(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """What was concealed."""
    answer = asked(incidents_by_value, dataset, "contraband", selection)
    return _shares("incidents.contraband", answer, dataset, selection, "", palette)


def _shares(
    figure_id: str, answer: Incidents, dataset: Dataset, selection: Selection, note: str, palette: PaletteName
) -> Figure:
    """Shares of incidents by the values of one column."""
    name = LABELS[answer.by]
    measure = f"{name}, share of incidents" + (" that record it" if answer.recorded != answer.n else "")
    if state := state_of_incidents(answer.n, dataset, selection):
        return Figure(figure_id, name, measure, state=state)
    rows = [row for row in answer.rows if isinstance(row, ShareRow)]
    if not rows or (answer.recorded == 0):
        return Figure(figure_id, name, measure, state=state_of_column(0, answer.sentence))
    title = share_title(rows, name)
    first = next((row for row in rows if row.count is not None), rows[0])
    alt = at_most(
        f"{len(rows)} rows of incidents by {name.lower()}. {title}. First: {spoken(first.label)}, {of_words_shown(first.count, first.n)}."
    )
    chart, html = share_picture(
        rows, name=name, title=title, axis="Share of incidents, %", alt=alt, palette=palette
    )
    lines = "95% intervals" if answer.by == "cause" else "Goodman's simultaneous 95% intervals"
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Lines: {lines}" if chart is not None else "",
            reasons.words("aggregated") if "aggregated" in answer.caveats else "",
            note,
            OWN_LIST if dataset.synthetic else "",
            *said(answer.caveats, "small_numbers", "suppressed"),
            f"n = {wording.counted(answer.recorded, 'incident')}" if answer.recorded is not None else "",
            left_out_words(answer.n, answer.recorded),
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        html=html,
        data=answer.to_frame(),
        table=share_table(rows, name),
    )


def _cell(row: str, column: str, count: int | None, n: int | None, dataset: Dataset) -> dict[str, object]:
    label, mode = dataset.label("concealment_method", row), dataset.label("transport_mode", column)
    told = of_words_shown(count, n)
    share = count / n if count is not None and n is not None and n >= FEWEST_IN_COLUMN else None
    return {
        "label": label,
        "column": mode,
        "value": share,
        "words": "·" if share is None else f"{share * 100:.0f}",
        "said": f"too few: {told}" if share is None else f"{wording.percent(share, n)}, {told}",
        "description": f"{label}, {mode}: {told}",
    }


def _grid_table(answer: IncidentGrid, dataset: Dataset) -> pd.DataFrame:
    out = []
    for row, line in zip(answer.rows, answer.counts, strict=True):
        cells = {"Concealment": dataset.label("concealment_method", row)}
        for column, count, total in zip(answer.columns, line, answer.totals, strict=True):
            share = f" ({wording.percent(count / total, total)})" if count is not None and total else ""
            cells[dataset.label("transport_mode", column)] = f"{count_words(count)}{share}"
        out.append(cells)
    whole = {"Concealment": "All"} | {
        dataset.label("transport_mode", column): count_words(total)
        for column, total in zip(answer.columns, answer.totals, strict=True)
    }
    return pd.DataFrame([*out, whole])
