"""Metrics by quarter and mode: each quarter is the answer to its own filter, and too little is not drawn."""

from __future__ import annotations

import datetime as dt

import pytest

from analysis import Dataset, Selection, compare, figure
from analysis.errors import AnalysisError
from analysis.metrics import metrics
from analysis.questions.tracking import tracking
from analysis.selection import month_start
from analysis.suppression import suppressed

SMALL = range(1, 5)


def quarter_of(quarter: int) -> Selection:
    return Selection(start=month_start(quarter * 3), end=month_start(quarter * 3 + 3) - dt.timedelta(days=1))


@pytest.mark.parametrize("metric", sorted(metrics()))
def test_a_quarter_is_the_answer_to_its_filter(demo: Dataset, metric: str) -> None:
    answer = tracking(demo, metric)
    quarter = (
        max(p.quarter for p in answer.points if p.mode == "virtual" and p.estimate is not None)
        if metric != "repeat_rate"
        else 8090
    )
    alone = compare(demo, metric, quarter_of(quarter))
    parts = alone.groups or (alone,)
    checked = 0
    for part in parts:
        group = next(iter(part.group.values()), None)
        for mode, arm in part.arms.items():
            (point,) = [p for p in answer.of(mode, group) if p.quarter == quarter] or [None]
            if point is None:
                assert arm.n == 0
                continue
            assert (point.n, point.events) == (arm.n, arm.events)
            if point.estimate is not None:
                assert point.estimate == pytest.approx(arm.estimate, rel=1e-12)
                assert arm.interval is not None and point.interval is not None
                assert (point.interval.low, point.interval.high) == pytest.approx(
                    (arm.interval.low, arm.interval.high)
                )
                checked += 1
    assert checked


def test_the_course_is_that_of_the_sparkline(demo: Dataset) -> None:
    for metric in ("any_must_deficiency", "hours", "days_to_report"):
        answer, compared = tracking(demo, metric), compare(demo, metric)
        assert answer.quarters == compared.quarters
        for mode, series in compared.series.items():
            known = {p.quarter: p.estimate for p in answer.of(mode) if p.estimate is not None}
            shown = {q: value for q, value in zip(answer.quarters, series, strict=True) if value is not None}
            assert known == pytest.approx(shown, rel=1e-12)


def test_quarters_of_few_are_not_drawn_and_said(demo: Dataset) -> None:
    few = Selection(offices=("Newark",), start=dt.date(2020, 1, 1))
    answer = tracking(demo, "any_must_deficiency", few)
    small = [p for p in answer.points if 0 < (p.n or 0) < 10]
    assert small and all(p.estimate is None and p.reason == "quarter_too_small" for p in small)
    assert all(p.estimate is not None for p in answer.points if (p.n or 0) >= 10)
    made = figure("virtual_vs_in_person.tracking", demo, few)
    assert f"{len(small)} with fewer than 10 validations of a mode" in made.caption
    assert "not drawn" in made.table.to_string()


def test_risks_not_followed_to_their_horizon_are_not_drawn(demo: Dataset) -> None:
    answer = tracking(demo, "incident_within_12_months")
    late = [p for p in answer.points if p.quarter >= 2022 * 4]
    assert late and all(p.reason == "horizon_not_reached" and p.estimate is None for p in late)


def test_both_turning_points_are_drawn_where_the_axis_crosses_them(demo: Dataset) -> None:
    drawn = str(figure("virtual_vs_in_person.tracking", demo).chart.to_dict())
    assert "on-site work stops" in drawn and "first virtual validation" in drawn
    later = Selection(start=dt.date(2021, 1, 1))
    drawn = str(figure("virtual_vs_in_person.tracking", demo, later).chart.to_dict())
    assert "on-site work stops" not in drawn and "first virtual validation" not in drawn


def test_metrics_never_pooled_are_tracked_group_by_group(demo: Dataset) -> None:
    answer = tracking(demo, "feedback_confidence")
    assert set(answer.groups) == {"specialist", "member"}
    made = {
        group: figure("virtual_vs_in_person.tracking", demo, metric="feedback_confidence", group=group)
        for group in answer.groups
    }
    assert made["specialist"].title != made["member"].title and "member" in made["member"].measure
    with pytest.raises(AnalysisError, match="member"):
        figure("virtual_vs_in_person.tracking", demo, metric="feedback_confidence", group="members")
    one_arm = figure("virtual_vs_in_person.tracking", demo, metric="would_repeat_virtual")
    assert list(one_arm.table.columns) == ["Quarter", "Virtual", "Virtual, n"]


def test_the_sentence_says_its_numbers(demo: Dataset) -> None:
    for metric in metrics():
        answer = tracking(demo, metric)
        words = answer.sentence.replace("**", "")
        assert answer.label in words and 0 < len(words.split()) <= 45, words
    assert (
        tracking(demo, "hours", Selection(start=dt.date(2035, 1, 1))).sentence
        == "No validations match these filters."
    )


@pytest.mark.parametrize(
    "metric",
    ["any_must_deficiency", "deficiency_rate", "hours", "incident_within_12_months", "feedback_confidence"],
)
def test_small_counts_are_hidden(demo: Dataset, metric: str) -> None:
    for selection in (Selection(), Selection(offices=("Newark",))):
        plain, answer = tracking(demo, metric, selection), suppressed(tracking(demo, metric, selection))
        for point in answer.points:
            assert not {point.n, point.events, point.validations} & set(SMALL)
            if point.n is not None and point.events is not None:
                assert point.n - point.events not in SMALL
            if point.reason == "suppressed":
                assert point.estimate is None and point.interval is None
        if answer != plain:
            assert answer.n is None
