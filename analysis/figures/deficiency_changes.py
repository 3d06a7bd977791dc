"""Figures of the MSC deficiencies page: categories over time, deficiencies found again, candidates with evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.sparkline import sparkline
from analysis.charts.tables import plain_table
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    empty_state,
    state_of_dataset,
    state_suppressed,
    state_without_rates,
    when,
)
from analysis.figures.comparison_words import at_most
from analysis.figures.deficiency_words import WIDEN, adjusted_p, of_words, placed, with_interval
from analysis.questions.candidates import FEWEST, LIKELY, Candidate, candidates
from analysis.questions.deficiency_criteria import TOP
from analysis.questions.deficiency_records import level_label
from analysis.questions.deficiency_trends import (
    FEWEST_QUARTERS,
    MIN_SEGMENT,
    RepeatRow,
    TrendRow,
    category_trends,
    repeat_findings,
)

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_SECOND = {
    "Criterion": "Level",
    "Rate": "Interval",
    "Rank": "Among the first",
    "Direction": "False-discovery rate",
}
_DIRECTIONS = {"rising": "Rising", "falling": "Falling", "no_trend": "No trend"}


def trends(dataset: Dataset, selection: Selection) -> Figure:
    """Every category by quarter, with its change of level if it has one."""
    figure_id, heading = "msc_deficiencies.trends", "Categories over time"
    if state := state_of_dataset(dataset):
        return Figure(figure_id, heading, state=state)
    answer = asked(category_trends, dataset, selection)
    if "clean_validations_unknown" in answer.caveats:
        why = State(
            "too_small", reasons.words("clean_validations_unknown"), "Counts and shares do not need it."
        )
        return Figure(figure_id, heading, state=why)
    if "suppressed" in answer.caveats and (not answer.n or all(row.overall is None for row in answer.rows)):
        return Figure(figure_id, heading, state=state_suppressed())
    if not answer.n:
        return Figure(figure_id, heading, state=empty_state(dataset, selection))
    rated = answer.measure == "rate"
    measure = (
        "Deficient criteria, of those assessed, by quarter"
        if rated
        else "Validations with a deficiency in the category, by quarter"
    )
    title = _trends_title(answer.rows)
    texts = [_trend_texts(row) for row in answer.rows]
    heads = [
        Head("Category"),
        Head("Overall", number=True),
        Head("By quarter"),
        Head("Change of level"),
        Head("p, Holm", number=True),
    ]
    lines = [
        [
            Cell(t["Category"]), Cell(t["Overall"]), Cell(drawing=sparkline(row.values, width=220)),
            Cell(t["Change of level"], strong=row.changed), Cell(t["p, Holm"]),
        ]
        for row, t in zip(answer.rows, texts, strict=True)
    ]  # fmt: skip
    short = any("too_few_periods" in row.reasons for row in answer.rows)
    first = answer.rows[0].quarters if answer.rows else ()
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            *[reasons.words(code) for code in answer.caveats],
            f"At most one change of level is sought, at least {MIN_SEGMENT} quarters from either end; p from reordering the "
            f"quarters, after Holm's correction for {len(answer.rows)} categories; bold where it holds"
            if not short else f"Fewer than {FEWEST_QUARTERS} quarters: a change of level is not sought",
            "A level can change with the members validated, the mix of modes and offices, or the criteria: this says when, not why",
            f"Lines: {len(first)} quarters, each on its own scale" if len(first) > 1 else "",
            f"n = {wording.counted(answer.n, 'validation')}",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(answer.rows)} categories with a line by quarter and its change of level. {title}."),
        html=drawn_table(heads, lines, caption=title),
        data=answer.to_frame(),
        table=pd.DataFrame(texts),
    )  # fmt: skip


def repeats(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Deficiencies found again, by the mode that found them within the mode that looked again."""
    figure_id, heading = "msc_deficiencies.repeats", "Repeat findings"
    measure = "Deficient again, of criteria deficient last time and assessed this time; by mode of the first and the second look"
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(repeat_findings, dataset, selection)
    if not answer.validations:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    rows = [row for row in answer.rows if row.n or row.n is None]
    if rows and all(row.n is None for row in rows):
        return Figure(figure_id, heading, measure, state=state_suppressed())
    if not rows:
        fact = "No member was validated again on a criterion it was deficient in."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", fact, "Pairs of validations need a longer period."),
        )
    frame = pd.DataFrame([_repeat(row, dataset) for row in rows])
    table = pd.DataFrame(
        [{"First found": dataset.label("mode", r.earlier), "Looked at again": dataset.label("mode", r.later),
          "Deficient again": of_words(r.count, r.n), "Rate": f["words"]}
         for r, f in zip(rows, frame.to_dict("records"), strict=True)]
    )  # fmt: skip
    y, n = answer.count, answer.of
    title = heading
    if y is not None and n:
        title = f"{of_words(y, n)} deficiencies were found again, {wording.percent(y / n, n)}"
    alt = at_most(f"{len(rows)} rows of repeat rates by earlier and later mode. {title}.")
    known = frame.dropna(subset=["estimate", "low", "high"])
    chart = interval_rows(
        frame,
        alt_text=alt,
        title="Deficient again, % of those assessed again",
        tooltip={"words": "Rate", "result": "Again"},
        palette=palette,
    )
    other = (
        f"{wording.counted(answer.other_pairs, 'pair')} with another mode on either side not shown"
        if answer.other_pairs
        else ""
    )
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Described, not judged: who is validated again, by which mode and how soon is no accident",
            "Lines: 95% intervals, errors clustered by specialist"
            if not known.empty
            else reasons.words("clusters_needed"),
            f"n = {wording.counted(answer.n, 'pair')} of consecutive validations of a member"
            if answer.n is not None
            else "",
            other,
            *[reasons.words(code) for code in answer.caveats],
            when(dataset, selection),
        ),
        alt=alt,
        data=answer.to_frame(),
        table=table,
        # Without intervals there is nothing to draw: repeat rates need specialists.
        chart=None if known.empty else chart,
        html=plain_table(table, caption=title) if known.empty else None,
    )


def candidates_table(dataset: Dataset, selection: Selection) -> Figure:
    """Criteria to look at for revision or outreach, each with its evidence in words."""
    figure_id, heading = "msc_deficiencies.candidates", "Candidates for revision or outreach"
    measure = "Criteria persistently high, rising or spread over offices: the evidence side by side, no score"
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(candidates, dataset, selection)
    if "suppressed" in answer.caveats and (not answer.n or not answer.rows):
        return Figure(figure_id, heading, measure, state=state_suppressed())
    if not answer.n:
        return Figure(figure_id, heading, measure, state=empty_state(dataset, selection))
    if not answer.rows or answer.pooled is None:
        fact = "No criterion stands out: none is likely among the first ten, and none is rising."
        return Figure(
            figure_id,
            heading,
            measure,
            state=State("too_small", fact, WIDEN),
        )
    table = pd.DataFrame([_candidate(row, dataset) for row in answer.rows])
    rising = sum(row.direction == "rising" for row in answer.rows)
    spread = sum(row.offices > 1 and row.offices_above == row.offices for row in answer.rows)
    several = any(row.offices > 1 for row in answer.rows)
    title = f"{wording.counted(len(answer.rows), 'criterion stands', 'criteria stand')} out: "
    title += f"{spread or 'none'} above the common rate in every office, " if several else ""
    title += f"{rising or 'none'} rising"
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Listed: more likely than not ({LIKELY:.0%}) among the first {TOP} by rate, or rising",
            f"Above: a rate over {wording.percent(answer.pooled)}, that of all criteria together; offices and years with "
            f"fewer than {FEWEST} validations that assessed it are not counted",
            f"Direction over quarters (Cochran–Armitage) at a false-discovery rate of 5% over {answer.tested} criteria; "
            "it can follow the mix of modes and members",
            *[reasons.words(code) for code in answer.caveats],
            f"n = {wording.counted(answer.n, 'validation')}",
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(answer.rows)} criteria with rate, rank range, direction, offices and years above. {title}."),
        html=plain_table(table, caption=title, numbers=["Rate"], second=_SECOND),
        data=answer.to_frame(),
        table=table,
    )  # fmt: skip


def _quarter(key: int) -> str:
    return f"Q{key % 4 + 1} {key // 4}"


def _trend_texts(row: TrendRow) -> dict[str, str]:
    change = "none found"
    if "suppressed" in row.reasons:
        change = "not shown"
    elif "too_few_periods" in row.reasons:
        change = "too few quarters"
    elif "no_variation" in row.reasons:
        change = "no deficiency" if row.overall == 0 else "no variation"
    elif row.changed and row.changed_in is not None:
        change = f"{_quarter(row.changed_in)}: {wording.amount(row.before, 'share')} to {wording.amount(row.after, 'share')}"
    return {
        "Category": row.label,
        "Overall": wording.amount(row.overall, "share"),
        "Change of level": change,
        "p, Holm": wording.NOT_ESTIMABLE if "suppressed" in row.reasons else adjusted_p(row.adjusted_p),
    }


def _trends_title(rows: tuple[TrendRow, ...]) -> str:
    if not rows or all("too_few_periods" in row.reasons for row in rows):
        return f"Too few quarters to seek a change of level; {FEWEST_QUARTERS} are needed"
    changed = [row for row in rows if row.changed and row.before is not None and row.after is not None]
    if not changed:
        return f"No category changed level beyond chance, of {len(rows)}"
    down = [row for row in changed if (row.after or 0) < (row.before or 0)]
    if len(changed) == 1:
        row = changed[0]
        assert row.changed_in is not None
        word = "fell" if down else "rose"
        return f"{row.label} {word} in {_quarter(row.changed_in)}, from {wording.amount(row.before, 'share')} to {wording.amount(row.after, 'share')}"
    parts = [f"{n} {word}" for n, word in ((len(down), "fell"), (len(changed) - len(down), "rose")) if n]
    return f"{len(changed)} of {len(rows)} categories changed level beyond chance: {wording.listed(parts)}"


def _repeat(row: RepeatRow, dataset: Dataset) -> dict[str, object]:
    earlier, later = (dataset.label("mode", mode).lower() for mode in (row.earlier, row.later))
    words = with_interval(row.rate, row.interval)
    label = f"{earlier[0].upper()}{earlier[1:]}, then {later}"
    result = of_words(row.count, row.n)
    return {
        "label": label, "arm": "other", **placed(row.rate, row.interval),
        "result": result, "strong_result": True, "words": words, "description": f"{label}: {words}, {result}",
    }  # fmt: skip


def _candidate(row: Candidate, dataset: Dataset) -> dict[str, str]:
    criterion = row.criterion
    rank = criterion.rank
    assert rank is not None
    place = f"{rank.low} of {rank.of}" if rank.low == rank.high else f"{rank.low} to {rank.high} of {rank.of}"
    top = "certain" if rank.in_top_ten >= 0.995 else wording.percent(rank.in_top_ten, 1)
    return {
        "Criterion": criterion.label,
        "Level": level_label(dataset, criterion.level) if dataset.catalogue_has_levels else "",
        "Rate": wording.amount(criterion.rate, "share"),
        "Interval": wording.interval(criterion.interval, "share"),
        "Rank": place,
        "Among the first": f"first {TOP}: {top}",
        "Direction": _DIRECTIONS[row.direction],
        "False-discovery rate": wording.p_value(row.q_value, "q"),
        "Offices above": f"{row.offices_above} of {row.offices}",
        "Fiscal years above": f"{row.years_above} of {row.years}",
    }
