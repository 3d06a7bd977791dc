"""Time, effort and burden of the two modes: every amount in a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.drawn_tables import Cell, Head, drawn_table
from analysis.charts.figure import Figure, State
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, when
from analysis.figures.comparison_words import at_most
from analysis.figures.effort_words import amount_words, bare, limits, lowered
from analysis.questions.effort import Effort, EffortRow, claim_of, effort

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

_TABLE = "virtual_vs_in_person.effort"
_WHY_NOT = ("suppressed", "no_comparison_window", "arm_empty", "too_few_in_an_arm", "nothing_recorded")


def side_by_side(dataset: Dataset, selection: Selection) -> Figure:
    """Every amount in a row: both medians, their difference, the like-for-like ratio and what is recorded."""
    answer = asked(effort, dataset, selection)
    heading, measure = "Time, effort and burden", "What a validation takes, by mode; ratios like for like"
    if state := _state_of_all(answer, dataset, selection):
        return Figure(_TABLE, heading, measure, state=state)
    heads = [
        Head("What"), Head(dataset.modes["virtual"], number=True), Head(dataset.modes["in_person"], number=True),
        Head("Difference of medians", number=True, short="Difference"), Head("Shift", number=True),
        Head("Virtual longer" if dataset.modes["virtual"] == "Virtual" else "First longer", number=True, short="Longer"),
        Head("Ratio, like for like", number=True, short="Ratio"),
    ]  # fmt: skip
    title = _effort_title(answer, dataset)
    table = pd.DataFrame([_words_of(row, dataset) for row in answer.rows])
    return Figure(
        id=_TABLE,
        title=title,
        measure=measure,
        caption=caption(
            "Medians with their middle half, unadjusted, in quarters in which both modes were in use",
            "Shift: Hodges–Lehmann, the median of all differences between the modes; longer: how often a virtual "
            "validation exceeds an in-person one (Brunner–Munzel), 50% being no difference"
            if dataset.modes["virtual"] == "Virtual"
            else "",
            _ratio_words(answer),
            _recorded_words(answer),
            "Except the ratio, intervals take validations as independent",
            *(reasons.words(code) for code in answer.caveats if code not in ("independent", "small_numbers")),
            when(dataset, selection),
        ),
        alt=at_most(f"Table of {len(answer.rows)} amounts by mode. {title}."),
        html=drawn_table(heads, [_cells(row) for row in answer.rows], caption=title),
        data=answer.to_frame(),
        table=table,
    )


def _state_of_all(answer: Effort, dataset: Dataset, selection: Selection) -> State | None:
    if not answer.rows:
        return State("too_small", reasons.words("column_absent"), "Import hours or dates to see this.")
    codes = [code for row in answer.rows for code in row.amount.caveats]
    if all("empty_selection" in row.amount.caveats for row in answer.rows):
        return empty_state(dataset, selection)
    if not any(row.amount.contrasts for row in answer.rows):
        why = next((code for code in _WHY_NOT if code in codes), "too_few_in_an_arm")
        return State("too_small", reasons.words(why), "Widen the period or take filters off.")
    return None


def _ratio_of(row: EffortRow) -> tuple[str, str]:
    found = row.ratio
    if found is None or found.estimate is None or found.interval is None:
        return wording.NOT_ESTIMABLE, ""
    return wording.ratio(found.estimate), wording.interval(found.interval, "ratio")


def _cells(row: EffortRow) -> list[Cell]:
    ratio, bounds = _ratio_of(row)
    return [
        Cell(row.amount.amount.label, second=_recorded(row)),
        *(Cell(words, second) for words, second in _numbers(row).values()),
        Cell(ratio, bounds, strong=bool(bounds)),
    ]


def _numbers(row: EffortRow) -> dict[str, tuple[str, str]]:
    """Words and second line of each number of one row."""
    unit, out = row.amount.amount.unit, {}
    for mode in ("virtual", "in_person"):
        arm = row.amount.arms.get(mode)
        low, middle, high = arm.quartiles if arm is not None else (None, None, None)
        half = wording.EN_DASH.join(bare([low, high], unit)) if low is not None and high is not None else ""
        out[mode] = (amount_words(middle, unit), half)
    for measure in ("quantile_50", "shift", "probability"):
        found = row.amount.contrast(measure)
        if found is None or found.estimate is None:
            still_open = found is not None and "open_cases" in found.caveats
            out[measure] = (wording.NOT_ESTIMABLE, "some are open" if still_open else "")
        elif measure == "probability":
            out[measure] = (wording.percent(found.estimate), wording.interval(found.interval, "share"))
        else:
            out[measure] = (amount_words(found.estimate, unit, signed=True), limits(found, unit))
    return out


def _recorded(row: EffortRow) -> str:
    parts = [
        f"{wording.percent(arm.n / arm.of, arm.of)} {lowered(arm.label)}"
        for arm in row.amount.arms.values()
        if arm.of and arm.n is not None
    ]
    return f"recorded: {', '.join(parts)}" if parts else ""


def _words_of(row: EffortRow, dataset: Dataset) -> dict[str, str]:
    ratio, bounds = _ratio_of(row)
    numbers = {
        key: f"{words} ({second})" if second else words
        for key, (words, second) in {**_numbers(row), "ratio": (ratio, bounds)}.items()
    }
    return {
        "What": row.amount.amount.label,
        dataset.modes["virtual"]: numbers["virtual"],
        dataset.modes["in_person"]: numbers["in_person"],
        "Difference of medians": numbers["quantile_50"],
        "Shift": numbers["shift"],
        "Longer": numbers["probability"],
        "Ratio, like for like": numbers["ratio"],
        "Recorded": _recorded(row).removeprefix("recorded: ") or wording.NOT_ESTIMABLE,
    }


def _ratio_words(answer: Effort) -> str:
    found = [row.ratio for row in answer.rows if row.ratio is not None and row.ratio.interval is not None]
    if not found:
        return ""
    kinds = {row.settings["summary"] for row in found}
    means = wording.listed(
        [
            words
            for kind, words in (
                ("geometric", "geometric means"),
                ("restricted", "means up to 90 days (open ones still waiting)"),
            )
            if kind in kinds
        ]
    )
    clustered = {row.settings["clustered_by"] for row in found} == {"specialist_id"}
    columns = found[0].settings["adjusted_for"]
    adjusted = f", stratified by {wording.listed(columns)}" if columns else ""
    return f"Ratio: of {means}{adjusted}{'; errors clustered by specialist' if clustered else ''}"


def _recorded_words(answer: Effort) -> str:
    row = answer.row("minutes_lost")
    if row is None or not row.amount.n:
        return ""
    return "Minutes lost are recorded for virtual validations only, so nothing is compared"


def _effort_title(answer: Effort, dataset: Dataset) -> str:
    for row in answer.rows:
        if claim := claim_of(row, dataset):
            return f"{claim[0].upper()}{claim[1:]}, like for like"
    return "What a validation takes, by mode"
