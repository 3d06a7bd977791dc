"""The backlog by month: against a count over the source rows, the key statistics, and its own rules."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from analysis import Dataset, Selection, figure, overview
from analysis.questions.backlog import backlog
from analysis.selection import month_number, month_start
from analysis.suppression import suppressed
from tests.recount import Recount

SMALL = range(1, 5)


@pytest.fixture(scope="module")
def again(small_demo: Dataset) -> Recount:
    return Recount(small_demo.path)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(offices=("Miami",)),
        Selection(entity_types=("importer",), end=dt.date(2021, 3, 31)),
    ],
)
def test_months_are_those_of_the_source_rows(
    small_demo: Dataset, again: Recount, selection: Selection
) -> None:
    cycle = again.tables["backlog"]
    visits = again.tables["validations"]
    for column, values in (("field_office", selection.offices), ("entity_type", selection.entity_types)):
        if values:
            cycle, visits = cycle[cycle[column].isin(values)], visits[visits[column].isin(values)]
    answer = backlog(small_demo, selection)
    start, end = selection.period(small_demo)
    assert [row.month for row in answer.rows] == list(range(month_number(start), month_number(end) + 1))
    months = pd.Series([month_number(day) for day in visits["day"]], visits.index)
    for row in answer.rows:
        at = row.month + 1
        here = (cycle["due_month"] < at) & ~(cycle["left_month"].astype(float) < at)
        still = here & ~(cycle["done_month"].astype(float) < at)
        assert (row.overdue, row.due) == (still.sum(), here.sum()), month_start(row.month)
        done = visits[months == row.month]["mode"].value_counts()
        others = done.sum() - done.get("virtual", 0) - done.get("in_person", 0)
        assert (row.virtual, row.in_person, row.others) == (
            done.get("virtual", 0),
            done.get("in_person", 0),
            others,
        )


@pytest.mark.parametrize("end", [dt.date(2022, 12, 31), dt.date(2021, 2, 28), dt.date(2020, 5, 15)])
def test_the_last_month_is_the_key_statistic(demo: Dataset, end: dt.date) -> None:
    selection = Selection(offices=("Houston", "Miami"), end=end)
    statistic = overview(demo, selection).statistic("overdue")
    last = backlog(demo, selection).rows[-1]
    assert statistic is not None and (last.overdue, last.due) == (statistic.count, statistic.n)


def test_filters_that_cannot_be_applied_are_said(demo: Dataset) -> None:
    plain, filtered = (
        backlog(demo),
        backlog(demo, Selection(modes=("virtual",), risks=("high",), focus_areas=("Corporate Security",))),
    )
    assert filtered.rows == plain.rows
    assert filtered.caveats == ("backlog_filters_ignored",)


def test_the_sentence_says_its_numbers(demo: Dataset) -> None:
    answer = backlog(demo)
    last, before = answer.rows[-1], answer.rows[-13]
    since = answer.rows[-12:]
    words = answer.sentence.replace("**", "")
    assert last.overdue is not None and before.overdue is not None
    assert f"{last.overdue} validations were overdue at the end of December 2022" in words
    assert f"{last.overdue - before.overdue} more than at the end of December 2021" in words
    assert f"{sum(row.done or 0 for row in since):,} validations were done" in words
    assert len(words.split()) <= 45
    one = backlog(demo, Selection(start=dt.date(2021, 3, 1), end=dt.date(2021, 3, 31)))
    assert len(one.rows) == 1 and f"of {one.rows[0].due:,} validations due by then" in one.sentence
    assert (
        backlog(demo, Selection(start=dt.date(2035, 1, 1))).sentence == "No validations match these filters."
    )


def test_a_dataset_without_a_cycle_says_so(demo: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    import analysis.questions.backlog as module

    monkeypatch.setattr(module, "available", lambda dataset, table: table != "backlog")
    answer = backlog(demo)
    assert answer.rows == () and answer.caveats == ("cycle_unknown",)
    made = figure("virtual_vs_in_person.backlog", demo)
    assert made.state is not None and "when validations were due" in made.state.fact


def test_small_counts_are_hidden(demo: Dataset, small_demo: Dataset) -> None:
    for dataset in (demo, small_demo):
        for selection in (Selection(), Selection(offices=("Newark",))):
            answer = suppressed(backlog(dataset, selection))
            shown = [
                n
                for row in answer.rows
                for n in (row.overdue, row.due, row.virtual, row.in_person, row.others)
            ]
            assert not set(shown) & set(SMALL)
            for row in answer.rows:
                if row.due is not None and row.overdue is not None:
                    assert row.due - row.overdue not in SMALL
            if None in shown:
                assert answer.sentence == "Some counts are too small to show." and answer.peak is None
            made = figure("virtual_vs_in_person.backlog", dataset, selection, suppress=True)
            assert "in neither of the two modes" not in made.caption or None not in shown
