"""What leadership asks of virtual against in person (questions 1–5 of the 25): found on the page, and counted again.

Counts and medians are those of plain pandas on the source rows; estimates come a second way.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from tests.pages.screens import Query, Screen, numbers, percents, points, seen, signed
from tests.pages.second_way import (
    MUST,
    both_modes,
    by_mode,
    in_window,
    mantel_haenszel,
    overdue_after,
    rows_of,
    standardised,
)

KINDS = ["highway_carrier", "foreign_manufacturer", "importer", "mexican_long_haul_carrier"]
FILTERS: Query = {"from_": "2020-01-01", "location": "foreign", "entity_type": KINDS}
ADDRESS: Query = {**FILTERS, "by": "entity_type"}


@pytest.fixture(scope="module")
def page() -> Screen:
    return seen("virtual_vs_in_person.py", ADDRESS)


@pytest.fixture(scope="module")
def chosen() -> pd.DataFrame:
    """Validations of both modes that the filters select."""
    return both_modes(FILTERS)


@pytest.fixture(scope="module")
def window(chosen: pd.DataFrame) -> pd.DataFrame:
    return in_window(chosen)


def test_q01_as_many_must_deficiencies_like_for_like(
    page: Screen, chosen: pd.DataFrame, window: pd.DataFrame
) -> None:
    """Does virtual write down a Must deficiency as often as in person, and within what interval?"""
    verdict = page.figure("virtual_vs_in_person.verdict").words
    for label, counts in zip(("Virtual", "In person"), by_mode(chosen, MUST).values(), strict=True):
        assert re.search(rf"{label} [\d.]+% {counts}", verdict)
    again = standardised(window, window[MUST])
    assert f"virtual minus in-person {points(again['gap'])} percentage points" in verdict
    assert f"95% interval {points(again['low'])} to {points(again['high'])}" in verdict
    assert f"n = {len(window):,} validations" in page.words
    ways = page.figure("virtual_vs_in_person.ways")
    rates = chosen.groupby("mode")[MUST].mean()
    assert ways.row("Crude")["Estimate"].startswith(points(rates["virtual"] - rates["in_person"]))
    assert ways.row("Stratified (M")["Estimate"].startswith(points(mantel_haenszel(window)[0]))


def test_q02_what_virtual_leaves_unseen_and_what_it_sees_as_well(
    page: Screen, chosen: pd.DataFrame, window: pd.DataFrame
) -> None:
    """By how a criterion is seen: where does virtual find less, and where as much?"""
    shown = page.figure("virtual_vs_in_person.seen_by")
    for how in ("document", "interview", "physical"):
        row = shown.row(how.capitalize())
        for label, counts in zip(
            ("Virtual", "In person"),
            by_mode(chosen, f"n_deficient_{how}", f"n_assessed_{how}").values(),
            strict=True,
        ):
            assert f"({counts})" in row[label]
        gap, ratio = mantel_haenszel(window, f"n_deficient_{how}", f"n_assessed_{how}")
        assert row["Adjusted ratio"].startswith(f"{ratio:.2f} (")
        assert row["Difference, points"].startswith(f"{signed(gap * 100, 2)} (")


def test_q03_for_which_members_virtual_is_good_enough(
    page: Screen, chosen: pd.DataFrame, window: pd.DataFrame
) -> None:
    """By entity type: both modes' counts, the difference, and whether its interval keeps the 5-point margin."""
    shown = page.figure("virtual_vs_in_person.groups")
    assert len(shown.table) == len(KINDS)
    for kind in KINDS:
        row = shown.row(kind.replace("_", " ").replace("long haul", "long-haul highway").capitalize())
        for label, counts in zip(
            ("Virtual", "In person"),
            by_mode(chosen[chosen["entity_type"] == kind], MUST).values(),
            strict=True,
        ):
            assert f"({counts})" in row[label]
        low, high = numbers(row["95% interval"])
        assert row["Verdict"] == ("As good" if low > -5 else "Not as good" if high < -5 else "Can’t tell yet")
    mine = window[window["entity_type"] == "foreign_manufacturer"]
    again = standardised(mine, mine[MUST], ["risk", "kind", "quarter", "field_office"])
    row = shown.row("Foreign manufacturer")
    assert row["Adjusted difference"] == points(again["gap"])


def test_q04_what_time_and_backlog_it_saved(page: Screen, window: pd.DataFrame) -> None:
    """Hours by mode, and what is overdue: more or less than a year before, and by which mode the rest was done?"""
    hours = window.groupby("mode")["hours"]
    row = page.figure("virtual_vs_in_person.effort").row("Hours")
    quarters = {mode: hours.get_group(mode).quantile([0.25, 0.5, 0.75]) for mode in ("virtual", "in_person")}
    for label, (low, median, high) in zip(("Virtual", "In person"), quarters.values(), strict=True):
        found = [float(each) for each in re.findall(r"[\d.]+", row[label])]
        assert found == pytest.approx([median, low, high], abs=0.0501)
    recorded = hours.count() / window.groupby("mode").size()
    assert percents(row["Recorded"]) == [round(100 * recorded[m], 1) for m in ("virtual", "in_person")]
    shown = page.figure("virtual_vs_in_person.backlog")
    overdue = {month: overdue_after(month, FILTERS) for month in (2021 * 12 + 11, 2022 * 12 + 11)}
    for month, name in ((2021 * 12 + 11, "Dec 2021"), (2022 * 12 + 11, "Dec 2022")):
        assert shown.row(name)["Overdue at its end"] == f"{overdue[month]:,}"
    year = rows_of("validations", {"from_": "2022-01-01", "entity_type": KINDS})
    virtual = 100 * (year["mode"] == "virtual").mean()
    assert f"in between {len(year):,} validations were done, {virtual:.1f}% of them virtual" in page.words


def test_q05_incidents_afterwards(page: Screen, window: pd.DataFrame) -> None:
    """How many had a first incident after the validation, within a year, and how many were still followed?"""
    shown = page.figure("virtual_vs_in_person.afterwards")
    events, risks = {}, {}
    for mode, label in (("virtual", "Virtual"), ("in_person", "In person")):
        time, event = (
            np.array(part) for part in zip(*window.loc[window["mode"] == mode, "followup"], strict=True)
        )
        curve = SurvfuncRight(time, event)
        risks[mode] = 1 - curve.surv_prob[np.searchsorted(curve.surv_times, 365, side="right") - 1]
        events[mode] = f"{event.sum()} first incidents in {len(time):,}"
        said = shown.row("Risk within 12 months")[label]
        assert f"; {((event == 1) & (time <= 365)).sum()} incidents)" in said
        assert percents(said)[0] == pytest.approx(100 * risks[mode], abs=0.0051)
        assert shown.row("Still followed after 6 months")[label] == f"{(time >= 182).sum():,}"
    assert f"{events['virtual']} virtual and {events['in_person']} in person validations" in shown.words
