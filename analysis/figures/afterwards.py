"""Incidents after a validation: cumulative risk by mode with the numbers followed, and what so few can show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.figure import Figure, State
from analysis.charts.survival import cumulative_risk
from analysis.charts.theme import PaletteName
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, left_out, when
from analysis.figures.comparison_words import at_most
from analysis.questions.afterwards import CHECKPOINTS, Afterwards, RiskArm, afterwards
from analysis.questions.contrasts import Contrast
from analysis.questions.window import MODES

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.afterwards"
_MONTHS = {day: f"{6 * i}" if i < 4 else "24 months" for i, day in enumerate(CHECKPOINTS)}
_NAMES = {
    "risk_difference": "Difference of 12-month risks, like for like, points",
    "restricted_mean_difference": "Days free of an incident in the first year, like for like",
    "hazard_ratio": "Hazard ratio, like for like",
    "hazard_ratio_by_specialist": "The same, errors clustered by specialist",
    "hazard_ratio_crude": "Hazard ratio, unadjusted",
    "log_rank": "Log-rank test, unadjusted",
}


def incidents_afterwards(dataset: Dataset, selection: Selection, *, palette: PaletteName = "light") -> Figure:
    """Members with a first incident since the validation, by mode."""
    answer = asked(afterwards, dataset, selection)
    heading, measure = (
        "Incidents afterwards",
        "Members with a first incident since the validation, cumulative",
    )
    if state := _state(answer, dataset, selection):
        return Figure(FIGURE, heading, measure, state=state)
    arms = [arm for arm in answer.arms.values() if arm.points]
    curves = answer.to_frame()
    followed = pd.DataFrame(
        [
            {"mode": arm.mode, "day": day, "words": _followed(n), "description": f"{arm.label}, month {round(day / 30.44)}: {_followed(n)} followed"}
            for arm in arms
            for day, n in zip(CHECKPOINTS, arm.at_risk, strict=False)
        ],
        columns=["mode", "day", "words", "description"],
    )  # fmt: skip
    title, alt = _title(answer), _alt(answer, dataset)
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            f"Kaplan–Meier; band and dotted lines: 95% intervals. {_events(answer)}",
            _undetectable(answer),
            _ratio(answer),
            "Followed to the first of incident, next validation, leaving the program and as-of date: recent validations "
            "have been followed for less time, which this method allows for",
            "A validation may also bring an incident to light",
            *(reasons.words(code) for code in answer.caveats if code in ("mode_filter_ignored", "focus_area_ignored")),
            left_out(answer.left_out),
            when(dataset, selection),
        ),
        alt=alt,
        chart=cumulative_risk(
            curves, followed, labels={arm.mode: arm.label for arm in arms}, alt_text=alt,
            title="Members still followed (at risk)", ticks=_MONTHS, marks=_marks(arms), palette=palette,
        ),
        data=curves,
        table=_table(answer, dataset),
    )  # fmt: skip


def _state(answer: Afterwards, dataset: Dataset, selection: Selection) -> State | None:
    if "empty_selection" in answer.caveats:
        return empty_state(dataset, selection)
    if not any(arm.points for arm in answer.arms.values()):
        code = "suppressed" if "suppressed" in answer.caveats else (*answer.caveats, "arm_empty")[0]
        fact = reasons.words(code)
        if code == "column_absent":
            fact = "The dataset links no incidents to members."
        return State("too_small", fact, "Widen the period or take filters off.")
    if not all(arm.n for arm in answer.arms.values()) and "suppressed" not in answer.caveats:
        return State("too_small", answer.sentence, "Widen the period or take filters off.")
    return None


def _followed(n: int | None) -> str:
    return wording.NOT_ESTIMABLE if n is None else wording.number(n)


def _marks(arms: list[RiskArm]) -> pd.DataFrame:
    """The risk at 12 and 24 months as points with words."""
    rows = []
    for arm in arms:
        for day, name in ((CHECKPOINTS[2], "12 months"), (CHECKPOINTS[4], "24 months")):
            there = [point for point in arm.points if point.day <= day]
            if arm.points[-1].day < day or not there:
                continue
            point = there[-1]
            bounds = (
                f" ({wording.percent(point.low)} to {wording.percent(point.high)})"
                if point.low is not None and point.high is not None
                else ""
            )
            words = f"{wording.percent(point.risk)}{bounds}"
            rows.append(
                {"mode": arm.mode, "day": day, "risk": point.risk, "when": name, "words": words,
                 "description": f"{arm.label}, {name}: {words}"}
            )  # fmt: skip
    return pd.DataFrame(rows, columns=["mode", "day", "risk", "when", "words", "description"])


def _few(answer: Afterwards) -> bool:
    return answer.events is None or answer.events < 100


def _title(answer: Afterwards) -> str:
    row = answer.contrast("risk_difference")
    if answer.too_few or row is None or row.interval is None:
        return "Incidents afterwards: too few to compare"
    apart = not row.interval.contains(0.0)
    found = "a visible gap" if apart else "no visible gap"
    return f"Incidents afterwards: {found}{', and few events so far' if _few(answer) else ''}"


def _alt(answer: Afterwards, dataset: Dataset) -> str:
    parts = []
    for mode in MODES:
        arm = answer.arms[mode]
        if arm.points:
            months = round(arm.points[-1].day / 30.44)
            parts.append(
                f"{arm.label.lower() if arm.label in ('Virtual', 'In person') else arm.label} {wording.percent(arm.points[-1].risk)} at {months} months"
            )
    return at_most(f"Cumulative incidents by mode: {wording.listed(parts)}. {_title(answer)}.")


def _events(answer: Afterwards) -> str:
    parts = [
        f"{wording.counted(arm.events, 'first incident')} in {wording.number(arm.n)} {arm.label.lower()}"
        for arm in answer.arms.values()
        if arm.events is not None and arm.n is not None
    ]
    return f"{wording.listed(parts)} validations" if parts else "Counts of 1 to 4 are not shown"


def _undetectable(answer: Afterwards) -> str:
    """What so few events cannot show, said before anything is read into the picture."""
    if answer.detectable is None or answer.events is None:
        return ""
    low, high = wording.ratio(1 / answer.detectable), wording.ratio(answer.detectable)
    return (
        f"With {wording.counted(answer.events, 'incident')} only a hazard ratio above {high} or below {low} would be "
        "seen four times in five: anything nearer to 1 cannot be told here"
    )


def _ratio(answer: Afterwards) -> str:
    row = answer.contrast("hazard_ratio")
    if row is None or row.estimate is None or row.interval is None:
        return ""
    test = answer.contrast("log_rank")
    p = f"; log-rank {wording.p_value(test.p_value)}" if test is not None and test.p_value is not None else ""
    return f"Hazard ratio, like for like: {wording.ratio(row.estimate)} ({wording.interval(row.interval, 'ratio')}), clustered by member{p}"


def _table(answer: Afterwards, dataset: Dataset) -> pd.DataFrame:
    v, p = dataset.modes["virtual"], dataset.modes["in_person"]
    lines = [
        {"What": "Risk within 12 months", v: _risk(answer.arms["virtual"]), p: _risk(answer.arms["in_person"]),
         "Contrast": wording.NOT_ESTIMABLE, "p": wording.NOT_ESTIMABLE}
    ]  # fmt: skip
    for i, name in enumerate(_MONTHS.values()):
        if i:
            both = {
                arm.label: _followed(arm.at_risk[i]) if len(arm.at_risk) > i else wording.NOT_ESTIMABLE
                for arm in answer.arms.values()
            }
            after = name if "months" in name else f"{name} months"
            lines.append(
                {
                    "What": f"Still followed after {after}",
                    **both,
                    "Contrast": wording.NOT_ESTIMABLE,
                    "p": wording.NOT_ESTIMABLE,
                }
            )
    for row in answer.contrasts:
        lines.append(
            {
                "What": _NAMES[row.measure], v: wording.NOT_ESTIMABLE, p: wording.NOT_ESTIMABLE, "Contrast": _contrast(row),
                "p": wording.NOT_ESTIMABLE if row.p_value is None else wording.p_value(row.p_value).removeprefix("p = ").removeprefix("p "),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


def _risk(arm: RiskArm) -> str:
    if arm.risk is None:
        return wording.NOT_ESTIMABLE
    counts = "" if arm.events_in_a_year is None else f"; {wording.number(arm.events_in_a_year)} incidents"
    return f"{wording.percent(arm.risk)} ({wording.interval(arm.interval, 'share')}{counts})"


def _contrast(row: Contrast) -> str:
    if row.estimate is None:
        return wording.NOT_ESTIMABLE
    if row.measure == "risk_difference":
        return f"{wording.points(row.estimate)} ({wording.interval(row.interval, 'difference')})"
    if row.measure == "restricted_mean_difference":
        bounds = row.interval
        words = f" ({wording.signed(bounds.low)} to {wording.signed(bounds.high)})" if bounds else ""
        return f"{wording.signed(row.estimate)} days{words}"
    return f"{wording.ratio(row.estimate)} ({wording.interval(row.interval, 'ratio')})"
