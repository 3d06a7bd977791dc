"""How does a metric run over time? Every success metric by quarter and mode, with intervals."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis import wording
from analysis.metrics import Metric, Tally, missing_reason
from analysis.metrics import metric as definition_of
from analysis.questions.arms import Arms, tally_rows
from analysis.questions.counted_windows import window_of
from analysis.questions.effort import mode_names
from analysis.questions.smallness import MIN_PER_ARM
from analysis.questions.tallies import arm_of
from analysis.questions.terms import narrowed_by_area
from analysis.questions.times import time_arm
from analysis.questions.window import MODES
from analysis.reasons import words
from analysis.results import Arm, Interval
from analysis.selection import Selection, month_number, month_start

if TYPE_CHECKING:
    from analysis.datasets.opening import Dataset


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One quarter of one mode (and of one group, for metrics never pooled).

    `n` is the denominator, `validations` how many stand behind it where that is something else; without an estimate
    `reason` is the code that says why.
    """

    quarter: int
    mode: str
    group: str | None
    n: int | None
    events: int | None
    validations: int | None
    estimate: float | None
    interval: Interval | None
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "quarter": quarter_code(self.quarter),
            "mode": self.mode,
            **({"group": self.group} if self.group else {}),
            "count": self.events,
            "n": self.n,
            "estimate": self.estimate,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Tracking:
    """One metric by quarter and mode: a point for every quarter in which the mode was in use.

    `quarters` are all of the selection (keys counted from year 0); `groups` the values of the metric's own column
    where it is never pooled.
    """

    metric: str
    label: str
    kind: str
    scale: str
    unit: str
    quarters: tuple[int, ...]
    points: tuple[TrackPoint, ...]
    groups: tuple[str, ...]
    n: int | None
    sentence: str
    caveats: tuple[str, ...] = ()

    def of(self, mode: str, group: str | None = None) -> tuple[TrackPoint, ...]:
        """The points of one mode (and group), in order of time."""
        return tuple(p for p in self.points if p.mode == mode and p.group == group)

    def to_dict(self) -> dict[str, Any]:
        """The JSON of ``python -m analysis tracking --json``."""
        return {
            "rows": [point.to_dict() for point in self.points],
            "n": self.n,
            "caveats": list(self.caveats),
            "sentence": self.sentence,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row a quarter and mode."""
        columns = ["quarter", "mode", "count", "n", "estimate", "low", "high", "reason"]
        if self.groups:
            columns.insert(2, "group")
        return pd.DataFrame([point.to_dict() for point in self.points], columns=columns).assign(
            metric=self.metric
        )


def tracking(dataset: Dataset, metric: str, selection: Selection = Selection()) -> Tracking:
    """One success metric by quarter and mode.

    Parameters
    ----------
    dataset : Dataset
    metric : str
        A metric of ``data/metrics.toml``.
    selection : Selection
        A filter on validation mode is not applied, and said so.

    Raises
    ------
    AnalysisError
        For an unknown metric or filter value.
    """
    definition, selection = definition_of(metric), selection.checked(dataset)
    caveats = ("mode_filter_ignored",) if selection.modes else ()
    without = selection.without("modes")
    if selection.focus_areas and not narrowed_by_area(definition):
        caveats, without = (*caveats, "focus_area_ignored"), without.without("focus_areas")
    start, end = selection.period(dataset)
    quarters = tuple(range(month_number(start) // 3, month_number(end) // 3 + 1)) if start <= end else ()
    nothing = Tracking(
        definition.id, definition.label, definition.kind, definition.scale, definition.unit, quarters, (), (), 0, ""
    )  # fmt: skip
    if missing := missing_reason(definition, dataset):
        return dataclasses.replace(nothing, sentence=words(missing), caveats=(missing, *caveats))
    groups = tuple(dataset.present(definition.by)) if definition.by else ()
    if definition.by == "mode":
        groups = tuple(value for value in groups if value in MODES)
    points = _points(definition, dataset, without, groups)
    if not points:
        code = "empty_selection"
        return dataclasses.replace(nothing, sentence=words(code), caveats=(code, *caveats))
    if any(point.reason == "quarter_too_small" for point in points):
        caveats = ("quarter_too_small", *caveats)
    answer = dataclasses.replace(
        nothing, points=points, groups=groups, n=sum(point.n or 0 for point in points), caveats=caveats
    )
    return dataclasses.replace(answer, sentence=_sentence(answer, dataset))


def quarter_code(quarter: int) -> str:
    """A quarter key as a code.

    >>> quarter_code(8082)
    '2020-Q3'
    """
    return f"{quarter // 4}-Q{quarter % 4 + 1}"


def quarter_words(quarter: int) -> str:
    """A quarter key in words.

    >>> quarter_words(8082)
    'Jul–Sep 2020'
    """
    first, last = month_start(quarter * 3), month_start(quarter * 3 + 2)
    return f"{first:%b}{wording.EN_DASH}{last:%b} {last.year}"


def _points(
    definition: Metric, dataset: Dataset, selection: Selection, groups: tuple[str, ...]
) -> tuple[TrackPoint, ...]:
    extra = (definition.by,) if definition.by else ()
    tallied = isinstance(definition.counted_by, Tally)
    counted = window_of(dataset, [definition], selection, extra).counted
    counted = counted[counted[definition.arm_column].isin(definition.arms)]
    counted = counted.assign(arm=(counted[definition.arm_column] == "virtual").astype("int64"))
    out = []
    for group in groups or (None,):
        rows = counted if group is None else counted[counted[definition.by] == group]
        frame = tally_rows(definition, rows) if tallied else None
        source = frame.rows if frame is not None else rows
        for (quarter, arm), part in source.groupby(["quarter", "arm"]):
            mode = "virtual" if arm == 1 else "in_person"
            label = dataset.modes[mode]
            if frame is not None:
                found = arm_of(definition, Arms(part, frame.clustered), mode, label)
            else:
                found = time_arm(definition, part, mode, label)
            out.append(_point(int(quarter), group, found))
    return tuple(out)


def _point(quarter: int, group: str | None, arm: Arm) -> TrackPoint:
    behind = arm.n if arm.validations is None else arm.validations
    reason = None
    if behind < MIN_PER_ARM:
        reason = "quarter_too_small"
    elif arm.estimate is None:
        reason = "horizon_not_reached"
    elif arm.interval is None:
        reason = "too_few_clusters"
    drawn = reason is None
    return TrackPoint(
        quarter, arm.mode, group, arm.n, arm.events, arm.validations, arm.estimate if drawn else None,
        arm.interval if drawn else None, reason,
    )  # fmt: skip


def value_words(value: float | None, scale: str, n: int | None = None) -> str:
    """One figure of a metric with its unit: ``44.1%``, ``1.20%`` of criteria, ``3.5 h``, ``20 days``.

    >>> value_words(0.0123, "rate"), value_words(3.52, "hours"), value_words(0.441, "share")
    ('1.23%', '3.5 h', '44.1%')
    """
    if value is None:
        return wording.NOT_ESTIMABLE
    if scale == "rate":
        return f"{wording.number(value * 100, 2)}%" if value < 0.1 else wording.percent(value)
    if scale == "share":
        return wording.percent(value, n)
    return f"{wording.amount(value, scale)} {'h' if scale == 'hours' else scale}"


def _sentence(answer: Tracking, dataset: Dataset) -> str:
    group = answer.groups[0] if answer.groups else None
    v, p = mode_names(dataset)
    drawn = {
        mode: [point for point in answer.of(mode, group) if point.estimate is not None] for mode in MODES
    }
    known = [mode for mode in MODES if drawn[mode]]
    if not known:
        return "No quarter has 10 validations of either mode."
    last = max(drawn[mode][-1].quarter for mode in known)
    parts = []
    for mode, name in zip(MODES, (v, p), strict=True):
        now = next((point for point in drawn[mode] if point.quarter == last), None)
        if now is not None:
            low, high = (value_words(end, answer.scale) for end in _ends(now))
            parts.append(f"**{value_words(now.estimate, answer.scale, now.n)}** {name} ({low} to {high})")
    text = f"{answer.label}, {quarter_words(last)}: {wording.listed(parts)}"
    first = drawn[known[0]]
    if len(first) > 1:
        lowest, highest = (
            value_words(fn(point.estimate for point in first if point.estimate is not None), answer.scale)
            for fn in (min, max)
        )
        name = v if known[0] == "virtual" else p
        text += f"; over {len(first)} quarters {name} ran between {lowest} and {highest}"
    return f"{text}."


def _ends(point: TrackPoint) -> tuple[float | None, float | None]:
    bounds = point.interval
    return (bounds.low, bounds.high) if bounds else (None, None)
