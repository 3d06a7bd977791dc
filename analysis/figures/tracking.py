"""A success metric tracked: by quarter and mode, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis import reasons, wording
from analysis.charts.axes import Unit
from analysis.charts.courses import courses
from analysis.charts.figure import Figure, State
from analysis.charts.theme import PaletteName
from analysis.errors import AnalysisError, nearest
from analysis.figures.asking import asked
from analysis.figures.captions import caption, empty_state, when
from analysis.figures.comparison_words import HEADLINE, arm_key, at_most
from analysis.figures.overview import turning_points
from analysis.metrics import metric as definition_of
from analysis.questions.effort import mode_names
from analysis.questions.tracking import Tracking, TrackPoint, quarter_words, tracking, value_words
from analysis.questions.window import MODES
from analysis.schema import LABELS

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset
    from analysis.selection import Selection

FIGURE = "virtual_vs_in_person.tracking"
_SUMMARIES = {
    "geometric": "geometric mean", "restricted": "mean, times beyond 90 days counted as 90", "risk": "risk within 12 months",
}  # fmt: skip


def tracked(
    dataset: Dataset,
    selection: Selection,
    *,
    metric: str = HEADLINE,
    group: str | None = None,
    palette: PaletteName = "light",
) -> Figure:
    """One metric by quarter and mode; for metrics never pooled one group of them, the first unless named."""
    answer = asked(tracking, dataset, metric, selection)
    measure = f"{answer.label}, by quarter and mode"
    if state := _state(answer, dataset, selection):
        return Figure(FIGURE, "Tracked by quarter", measure, state=state)
    if group is not None and group not in answer.groups:
        raise AnalysisError(f"group '{group}' is not one of {metric}; {nearest(group, answer.groups)}")
    chosen = group or (answer.groups[0] if answer.groups else None)
    points = [p for mode in MODES for p in answer.of(mode, chosen)]
    drawn = [p for p in points if p.estimate is not None]
    if not drawn:
        return Figure(
            FIGURE, "Tracked by quarter", measure, state=State("too_small", _why_none(points), "Widen the period or take filters off.")
        )  # fmt: skip
    if chosen is not None:
        column = definition_of(answer.metric).by or ""
        measure = f"{measure}; {LABELS[column].lower()}: {dataset.label(column, chosen).lower()}"
    title = _title(answer, drawn, dataset)
    alt = at_most(f"{answer.label} over {len(answer.quarters)} quarters by mode. {title}.")
    frame = pd.DataFrame([_drawn(point, answer, dataset) for point in drawn])
    return Figure(
        id=FIGURE,
        title=title,
        measure=measure,
        caption=caption(
            "Marks: each quarter's figure with its 95% interval, unadjusted",
            _how(answer),
            _not_drawn(points),
            f"n = {wording.number(answer.n)} {_unit(answer)}" if answer.n is not None and chosen is None else "",
            *(reasons.words(code) for code in answer.caveats if code.endswith("_ignored")),
            when(dataset, selection),
        ),
        alt=alt,
        chart=courses(
            frame, first=answer.quarters[0] * 3, last=answer.quarters[-1] * 3 + 3, labels=dict(dataset.modes), alt_text=alt,
            unit=_axis_unit(answer), annotations=turning_points(dataset), palette=palette,
        ),
        key=arm_key(dataset),
        data=answer.to_frame(),
        table=_table(points, answer, dataset),
    )  # fmt: skip


def _state(answer: Tracking, dataset: Dataset, selection: Selection) -> State | None:
    if "empty_selection" in answer.caveats:
        return empty_state(dataset, selection)
    if not answer.points:
        return State(
            "too_small", answer.sentence, "Other metrics may be recorded: see the table of all metrics."
        )
    return None


def _why_none(points: list[TrackPoint]) -> str:
    found = [point.reason for point in points if point.reason]
    return reasons.words(max(set(found), key=found.count)) if found else reasons.words("empty_selection")


def _axis_unit(answer: Tracking) -> Unit:
    return "share" if answer.scale in ("share", "rate") else "number"


def _bounds(point: TrackPoint, scale: str) -> str:
    assert point.interval is not None
    low, high = (value_words(end, scale) for end in (point.interval.low, point.interval.high))
    return f"{low} to {high}"


def _counts(point: TrackPoint) -> str:
    if point.n is None:
        return wording.NOT_ESTIMABLE
    n = wording.number(point.n)
    return n if point.events is None else f"{wording.number(point.events)} of {n}"


def _drawn(point: TrackPoint, answer: Tracking, dataset: Dataset) -> dict[str, object]:
    assert point.interval is not None
    words = f"{value_words(point.estimate, answer.scale, point.n)} ({_bounds(point, answer.scale)})"
    quarter = quarter_words(point.quarter)
    return {
        "month": point.quarter * 3, "mode": point.mode, "estimate": point.estimate, "low": point.interval.low,
        "high": point.interval.high, "quarter": quarter, "words": words, "counts": _counts(point),
        "description": f"{quarter}, {dataset.modes[point.mode]}: {words}, n = {_counts(point)}",
    }  # fmt: skip


def _title(answer: Tracking, drawn: list[TrackPoint], dataset: Dataset) -> str:
    """The last quarter in which both can be told, else the last of either."""
    by_quarter: dict[int, dict[str, TrackPoint]] = {}
    for point in drawn:
        by_quarter.setdefault(point.quarter, {})[point.mode] = point
    both = [quarter for quarter, found in by_quarter.items() if len(found) == 2]
    last = max(both or by_quarter)
    words = [
        f"{value_words(found.estimate, answer.scale, found.n)} {name}"
        for mode, name in zip(MODES, mode_names(dataset), strict=True)
        if (found := by_quarter[last].get(mode)) is not None
    ]
    return f"{quarter_words(last)}: {wording.listed(words)}"


def _how(answer: Tracking) -> str:
    definition = definition_of(answer.metric)
    summary = getattr(definition.counted_by, "summary", None)
    if summary is not None:
        return f"Figure: {_SUMMARIES[summary]}; intervals take validations as independent"
    return "Intervals clustered by specialist" if answer.kind == "rate" else ""


def _unit(answer: Tracking) -> str:
    return "criteria" if answer.kind == "rate" and answer.metric != "closed_on_time" else f"{answer.unit}s"


def _not_drawn(points: list[TrackPoint]) -> str:
    """Which quarters are missing from the picture, and why."""
    parts = []
    for code, words in (
        ("quarter_too_small", "with fewer than 10 validations of a mode"),
        ("horizon_not_reached", "not followed long enough"),
        ("too_few_clusters", "with fewer than 5 specialists of a mode"),
        ("suppressed", "with counts of 1 to 4"),
    ):
        quarters = {(point.quarter, point.mode) for point in points if point.reason == code}
        if quarters:
            parts.append(f"{wording.number(len(quarters))} {words}")
    return f"Quarters not drawn: {wording.listed(parts)}" if parts else ""


def _table(points: list[TrackPoint], answer: Tracking, dataset: Dataset) -> pd.DataFrame:
    by_quarter: dict[int, dict[str, TrackPoint]] = {}
    for point in points:
        by_quarter.setdefault(point.quarter, {})[point.mode] = point
    lines = []
    for quarter in sorted(by_quarter):
        line = {"Quarter": quarter_words(quarter)}
        for mode in MODES:
            if mode not in definition_of(answer.metric).arms:
                continue
            found, name = by_quarter[quarter].get(mode), dataset.modes[mode]
            line[name], line[f"{name}, n"] = wording.NOT_ESTIMABLE, wording.NOT_ESTIMABLE
            if found is not None:
                line[f"{name}, n"] = _counts(found)
                if found.estimate is not None:
                    line[name] = (
                        f"{value_words(found.estimate, answer.scale, found.n)} ({_bounds(found, answer.scale)})"
                    )
                elif found.reason:
                    line[name] = "not drawn"
        lines.append(line)
    return pd.DataFrame(lines)
