"""Changes against the comparable period before: which periods, by how much, and what is hidden."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from analysis.datasets.engines import collected
from analysis.datasets.opening import Dataset
from analysis.figures import figure
from analysis.questions.overview import overview, validations_by_month
from analysis.questions.overview_changes import comparable_periods
from analysis.questions.overview_records import Monthly
from analysis.selection import Selection
from analysis.suppression import suppressed
from analysis.suppression.small import is_small

FY21 = Selection(start=dt.date(2020, 10, 1), end=dt.date(2021, 9, 30))


def test_a_chosen_period_is_compared_with_the_one_before_it(demo: Dataset) -> None:
    periods = comparable_periods(demo, FY21)
    assert periods is not None
    assert (periods.before.start, periods.before.end) == (dt.date(2019, 10, 1), dt.date(2020, 9, 30))
    assert (periods.before_name, periods.latest_name) == ("FY20", "")


def test_without_a_period_the_last_year_is_compared(demo: Dataset) -> None:
    periods = comparable_periods(demo, Selection(offices=("Miami",)))
    assert periods is not None
    assert (periods.latest.start, periods.latest.end) == (dt.date(2022, 1, 1), dt.date(2022, 12, 31))
    assert periods.before.offices == ("Miami",)
    assert (periods.before_name, periods.latest_name) == ("2021", "2022")


@pytest.mark.parametrize(
    "selection",
    [
        Selection(end=dt.date(2018, 12, 31)),
        Selection(start=dt.date(2021, 1, 15)),
        Selection(start=dt.date(2030, 1, 1)),
        Selection(start=dt.date(2019, 1, 1)),
    ],
)
def test_no_period_before_is_no_change(demo: Dataset, selection: Selection) -> None:
    answer = overview(demo, selection)
    assert all(each.change is None for each in answer.statistics)
    assert ("no_earlier_period" in answer.caveats) == bool(answer.n)


def test_changes_are_those_of_the_rows(demo: Dataset) -> None:
    rows = collected(demo.rows("validations"))
    day = pd.to_datetime(rows["conducted_on"])
    parts = [
        rows[day.between(*ends)] for ends in (("2020-10-01", "2021-09-30"), ("2019-10-01", "2020-09-30"))
    ]
    now, then = parts
    answer = overview(demo, FY21)
    done = answer.statistic("validations")
    assert done is not None and done.change is not None and done.change.difference == len(now) - len(then)
    virtual = answer.statistic("virtual")
    assert virtual is not None and virtual.change is not None and virtual.change.interval is not None
    counts = [int((part["mode"] == "virtual").sum()) for part in parts]
    assert virtual.change.difference == pytest.approx(counts[0] / len(now) - counts[1] / len(then))
    low, high = confint_proportions_2indep(
        counts[0], len(now), counts[1], len(then), method="newcomb", compare="diff"
    )
    assert (virtual.change.interval.low, virtual.change.interval.high) == pytest.approx((low, high))


def test_the_tiles_say_it(demo: Dataset) -> None:
    table = figure("overview.statistics", demo, FY21).table.set_index("Statistic")
    assert (
        table.loc["Any Must deficiency", "Change"].endswith(")")
        and " on FY20 (" in table.loc["Any Must deficiency", "Change"]
    )


def test_a_small_remainder_hides_the_change(small_demo: Dataset) -> None:
    for office in small_demo.present("field_office"):
        answer = suppressed(overview(small_demo, Selection(offices=(office,), start=dt.date(2022, 1, 1))))
        for each in answer.statistics:
            if each.change is not None:
                told = [*each.change.latest, *each.change.before]
                assert not any(is_small(count) for count in told)


def test_small_months_are_hidden_with_a_companion() -> None:
    answer = suppressed(Monthly(((1, "virtual", 3), (1, "in_person", 40), (2, "virtual", 12)), 55))
    assert [n for _, _, n in answer.rows] == [None, 40, None]
    assert answer.n == 55 and "suppressed" in answer.caveats


def test_the_picture_of_months_hides_them(demo: Dataset) -> None:
    plain = validations_by_month(demo)
    small = [(month, mode) for month, mode, n in plain.rows if is_small(n)]
    assert small, "the demo has months with next to nobody"
    shown = figure("overview.months", demo, suppress=True)
    assert not shown.data["n"].dropna().between(1, 4).any()
