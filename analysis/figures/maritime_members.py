"""Figures of the Maritime page: what sea carriers, port authorities and terminal operators, consolidators lack."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pandas as pd

from analysis import wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    empty_state,
    state_of_dataset,
    state_of_deficiencies,
    state_without_rates,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import of_words, placed, share_words, with_interval
from analysis.figures.incident_words import NOTHING_HERE, said, share_frame, share_table
from analysis.questions.deficiency_categories import deficiencies_by_category
from analysis.questions.deficiency_records import CategoryRow
from analysis.questions.maritime import maritime, maritime_selection

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def entity_types(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """How often validations of maritime entity types had a deficiency."""
    figure_id, heading = "maritime.entity_types", "Maritime entity types"
    event = "a Must deficiency" if dataset.catalogue_has_levels else "a deficiency"
    measure = f"Validations with {event}, by maritime entity type"
    answer = asked(maritime, dataset, selection)
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, measure, state=state)
    rows = answer.breakdown("entity_type")
    if not sum(row.n or 0 for row in rows):
        fact = "No validations of a sea carrier, port authority or terminal operator, or consolidator match these filters."
        return Figure(figure_id, heading, measure, state=State("empty", fact, NOTHING_HERE))
    if all(row.share is None for row in rows):
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", "Every count is too small to show.", NOTHING_HERE),
        )
    first = max(rows, key=lambda row: row.share or 0)
    title = f"{first.label}: {share_words(first.share, first.n)} of validations had {event}"
    alt = at_most(f"{len(rows)} rows of maritime entity types. {title}.")
    ordered = sorted(rows, key=lambda row: -(row.share or 0))
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: 95% intervals",
            "Here office, period and the other filters are those of the validation; the transport mode is not applied",
            *said(answer.caveats, "suppressed"),
            f"n = {wording.counted(sum(row.n or 0 for row in rows), 'validation')}",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            share_frame(ordered), alt_text=alt, title=f"Validations with {event}, %",
            tooltip={"words": "Share", "result": "Validations"}, palette=palette,
        ),
        data=pd.DataFrame([row.to_dict() for row in rows]),
        table=share_table(ordered, "Entity type").rename(columns={"Incidents": "Validations"}),
    )  # fmt: skip


def deficiencies(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """What maritime entity types are deficient in, by category."""
    figure_id, heading = "maritime.deficiencies", "Deficiencies of maritime entity types"
    measure = "Deficient criteria, of those assessed, at validations of maritime entity types"
    narrowed = maritime_selection(selection)
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    if narrowed is None:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    answer = asked(deficiencies_by_category, dataset, narrowed)
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = sorted((cast(CategoryRow, row) for row in answer.rows), key=lambda row: -(row.rate or 0))
    table = pd.DataFrame([_category_texts(row) for row in rows])
    first = rows[0]
    if first.rate is None:
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", "Every count is too small to show.", NOTHING_HERE),
        )
    title = f"Highest in {first.label}: {share_words(first.rate)} of those assessed"
    alt = at_most(f"{len(rows)} rows of deficiency rates of maritime entity types by category. {title}.")
    drawn = any(row.interval for row in rows)
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Lines: 95% intervals with errors clustered by specialist" if drawn else "",
            *said(answer.caveats, "clusters_needed", "suppressed"),
            "Sea carriers, port authorities and terminal operators, consolidators",
            f"n = {wording.counted(answer.n or 0, 'validation')}",
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            _category_frame(rows), alt_text=alt, title="Deficient, % of criteria assessed",
            tooltip={"words": "Rate", "result": "Deficient"}, palette=palette,
        ) if drawn else None,
        html=None if drawn else plain_table(table, caption=title),
        data=answer.to_frame(),
        table=table,
    )  # fmt: skip


def _category_frame(rows: list[CategoryRow]) -> pd.DataFrame:
    out = []
    for row in rows:
        said_words, result = with_interval(row.rate, row.interval), _deficient(row)
        out.append(
            {
                "label": row.label, "arm": "other", **placed(row.rate, row.interval), "result": result, "strong_result": True,
                "words": said_words, "description": f"{row.label}: {said_words}, {result}",
            }
        )  # fmt: skip
    return pd.DataFrame(out).astype({"estimate": float, "low": float, "high": float})


def _deficient(row: CategoryRow) -> str:
    return "not shown" if row.count is None else of_words(row.count, row.n)


def _category_texts(row: CategoryRow) -> dict[str, str]:
    return {
        "Category": row.label,
        "Deficient of assessed": _deficient(row),
        "Rate (95% interval)": with_interval(row.rate, row.interval),
    }
