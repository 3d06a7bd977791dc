"""Where virtual and in person differ: by how a criterion is seen, documents being the negative control."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.intervals import interval_rows
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import (
    caption,
    empty_state,
    left_out,
    state_of_dataset,
    state_suppressed,
    state_without_rates,
    when,
)
from analysis.figures.comparison_words import arm_key, arm_words, at_most
from analysis.figures.deficiency_words import adjusted_p, of_words
from analysis.questions.differences_seen import FEW_EVENTS, SeenByMode, SeenClass, seen_classes
from analysis.results import Arm, Estimate
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection


def seen_by(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Deficiencies per criterion assessed in each class of criteria, both arms, with ratio and difference."""
    figure_id, heading = "virtual_vs_in_person.seen_by", "By how a criterion is seen"
    measure = (
        "Deficiencies per criterion assessed, like for like; at the right: ratio, and difference in points"
    )
    if state := state_of_dataset(dataset) or state_without_rates(dataset):
        return Figure(figure_id, heading, measure, state=state)
    answer = asked(seen_classes, dataset, selection)
    shown = [row for row in answer.rows if any(arm.n for arm in row.answer.arms.values())]
    if not shown:
        return Figure(figure_id, heading, measure, state=_nothing(answer, dataset, selection))
    frame = pd.DataFrame([mark for row in shown for mark in _marks(row)])
    title = _title(answer)
    alt = at_most(f"{len(shown)} rows of deficiency rates by how a criterion is seen, both modes. {title}.")
    return Figure(
        id=figure_id,
        title=title,
        measure=measure,
        caption=caption(
            "Bold, “Differs”: the ratio is not 1 after Holm's correction. Lines: 95% intervals, errors clustered by specialist",
            "" if all(row.answer.adjusted_arms for row in shown) else "Marks: both modes as recorded, unadjusted",
            _control_words(answer),
            _contrast_words(answer, dataset),
            "A ratio below 1 can mean fewer problems or fewer seen",
            f"Fewer than {FEW_EVENTS} deficiencies: the table adds the unadjusted ratio with exact limits"
            if any(row.exact for row in shown)
            else "",
            *[reasons.words(code) for code in answer.caveats],
            reasons.words("suppressed") if len(shown) < len(answer.rows) and _hidden(answer) else "",
            f"n = {wording.counted(answer.n, 'validation')}" if answer.n else "",
            left_out(shown[0].answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=interval_rows(
            frame, alt_text=alt, title="Deficiencies per criterion assessed", unit="share", arms=dict(dataset.modes),
            tooltip={"words": "Like for like", "result": "Ratio, difference", "counts": "Recorded"}, palette=palette,
        ),
        key=arm_key(dataset),
        data=answer.to_frame(),
        table=pd.DataFrame([_texts(row, dataset) for row in shown]),
    )  # fmt: skip


def _nothing(answer: SeenByMode, dataset: Dataset, selection: Selection) -> State:
    if _hidden(answer):
        return state_suppressed()
    if answer.rows:
        return empty_state(dataset, selection)
    return State("too_small", reasons.words(answer.caveats[0]), "See the criteria instead.")


def _hidden(answer: SeenByMode) -> bool:
    return any("suppressed" in row.answer.reasons for row in answer.rows)


def _label(row: SeenClass) -> str:
    return f"{row.answer.label}, negative control" if row.is_control else row.answer.label


def _marks(row: SeenClass) -> list[dict[str, object]]:
    """Both arms on the common mix; ratio and difference at the right edge."""
    result = "too few"
    if row.ratio is not None:
        result = _ratio_words(row.ratio, compact=True)
        if row.difference is not None:
            result += f", {wording.points(_value(row.difference), 2)}"
    result = f"Differs: {result}" if row.differs else result
    marks = []
    for mode, recorded in row.answer.arms.items():
        arm = row.answer.adjusted_arms.get(mode, recorded)
        bounds = arm.interval if row.ratio is not None else None
        value = arm_words(arm, row.answer)
        counts = of_words(recorded.events, recorded.n)
        marks.append(
            {
                "label": _label(row), "arm": mode, "result": result, "strong": row.differs,
                "estimate": arm.estimate if bounds else None,
                "low": bounds.low if bounds else None,
                "high": bounds.high if bounds else None,
                "words": value, "counts": counts,
                "description": f"{_label(row)}, {arm.label}: {value}; recorded {counts}",
            }
        )  # fmt: skip
    return marks


def _title(answer: SeenByMode) -> str:
    """The class that differs most beside the control, or that none does."""
    known = [row for row in answer.rows if row.ratio is not None]
    if not known:
        return "Too few to compare by how a criterion is seen"
    differing = [row for row in known if row.differs]
    if not differing:
        low, high = (wording.ratio(end(_value(row.ratio) for row in known)) for end in (min, max))
        return f"No way of seeing differs by mode beyond chance: ratios from {low} to {high}"
    named = wording.listed(
        [f"{row.answer.label.lower()} {wording.ratio(_value(row.ratio))}" for row in differing]
    )
    control = answer.control
    beside = ""
    if control is not None and control.ratio is not None and not control.differs:
        beside = (
            f"; {control.answer.label.lower()}, the negative control, {wording.ratio(_value(control.ratio))}"
        )
    return f"Times as often on virtual validations: {named}{beside}"


def _control_words(answer: SeenByMode) -> str:
    control = answer.control
    if control is None:
        return ""
    said = (
        f"{control.answer.label} criteria are the negative control: a camera shows a document as well as a visit does; they "
        "are shown, never used to correct other estimates"
    )
    if control.differs:
        return f"{said}. Here they differ too, so more than what a camera shows sets the two modes apart"
    return said


def _contrast_words(answer: SeenByMode, dataset: Dataset) -> str:
    row = answer.contrast
    if row is None or row.interval is None or answer.control is None:
        return ""
    physical = dataset.label("seen_by", "physical").lower()
    return (
        f"The ratio of {physical} criteria is {wording.ratio(_value(row))} times that of {answer.control.answer.label.lower()} ones "
        f"({wording.interval(row.interval, 'ratio')}; {wording.p_value(row.p_value)})"
    )


def _texts(row: SeenClass, dataset: Dataset) -> dict[str, str]:
    cells = {LABELS["seen_by"]: _label(row)}
    for mode, name in dataset.modes.items():
        cells[name] = _arm_texts(row, row.answer.arms.get(mode))
    cells["Adjusted ratio"] = _ratio_words(row.ratio)
    difference = row.difference
    cells["Difference, points"] = wording.NOT_ESTIMABLE
    if difference is not None and difference.interval is not None:
        ends = [wording.points(end, 2) for end in (difference.interval.low, difference.interval.high)]
        cells["Difference, points"] = f"{wording.points(_value(difference), 2)} ({ends[0]} to {ends[1]})"
    cells["p, Holm"] = adjusted_p(row.adjusted_p)
    if row.exact is not None:
        cells["Exact, unadjusted"] = _ratio_words(row.exact)
    return cells


def _arm_texts(row: SeenClass, arm: Arm | None) -> str:
    if arm is None:
        return wording.NOT_ESTIMABLE
    return f"{arm_words(arm, row.answer)} ({of_words(arm.events, arm.n)})"


def _ratio_words(row: Estimate | None, *, compact: bool = False) -> str:
    if row is None or row.estimate is None or row.interval is None:
        return wording.NOT_ESTIMABLE
    bounds = wording.interval(row.interval, "ratio", compact=compact)
    return (
        f"{wording.ratio(row.estimate)} {bounds}" if compact else f"{wording.ratio(row.estimate)} ({bounds})"
    )


def _value(row: Estimate | None) -> float:
    assert row is not None and row.estimate is not None
    return row.estimate
