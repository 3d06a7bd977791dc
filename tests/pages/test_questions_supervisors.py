"""What a field-office supervisor asks (questions 10–14 of the 25): on the pages, and counted again from source rows."""

from __future__ import annotations

import math
import re

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.families as families
from scipy import stats
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.multitest import multipletests

from tests.pages.screens import Query, Screen, of, percents, seen
from tests.pages.second_way import both_modes, overdue_after, rows_of
from tests.pages.test_questions_leadership import ADDRESS, FILTERS
from tests.pages.test_questions_program import FILTERS as REVALIDATIONS

ODD: Query = {
    "from_": "2020-07-01",
    "entity_type": ["importer", "highway_carrier", "foreign_manufacturer", "consolidator"],
    "mode": ["virtual", "in_person"],
}
CASE_MIX = ["risk", "kind", "location", "mode", "entity_type", "quarter"]


@pytest.fixture(scope="module")
def page() -> Screen:
    return seen("anomalies.py", ODD)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return rows_of("validations", ODD)


def test_q10_how_an_office_compares_once_case_mix_is_allowed_for(page: Screen, visits: pd.DataFrame) -> None:
    """Is an office's share beyond what its case mix, and chance, lead to expect?"""
    shown = page.figure("anomalies.offices")
    x = pd.get_dummies(visits[CASE_MIX].astype("category"), drop_first=True).to_numpy(float)
    fit = GLM(
        visits["any_deficiency"].to_numpy(float),
        np.column_stack([np.ones(len(x)), x]),
        family=families.Binomial(),
    ).fit(tol=1e-12)
    offices = visits.assign(expected=fit.fittedvalues).groupby("field_office")
    sums = offices[["n", "any_deficiency", "expected"]].sum()
    whole = visits["any_deficiency"].mean()
    own, usual = (np.arcsin(np.sqrt(sums[c] / sums["n"])) for c in ("any_deficiency", "expected"))
    z = 2 * np.sqrt(sums["n"]) * (own - usual)
    spread = (z.clip(*z.quantile([0.1, 0.9])) ** 2).mean()
    assert f"(φ = {spread:.2f})" in shown.words
    # Offices scatter no more than chance makes them here, so nothing widens the limits.
    assert spread < 1
    q = dict(zip(sums.index, multipletests(2 * stats.norm.sf(abs(z)), method="fdr_bh")[1], strict=True))
    assert len(shown.table) == len(sums)
    for office, row in sums.iterrows():
        seen_there = shown.row(str(office))
        assert seen_there["Validations"] == f"{row['n']:,.0f}"
        assert seen_there["With one"] == f"{row['any_deficiency']:,.0f}"
        assert seen_there["Expected"] == f"{row['expected']:,.0f}"
        adjusted = math.sin(math.asin(math.sqrt(whole)) + own[office] - usual[office]) ** 2
        assert percents(seen_there["Adjusted (95% interval)"])[0] == pytest.approx(100 * adjusted, abs=0.051)
        assert float(seen_there["q"]) == pytest.approx(q[office], abs=0.0051)
        assert bool(seen_there["Worth a look"]) == (q[office] < 0.05)


def test_q11_what_is_overdue() -> None:
    """How many validations of an office are overdue, of those that were due?"""
    screen = Screen("overview.py", {})
    screen.do(lambda app: app.multiselect(key="office-shown").set_value(["Miami"]).run())
    screen.open_tables()
    month, mine = 2022 * 12 + 11, {"office": "Miami"}
    due = rows_of("backlog", mine)
    due = due[(due["due_month"] <= month) & ~(due["left_month"] <= month)]
    overdue = overdue_after(month, mine)
    row = screen.figure("overview.statistics").row("Validations overdue")
    assert row["Value"] == f"{overdue:,}" and f"{overdue:,} validations are overdue" in screen.words
    assert percents(row["Interval or count"]) == [round(100 * overdue / len(due), 1)]
    assert (
        screen.figure("virtual_vs_in_person.backlog").row("Dec 2022")["Overdue at its end"] == f"{overdue:,}"
    )


def test_q12_which_validations_deserve_a_second_look(page: Screen, visits: pd.DataFrame) -> None:
    """Which validations found nothing in a very short time, and how many were looked through?"""
    quick: dict[str, str] = {}
    for _, own in visits[visits["hours"] > 0].groupby("mode"):
        odd = own[(own["hours"] <= min(own["hours"].quantile(0.025), 1.5)) & (own["n_deficient"] == 0)]
        quick |= {
            row.validation_id: f"in {row.hours * 60:.0f} minutes, where [\\d.]+ were expected and {own['hours'].median():.1f} hours"
            for row in odd.itertuples()
        }
    shown = page.figure("anomalies.validations")
    listed = shown.column("Why it deserves a second look")
    assert quick and {who for who, why in listed.items() if "No deficiency in" in why} == set(quick)
    for who, why in quick.items():
        assert re.search(why, listed[who])
    assert f"{len(listed)} of {len(visits):,} validations deserve a second look" in page.words


def test_q13_where_technology_problems_and_not_verified_cluster(page: Screen, visits: pd.DataFrame) -> None:
    """By video platform: on how many validations was time lost, and how many criteria could not be verified?"""
    virtual = visits[visits["mode"] == "virtual"]
    lost, unseen = (page.figure(f"anomalies.{name}") for name in ("minutes_lost", "not_verified"))
    assert len(lost.table) == virtual["platform"].nunique()
    for platform, rows in virtual.groupby("platform"):
        (row,) = (
            row
            for row in lost.table.to_dict("records")
            if row["Video platform"].endswith(platform[-1].upper())
        )
        timed = rows["minutes_lost"].dropna()
        assert row["Minutes lost on"].endswith(f", {of((timed > 0).sum(), len(timed))}")
        assert row["Lost in the middle"] == f"{timed[timed > 0].median():.0f} minutes"
        counts = of(rows["n_not_verified"].sum(), rows["n_verifiable"].sum())
        assert unseen.row(row["Video platform"])["Criteria not verified"].endswith(f", {counts}")
    assert f"All: {100 * (virtual['minutes_lost'] > 0).mean():.1f}%" in lost.words


def test_q14_actions_closed_on_time_and_findings_that_come_back() -> None:
    """What share of findings was corrected by its due date, by mode; and how many were found again?"""
    shown = seen("virtual_vs_in_person.py", ADDRESS).figure("virtual_vs_in_person.metrics")
    row, due = (
        shown.row("Findings corrected"),
        both_modes(FILTERS).groupby("mode")[["n_closed_on_time", "n_due"]].sum(),
    )
    for mode, label in (("virtual", "Virtual"), ("in_person", "In person")):
        closed, of_all = due.loc[mode]
        assert 0 < closed < of_all and percents(row[label]) == [round(100 * closed / of_all, 1)]
    repeats = seen("msc_deficiencies.py", REVALIDATIONS).figure("msc_deficiencies.repeats")
    pairs = rows_of("pairs", REVALIDATIONS)
    names = {"virtual": "Virtual", "in_person": "In person"}
    pairs = pairs[pairs["mode"].isin(names) & pairs["previous_mode"].isin(names)]
    again = pairs.groupby(["previous_mode", "mode"])[["n_repeat", "n_repeatable"]].sum()
    expected = {
        (names[first], names[second]): of(*row)
        for (first, second), row in again.iterrows()
        if row["n_repeatable"]
    }
    table = repeats.table
    assert (
        dict(
            zip(
                zip(table["First found"], table["Looked at again"], strict=True),
                table["Deficient again"],
                strict=True,
            )
        )
        == expected
    )
    assert f"{of(*again.sum())} deficiencies were found again" in repeats.words
