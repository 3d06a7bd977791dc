"""Where virtual and in person differ: category by category, as one family of tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, state_suppressed, when
from analysis.figures.comparison_words import (
    adjustment,
    arm_counts,
    arm_key,
    arm_scale,
    arm_words,
    at_most,
    effect_words,
)
from analysis.figures.deficiency_words import adjusted_p
from analysis.questions.comparison import compare_categories
from analysis.questions.sentences import scale_of
from analysis.results import Comparison
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

LEVEL = 0.05


def categories(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Validations with a deficiency in each category, virtual against in person."""
    family = asked(compare_categories, dataset, selection)
    figure_id, measure = (
        "virtual_vs_in_person.categories",
        "Validations with at least one deficiency in the category, like for like",
    )
    pairs = [
        (a, p)
        for a, p in zip(family.comparisons, family.adjusted_p, strict=True)
        if any(arm.n for arm in a.arms.values())
    ]
    hidden = sum("suppressed" in a.reasons for a in family.comparisons)
    if not pairs:
        state = state_suppressed() if hidden else empty_state(dataset, selection)
        return Figure(figure_id, "By category", measure, state=state)
    pairs.sort(key=lambda pair: _effect_of(pair[0]))
    ordered, adjusted = [a for a, _ in pairs], [p for _, p in pairs]
    differs = [p is not None and p < LEVEL and a.verdict != "not_comparable" for a, p in pairs]
    frame = _arm_rows(ordered, adjusted, differs)
    count = len(ordered) + hidden
    title = _title(ordered, differs, count)
    alt = at_most(
        f"{len(ordered)} rows of validations with a deficiency by category, both arms with intervals. {title}."
    )
    chart = interval_rows(
        frame, alt_text=alt, title="Validations with a deficiency in the category, %", unit="share",
        arms=dict(dataset.modes), tooltip={"words": "Like for like", "counts": "Recorded"}, palette=palette,
    )  # fmt: skip
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            f"Bold, “Differs”: holds after Holm's correction for {count} categories. At the right: difference in points. "
            f"Marks: both arms{'' if all(a.adjusted_arms for a in ordered) else ' as recorded, unadjusted,'} with 95% intervals",
            adjustment(ordered[0]),
            "A category can differ because fewer problems were there or fewer were seen",
            reasons.words("suppressed") if hidden else "",
            when(dataset, selection),
        ),
        alt=alt,
        chart=chart,
        key=arm_key(dataset),
        data=family.to_frame(),
        table=pd.DataFrame([_texts(a, p, dataset) for a, p in pairs]),
    )


def _title(answers: list[Comparison], differs: list[bool], count: int) -> str:
    if all(a.verdict == "not_comparable" for a in answers):
        return "By category: the two modes cannot be compared like for like"
    names = [a.label for a, d in zip(answers, differs, strict=True) if d]
    if not names:
        return f"None of {count} categories differs after allowing for {count} looks"
    verb = "differs" if len(names) == 1 else "differ"
    return f"{len(names)} of {count} categories {verb}: {wording.listed(names[:4])}{'…' if len(names) > 4 else ''}"


def _effect_of(answer: Comparison) -> float:
    row = answer.answer
    if row is None or row.estimate is None:
        return float("inf")
    return row.estimate


def _arm_rows(answers: list[Comparison], adjusted: list[float | None], differs: list[bool]) -> pd.DataFrame:
    """Both arms of each category on the common mix, with the difference and its adjusted p at the right."""
    rows = []
    for answer, p, strong in zip(answers, adjusted, differs, strict=True):
        row, scale = answer.answer, scale_of(answer)
        if answer.verdict == "too_few" or row is None or row.interval is None:
            result = "too few"
        elif answer.verdict == "not_comparable":
            result = "not comparable"
        else:
            said = f"{effect_words(row, scale)} points, {wording.p_value(p)}"
            result = f"Differs: {said}" if strong else said
        for mode, recorded in answer.arms.items():
            arm = answer.adjusted_arms.get(mode, recorded)
            shown = arm.interval is not None and result != "too few"
            value = arm_words(arm, answer)
            rows.append(
                {
                    "label": answer.label,
                    "arm": mode,
                    "estimate": arm.estimate if shown else None,
                    "low": arm.interval.low if shown and arm.interval else None,
                    "high": arm.interval.high if shown and arm.interval else None,
                    "result": result,
                    "strong": strong,
                    "words": f"{value} ({wording.interval(arm.interval, arm_scale(answer))})"
                    if shown
                    else value,
                    "counts": f"{arm_counts(recorded)} ({arm_words(recorded, answer)})",
                    "description": f"{answer.label}, {arm.label}: {value}; recorded {arm_counts(recorded)}",
                }
            )
    return pd.DataFrame(rows)


def _texts(answer: Comparison, adjusted: float | None, dataset: Dataset) -> dict[str, str]:
    row = answer.answer
    cells = {LABELS["category"]: answer.label}
    for mode, arm in answer.arms.items():
        cells[dataset.modes[mode]] = f"{arm_words(arm, answer)} ({arm_counts(arm)})"
    estimable = row is not None and row.interval is not None
    cells["Adjusted difference"] = effect_words(row, scale_of(answer)) if estimable else wording.NOT_ESTIMABLE
    cells["95% interval"] = (
        wording.interval(row.interval, scale_of(answer)) if estimable and row else wording.NOT_ESTIMABLE
    )
    cells["p, Holm"] = adjusted_p(adjusted)
    return cells
