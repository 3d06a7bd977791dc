"""Pictures of robustness: on every kind of metric, no more marks than a picture holds, and without small counts."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from analysis import Dataset, Selection, figure
from analysis.figures.robustness_specifications import specification_figure
from analysis.questions.robustness_bounds import Bounded, bounds
from analysis.questions.robustness_leave_out import LeaveOneOut, leave_one_out
from analysis.questions.robustness_margin import margins
from analysis.questions.robustness_power import detectable
from analysis.questions.robustness_specifications import specifications
from analysis.questions.robustness_unmeasured import unmeasured
from analysis.suppression import suppressed

HEADLINE = "any_must_deficiency"
FIGURES = ("margin", "unseen", "specifications", "leave_out", "unmeasured", "power")
MOST_MARKS = 300


@pytest.mark.parametrize(
    "metric", ["deficiency_rate", "days_to_report", "incident_within_12_months", "closed_on_time"]
)
def test_every_kind_of_metric_is_drawn_or_says_why_not(demo: Dataset, metric: str) -> None:
    for name in FIGURES:
        made = figure(f"virtual_vs_in_person.{name}", demo, metric=metric)
        words = f"{made.title} {made.measure} {made.caption} {made.alt} {made.table.to_string()}"
        assert not re.search(r"\bnan\b|None|_", words), words
        if made.state is None:
            assert (
                made.chart is not None and made.chart.to_dict() and len(made.table) and "n =" in made.caption
            )
        else:
            assert name in ("unseen", "unmeasured") and made.state.fact.endswith(".")


def test_the_margin_is_drawn_as_set_and_as_moved(demo: Dataset) -> None:
    made = figure("virtual_vs_in_person.margin", demo, metric=HEADLINE, margin=0.08)
    assert list(made.table["Size"]) == ["5 points", "8 points", "6.1 points"]
    assert list(made.table["Verdict"]) == ["Can’t tell yet", "As good", "As good"]
    assert "margin=0.08" in made.code
    assert (
        "within the margin"
        in figure("virtual_vs_in_person.specifications", demo, metric=HEADLINE, margin=0.08).title
    )


def test_a_specification_curve_is_no_canvas(demo: Dataset) -> None:
    made = specification_figure(demo, Selection())
    frame = made.data
    departures = (
        (frame[["adjustment", "period", "without", "method", "errors"]] != "as_asked").to_numpy().sum()
    )
    # A mark and a line for each specification, and a dot for each choice made otherwise.
    assert 2 * len(frame) + departures <= MOST_MARKS
    assert made.chart is not None
    drawn = json.dumps(made.chart.to_dict())
    assert "As asked" in drawn and "Adjusted for risk, kind and location only" in drawn


def test_the_region_is_drawn_with_all_that_bounds_it(demo: Dataset) -> None:
    made, answer = (
        figure("virtual_vs_in_person.unseen", demo, metric="deficiency_rate"),
        bounds(demo, "deficiency_rate"),
    )
    assert "Nothing is assumed about what could not be seen" in made.caption
    assert len(made.table) == 2 + len(answer.orders)
    arm = answer.arms["virtual"]
    assert f"{arm.unseen:,} of {arm.n:,}" in made.table.to_string()


# -- small counts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("question", [margins, bounds, specifications, unmeasured, leave_one_out, detectable])
def test_large_counts_hide_nothing_but_what_solves_for_smaller_ones(demo: Dataset, question: object) -> None:
    answer = question(demo, HEADLINE)
    shown = suppressed(answer)
    assert shown.sentence == answer.sentence
    json.dumps(shown.to_dict(), allow_nan=False)


def small_bounds(demo: Dataset, **counts: int) -> Bounded:
    answer = bounds(demo, HEADLINE)
    arms = dict(answer.arms)
    arms["virtual"] = dataclasses.replace(arms["virtual"], **counts)
    return dataclasses.replace(answer, arms=arms)


@pytest.mark.parametrize("counts", [{"events": 3}, {"unseen": 1}, {"n": 2107, "events": 1129, "unseen": 975}])
def test_bounds_hide_small_counts_and_all_that_is_made_of_them(demo: Dataset, counts: dict[str, int]) -> None:
    shown = suppressed(small_bounds(demo, **counts))
    assert not shown.arms and not shown.orders and shown.reach is None and shown.low is None
    assert shown.caveats == ("suppressed",) and not re.search(r"\d{2,}", shown.sentence)


@pytest.mark.parametrize("question", [specifications, unmeasured, detectable])
def test_a_small_count_in_the_window_hides_the_answer(demo: Dataset, question: object) -> None:
    answer = question(demo, HEADLINE)
    shown = suppressed(dataclasses.replace(answer, behind=(2564, 4, 2560, 1375, 770, 605)))
    rows = shown.to_dict()["rows"]
    assert all(value in (None, 0.8) or not isinstance(value, float) for row in rows for value in row.values())
    assert shown.caveats == ("suppressed",)


def test_specifications_tell_no_numbers_to_subtract(demo: Dataset) -> None:
    assert all(row["n"] is None for row in suppressed(specifications(demo, HEADLINE)).to_dict()["rows"])


def test_an_office_that_is_few_goes_with_a_companion(demo: Dataset) -> None:
    answer = leave_one_out(demo, HEADLINE)
    few = answer.most_influential
    assert few is not None
    rows = tuple(
        dataclasses.replace(row, lost={"virtual": 3, "in_person": 90}) if row is few else row
        for row in answer.rows
    )
    shown: LeaveOneOut = suppressed(dataclasses.replace(answer, rows=rows))
    hidden = [row for row in shown.rows if not row.lost]
    assert len(hidden) == 2 and few.label in {row.label for row in hidden}
    assert all(row.estimate is None and row.to_dict()["low"] is None for row in hidden)
    assert all(row.to_dict()["n"] in (None, 0) for row in hidden)
    assert few.label not in shown.sentence and "suppressed" in shown.caveats


def test_a_figure_can_be_asked_for_without_small_counts(small_demo: Dataset) -> None:
    for name in FIGURES:
        made = figure(f"virtual_vs_in_person.{name}", small_demo, Selection(risks=("medium",)), suppress=True)
        assert made.state is not None or made.chart is not None
