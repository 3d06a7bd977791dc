"""Where virtual and in person differ: by group, and by category."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import wording
from analysis.charts.axes import Unit
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.charts.verdict import VERDICTS
from analysis.figures.captions import caption, empty_state, state_of_comparison, when
from analysis.figures.comparison_words import (
    HEADLINE,
    adjustment,
    arm_counts,
    arm_key,
    arm_scale,
    arm_words,
    at_most,
    effect_words,
)
from analysis.questions.comparison import compare, compare_categories
from analysis.questions.sentences import scale_of
from analysis.results import Comparison
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def groups(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    by: str = "field_office",
    palette: PaletteName = "light",
) -> Figure:
    """Both arms in each group, with the adjusted difference."""
    answer = compare(dataset, metric, selection, by=by)
    name = LABELS[by].lower()
    figure_id, measure = "virtual_vs_in_person.groups", f"{answer.label}, by {name}, like for like"
    if state := state_of_comparison(answer, dataset, selection):
        return Figure(figure_id, f"By {name}", measure, state=state)
    shown = [g for g in answer.groups if any(arm.n for arm in g.arms.values())]
    ordered = sorted(shown, key=lambda g: _effect_of(g))
    frame = _arm_rows(ordered, [dataset.label(by, g.group[by]) for g in ordered])
    if frame.dropna(subset=["estimate", "low", "high"]).empty:
        fact = f"Too few validations of both modes in every {name} to compare."
        state = State("too_small", fact, "A wider period or fewer filters may help.")
        return Figure(figure_id, f"By {name}", measure, state=state)
    title = _groups_title(ordered, dataset, by)
    first = ordered[0]
    alt = at_most(
        f"{len(ordered)} rows of {answer.label.lower()} by {name}, both arms with intervals. {title}."
    )
    unit: Unit = "share" if answer.kind in ("proportion", "rate", "score", "survival") else "number"
    chart = interval_rows(
        frame, alt_text=alt, title=_arm_axis(answer), unit=unit, arms=dict(dataset.modes),
        tooltip={"words": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"{adjustment(answer)}. Marks: both arms with 95% intervals. At the right: their "
            f"{'ratio' if scale_of(first) == 'ratio' else 'difference in points'} with its interval; sorted by it",
            "Groups too small for a model are stratified by risk, kind of validation and location (Mantel–Haenszel) instead"
            if any("model_refused" in g.reasons for g in shown)
            else "",
            "Many groups, many looks: a single interval off zero is a reason to look, not a finding",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=arm_key(dataset),
        data=pd.concat([g.to_frame().assign(**g.group, verdict=g.verdict) for g in answer.groups]),
        table=_group_table(ordered, dataset, by),
    )


def categories(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Validations with a deficiency in each category, virtual against in person."""
    family = compare_categories(dataset, selection)
    figure_id, measure = (
        "virtual_vs_in_person.categories",
        "Validations with at least one deficiency in the category, like for like",
    )
    pairs = [
        (a, q)
        for a, q in zip(family.comparisons, family.adjusted_p, strict=True)
        if any(arm.n for arm in a.arms.values())
    ]
    if not pairs:
        return Figure(figure_id, "By category", measure, state=empty_state(dataset, selection))
    pairs.sort(key=lambda pair: _effect_of(pair[0]))
    ordered, adjusted = [a for a, _ in pairs], [q for _, q in pairs]
    differs = [q is not None and q < 0.05 and a.verdict != "not_comparable" for a, q in pairs]
    frame = _arm_rows(ordered, [a.label for a in ordered], differs, adjusted)
    names = [a.label for a, d in zip(ordered, differs, strict=True) if d]
    count = len(ordered)
    if all(a.verdict == "not_comparable" for a in ordered):
        title = "By category: the two modes cannot be compared like for like"
    elif names:
        verb = "differs" if len(names) == 1 else "differ"
        title = f"{len(names)} of {count} categories {verb}: {wording.listed(names[:4])}{'…' if len(names) > 4 else ''}"
    else:
        title = f"None of {count} categories differs after allowing for {count} looks"
    alt = at_most(
        f"{count} rows of validations with a deficiency by category, both arms with intervals. {title}."
    )
    chart = interval_rows(
        frame, alt_text=alt, title="Validations with a deficiency in the category, %", unit="share",
        arms=dict(dataset.modes), tooltip={"words": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    table = _group_table(ordered, dataset, "category")
    table["p, Holm"] = [wording.p_value(q).removeprefix("p ").removeprefix("= ") for q in adjusted]
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {count} categories. At the right: difference in points. "
            "Marks: both arms with 95% intervals",
            adjustment(ordered[0]),
            "A category can differ because fewer problems were there or fewer were seen",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=arm_key(dataset),
        data=family.to_frame(),
        table=table,
    )


def _arm_axis(answer: Comparison) -> str:
    unit = {"rate": "per 100 criteria", "duration": "hours" if answer.metric == "hours" else "days"}.get(
        answer.kind, "%"
    )
    return f"{answer.label}, {unit}" if unit != "per 100 criteria" else answer.label


def _effect_of(answer: Comparison) -> float:
    row = answer.answer
    if row is None or row.estimate is None:
        return float("inf")
    return row.estimate


def _arm_rows(
    answers: list[Comparison],
    labels: list[str],
    differs: list[bool] | None = None,
    adjusted: list[float | None] | None = None,
) -> pd.DataFrame:
    rows = []
    for i, (answer, label) in enumerate(zip(answers, labels, strict=True)):
        row, scale = answer.answer, scale_of(answer)
        if answer.verdict == "too_few" or row is None or row.interval is None:
            result = "too few"
        elif answer.verdict == "not_comparable":
            result = "not comparable"
        elif adjusted is not None:
            said = f"{effect_words(row, scale)} points, {wording.p_value(adjusted[i])}"
            result = f"Differs: {said}" if differs and differs[i] else said
        else:
            result = f"{effect_words(row, scale)} {wording.interval(row.interval, scale, compact=True)}"
        for mode, recorded in answer.arms.items():
            arm = answer.adjusted_arms.get(mode, recorded)
            shown = arm.interval is not None and result != "too few"
            value = arm_words(arm, answer)
            rows.append(
                {
                    "label": label,
                    "arm": mode,
                    "estimate": arm.estimate if shown else None,
                    "low": arm.interval.low if shown and arm.interval else None,
                    "high": arm.interval.high if shown and arm.interval else None,
                    "result": result,
                    "strong": bool(differs and differs[i]),
                    "words": f"{value} ({wording.interval(arm.interval, arm_scale(answer))})"
                    if shown
                    else value,
                    "counts": f"{arm_counts(recorded)} ({arm_words(recorded, answer)})",
                    "description": f"{label}, {arm.label}: {value}; recorded {arm_counts(recorded)}",
                }
            )
    return pd.DataFrame(rows)


def _groups_title(answers: list[Comparison], dataset: Dataset, by: str) -> str:
    """The span of adjusted differences over groups that can be estimated."""
    known = [
        a
        for a in answers
        if a.answer and a.answer.interval and a.verdict not in ("too_few", "not_comparable")
    ]
    name = LABELS[by].lower()
    if len(known) < 2:
        return f"By {name}: too few groups can be compared"
    low, high = known[0], known[-1]
    scale = scale_of(low)
    ends = [f"{effect_words(a.answer, scale)} in {dataset.label(by, a.group[by])}" for a in (low, high)]
    overlap = low.answer.interval.high >= high.answer.interval.low  # type: ignore[union-attr]
    return f"From {ends[0]} to {ends[1]}; their intervals {'overlap' if overlap else 'do not overlap'}"


def _group_table(answers: list[Comparison], dataset: Dataset, by: str) -> pd.DataFrame:
    rows = []
    for answer in answers:
        row, scale = answer.answer, scale_of(answer)
        estimable = row is not None and row.interval is not None
        cells = {LABELS[by]: dataset.label(by, answer.group[by])}
        for mode, arm in answer.arms.items():
            cells[dataset.modes[mode]] = f"{arm_words(arm, answer)} ({arm_counts(arm)})"
        cells["Adjusted difference" if scale != "ratio" else "Adjusted ratio"] = (
            effect_words(row, scale) if estimable else "–"
        )
        cells["95% interval"] = wording.interval(row.interval, scale) if estimable and row else "–"
        if by != "category":
            cells["Verdict"] = VERDICTS[answer.verdict].short
        rows.append(cells)
    return pd.DataFrame(rows)
