"""The criteria that are deficient most often, with what chance alone would do to their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, KeyEntry
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    state_of_dataset,
    state_of_deficiencies,
    state_suppressed,
    state_without_rates,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import (
    LEVEL_KEY,
    count_words,
    of_words,
    placed,
    share_words,
    with_interval,
)
from analysis.questions.deficiency_criteria import TOP, Order, deficiencies_by_criterion, ordered
from analysis.questions.deficiency_records import CriterionRow, level_label

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

SHOWN = 12
FIRM = 0.95


def criteria(
    dataset: Dataset, selection: Selection, *, order: Order = "rate", palette: PaletteName = "light"
) -> Figure:
    """The criteria that are deficient most often, by rate or by count."""
    figure_id, heading = "msc_deficiencies.criteria", "Criteria deficient most often"
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, state=state)
    answer = asked(deficiencies_by_criterion, dataset, selection)
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, state=state)
    rows = ordered([row for row in answer.rows if isinstance(row, CriterionRow)], order)
    rated = state_without_rates(dataset) is None
    shown = [row for row in rows if row.count][:SHOWN]
    if not shown:
        return Figure(figure_id, heading, state=state_suppressed())
    frame = pd.DataFrame([_criterion(row, answer.total, rated=rated) for row in shown])
    title = _criteria_title(rows)
    what = (
        "rate with 95% interval, and count"
        if rated
        else "share of all deficiencies, with simultaneous 95% intervals"
    )
    measure = (
        f"{len(shown)} most {'frequent' if order == 'rate' else 'numerous'} of {len(rows)} criteria: {what}"
    )
    alt = at_most(
        f"{len(shown)} rows of criteria. Highest: {frame['label'].iloc[0]} with {frame['words'].iloc[0]}. {title}."
    )
    chart = interval_rows(
        frame, alt_text=alt, title="Deficient, % of those assessed" if rated else "Share of deficiencies, %",
        tooltip={"words": "Rate" if rated else "Share", "result": "Deficient", "place": "Rank"}, palette=palette,
    )  # fmt: skip
    marks = "Filled square: Must; open square: Should" if dataset.catalogue_has_levels else ""
    denominator = (
        "A criterion that does not apply, was not assessed or could not be verified is not in its denominator"
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            marks,
            f"Sorted by {'rate' if order == 'rate' and rated else 'count'}; all criteria {'and their rank ranges ' if rated else ''}are in the table",
            f"Firmly: in the first {TOP} with at least {FIRM:.0%} probability, rates shrunken towards their mean"
            if rated
            else "",
            denominator if rated else "",
            *[reasons.words(code) for code in answer.caveats],
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n is not None else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=_key(set(frame["arm"])) if dataset.catalogue_has_levels else (),
        data=answer.to_frame(),
        table=_criteria_table(rows, dataset, rated=rated),
    )


def _criterion(row: CriterionRow, total: int | None, *, rated: bool) -> dict[str, object]:
    value, bounds, below = (
        (row.rate, row.interval, row.n) if rated else (row.share, row.share_interval, total)
    )
    result, words = of_words(row.count, below), with_interval(value, bounds, below)
    return {
        "label": row.label,
        "arm": row.level if row.level in ("must", "should") else "other",
        **placed(value, bounds),
        "result": result,
        "strong_result": True,
        "words": words,
        "place": _place(row),
        "description": f"{row.label}: {words}, {result}",
    }


def _key(arms: set[str]) -> tuple[KeyEntry, ...]:
    return (
        (*LEVEL_KEY, KeyEntry("other", "Must for some, Should for others")) if "other" in arms else LEVEL_KEY
    )


def _place(row: CriterionRow) -> str:
    if row.rank is None:
        return wording.NOT_ESTIMABLE
    low, high = row.rank.low, row.rank.high
    return f"{low}" if low == high else f"{low}{wording.EN_DASH}{high}"


def _criteria_title(rows: list[CriterionRow]) -> str:
    ranked = [row for row in rows if row.rank]
    firm = [row for row in ranked if row.rank and row.rank.in_top_ten >= FIRM]
    if len(ranked) <= TOP:
        return f"Recorded most often: {max(rows, key=lambda row: row.count or 0).label}"
    if not firm:
        return f"No criterion is firmly among the first {TOP} of {len(ranked)}"
    verb = "criterion is" if len(firm) == 1 else "criteria are"
    return f"{len(firm)} {verb} firmly among the first {TOP} of {len(ranked)}"


def _criteria_table(rows: list[CriterionRow], dataset: Dataset, *, rated: bool) -> pd.DataFrame:
    out = []
    for row in rows:
        cells = {"Criterion": row.label}
        if dataset.catalogue_has_levels:
            cells["Must or Should"] = level_label(dataset, row.level)
        cells["Deficient"] = count_words(row.count)
        cells["Share of all"] = share_words(row.share)
        if rated:
            cells["Assessed"] = count_words(row.n)
            cells["Rate (95% interval)"] = with_interval(row.rate, row.interval, row.n)
            cells["Shrunken rate"] = with_interval(row.shrunken, row.shrunken_interval)
            of = f", first {TOP}: {wording.percent(row.rank.in_top_ten, 1)}" if row.rank else ""
            cells["Rank range"] = f"{_place(row)}{of}"
        out.append(cells)
    return pd.DataFrame(out)
