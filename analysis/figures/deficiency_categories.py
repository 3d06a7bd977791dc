"""Deficiencies by category: shares beside the published table, and rates among those assessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, bar, bar_key, drawn_table
from analysis.charts.figure import Figure
from analysis.charts.intervals import interval_rows
from analysis.charts.tables import plain_table
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
from analysis.questions.deficiency_categories import deficiencies_by_category
from analysis.questions.deficiency_records import CategoryRow, LevelRow
from analysis.results import Interval

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def categories(dataset: Dataset, selection: Selection) -> Figure:
    """Deficiencies by category as shares of all, beside the program's published table."""
    figure_id, heading = "msc_deficiencies.categories", "Deficiencies by category"
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, state=state)
    answer = asked(deficiencies_by_category, dataset, selection, rates=False)
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, state=state)
    rows = _categories(answer.rows)
    published = all(row.published is not None for row in rows)
    hidden = any(row.count is None for row in rows)
    title = _categories_title(rows, published=published)
    beside = ", beside the published table" if published else ""
    measure = f"Deficiencies by category: share of all deficiencies{beside}"
    first = max(rows, key=lambda row: row.count or 0)
    largest = "" if hidden else f"Largest: {first.label} with {share_words(first.share, answer.total)}. "
    alt = at_most(
        f"Table of {len(rows)} categories: count and share of all deficiencies{beside}. {largest}{title}."
    )
    levels = dataset.catalogue_has_levels
    table = pd.DataFrame(
        [_category_texts(row, answer.total, published=published, levels=levels) for row in rows]
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Share of all deficiencies with Goodman's simultaneous 95% intervals; not a rate",
            "Published: program deck, 16 Jun 2021; its period and number of validations are not given, so the "
            "difference carries no interval" if published else "",
            reasons.words("suppressed") if "suppressed" in answer.caveats else "",
            f"n = {wording.counted(answer.total, 'deficiency', 'deficiencies')} in {wording.counted(answer.n, 'validation')}"
            if answer.total is not None and answer.n is not None else "",
            when(dataset, selection),
        ),
        alt=alt,
        html=_share_table(rows, title, answer.total, published=published, levels=levels),
        data=answer.to_frame().drop(columns=["rate", "low", "high", "n"], errors="ignore"),
        table=table,
    )  # fmt: skip


def rates(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Deficient of those assessed, by category, Must and Should apart."""
    figure_id, heading = "msc_deficiencies.rates", "Deficiency rate by category"
    measure = "Deficient criteria, of those assessed, by category"
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(deficiencies_by_category, dataset, selection)
    if state := state_of_deficiencies(answer, dataset, selection):
        return Figure(figure_id, heading, measure, state=state)
    rows = sorted(_categories(answer.rows), key=lambda row: (row.rate is None, -(row.rate or 0)))
    told = [row for row in rows if row.rate is not None]
    if not told:
        return Figure(figure_id, heading, measure, state=state_suppressed())
    levels = dataset.catalogue_has_levels
    frame = pd.DataFrame([mark for row in rows for mark in _rate_marks(row, levels=levels)])
    table = pd.DataFrame([_rate_texts(row, levels=levels) for row in rows])
    first = rows[0]
    alone = ", which has one known criterion" if first.criteria == 1 and len(rows) > 1 else ""
    title = f"Highest in {first.label}{alone}: {share_words(first.rate)} of those assessed"
    alt = at_most(
        f"{len(rows)} rows of deficiency rates by category. {title}. Lowest: {told[-1].label} with {share_words(told[-1].rate)}."
    )
    drawn = frame.dropna(subset=["estimate", "low", "high"])
    unclustered = [reasons.words(code) for code in answer.caveats]
    chart = interval_rows(
        frame,
        alt_text=alt,
        title="Deficient, % of criteria assessed",
        tooltip={"words": "Rate", "counts": "Deficient"},
        palette=palette,
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=f"{measure}{', Must and Should apart' if levels else ''}",
        caption=caption(
            "At the right: both levels together, and deficiencies per criterion of the category. Lines: 95% intervals "
            "with errors clustered by specialist" if not drawn.empty else "",
            *unclustered,
            f"n = {wording.number(sum(row.n or 0 for row in told))} criteria assessed in {wording.counted(answer.n, 'validation')}"
            if len(told) == len(rows) and answer.n is not None else "",
            when(dataset, selection),
        ),
        alt=alt,
        key=LEVEL_KEY if levels and not drawn.empty else (),
        data=answer.to_frame(),
        table=table,
        # Without intervals there is nothing to draw: rates over several criteria need specialists.
        chart=None if drawn.empty else chart,
        html=plain_table(table, caption=title) if drawn.empty else None,
    )  # fmt: skip


def _categories(rows: tuple[object, ...]) -> list[CategoryRow]:
    return [cast(CategoryRow, row) for row in rows]


def _categories_title(rows: list[CategoryRow], *, published: bool) -> str:
    if any(row.count is None for row in rows) and not any(row.count for row in rows):
        return "Deficiencies by category"
    first = max(rows, key=lambda row: row.count or 0)
    title = f"{first.label} has the largest share"
    if not published:
        return title
    then = max(rows, key=lambda row: row.published or 0)
    return f"{title}, as in 2021" if then == first else f"{title}; in 2021 it was {then.label}"


def _share_table(
    rows: list[CategoryRow], title: str, total: int | None, *, published: bool, levels: bool
) -> str:
    most = (
        max([row.share or 0 for row in rows] + [row.published_share or 0 for row in rows if published]) * 1.08
    )
    heads = [
        Head("Category"),
        Head("Count", number=True),
        Head("Share", number=True),
        Head("", drawing=bar_key("these data", "published 2021" if published else "")),
    ]
    if published:
        heads += [
            Head("Published 2021", number=True, short="Published"),
            Head("Difference, points", number=True, short="Points"),
        ]
    lines = []
    for row in rows:
        texts = _category_texts(row, total, published=published, levels=levels)
        line = [
            Cell(texts["Category"]),
            Cell(texts["Count"], f"{_must(row)} Must" if levels else ""),
            Cell(share_words(row.share, total), _range(row.share_interval)),
            Cell(drawing=bar(row.share, most=most, tick=row.published_share if published else None)),
        ]
        if published:
            line += [
                Cell(share_words(row.published_share), wording.number(row.published or 0)),
                Cell(texts["Difference, points"]),
            ]
        lines.append(line)
    whole = [Cell("All categories"), Cell(count_words(total)), Cell("100%"), Cell()]
    if published:
        whole += [Cell("100%", wording.number(sum(row.published or 0 for row in rows))), Cell()]
    return drawn_table(heads, [*lines, whole], caption=title, total=True)


def _category_texts(row: CategoryRow, total: int | None, *, published: bool, levels: bool) -> dict[str, str]:
    out = {
        "Category": f"{row.number} {row.label}",
        "Count": count_words(row.count),
    }
    if levels:
        out["Of which Must"] = _must(row)
    out["Share (95% interval)"] = with_interval(row.share, row.share_interval, total)
    if published:
        gap = None if row.share is None else row.share - (row.published_share or 0)
        out["Published 2021"] = f"{wording.number(row.published or 0)} ({share_words(row.published_share)})"
        out["Difference, points"] = wording.NOT_ESTIMABLE if gap is None else wording.points(gap)
    if row.load is not None or row.count is None:
        out["Deficiencies per criterion"] = (
            wording.NOT_ESTIMABLE if row.load is None else wording.number(row.load, 1)
        )
    return out


def _must(row: CategoryRow) -> str:
    must = row.level("must")
    return count_words(must.count if must else None)


def _rate_marks(row: CategoryRow, *, levels: bool) -> list[dict[str, object]]:
    load = row.load or 0.0
    result = f"{share_words(row.rate)}, {wording.number(load, 0 if load >= 10 else 1)} per criterion"
    if row.rate is None:
        result = "not shown" if row.count is None else wording.NOT_ESTIMABLE
    parts: list[LevelRow | CategoryRow] = [part for part in row.levels if part.n] if levels else [row]
    out: list[dict[str, object]] = []
    for part in parts or [row]:
        name = part.level if isinstance(part, LevelRow) else "other"
        words = with_interval(part.rate, part.interval)
        counts = of_words(part.count, part.n)
        out.append(
            {
                "label": row.label, "arm": name, **placed(part.rate, part.interval),
                "result": result, "words": words, "counts": counts,
                "description": f"{row.label}{'' if name == 'other' else ', ' + name.capitalize()}: {words}, {counts}",
            }
        )  # fmt: skip
    return out


def _rate_texts(row: CategoryRow, *, levels: bool) -> dict[str, str]:
    out = {
        "Category": row.label,
        "Deficient of assessed": of_words(row.count, row.n),
        "Rate (95% interval)": with_interval(row.rate, row.interval),
    }
    for part in row.levels if levels else ():
        out[part.level.capitalize()] = with_interval(part.rate, part.interval)
    out["Criteria"] = wording.number(row.criteria)
    out["Deficiencies per criterion"] = (
        wording.number(row.load, 1) if row.load is not None else wording.NOT_ESTIMABLE
    )
    return out


def _range(bounds: Interval | None) -> str:
    if bounds is None:
        return ""
    low, high = (wording.number(v * 100, 1) for v in (bounds.low, bounds.high))
    return f"{low}{wording.EN_DASH}{high}"
