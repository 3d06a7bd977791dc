"""What analysts ask (questions 15–20 of the 25): found on the pages, and counted again from the source rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import statsmodels.genmod.families as families
from statsmodels.genmod.generalized_linear_model import GLM

from tests.pages.screens import Query, Screen, numbers, of, percents, points, seen, signed
from tests.pages.second_way import (
    COLUMNS,
    MUST,
    both_modes,
    by_mode,
    criteria_again,
    detectable,
    in_window,
    mantel_haenszel,
    rows_of,
    source,
    standardised,
)
from tests.pages.test_questions_leadership import ADDRESS, FILTERS
from tests.pages.test_questions_program import CAUSE, INCIDENTS


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


def test_q15_balance_and_what_adjusting_changes(
    page: Screen, chosen: pd.DataFrame, window: pd.DataFrame
) -> None:
    """How unlike were those validated virtually, are they alike after weighting, and what does that change?"""
    shown = page.figure("virtual_vs_in_person.balance")
    virtual, in_person = (window[window["mode"] == mode] for mode in ("virtual", "in_person"))
    for first, column, value in (
        ("Kind of validation: Initial", "kind", "initial"),
        ("Risk: High", "risk", "high"),
        ("Field office: Miami", "field_office", "Miami"),
    ):
        p1, p0 = ((rows[column] == value).mean() for rows in (virtual, in_person))
        row = shown.row(first)
        assert [*percents(row["Virtual"]), *percents(row["In person"])] == [
            round(100 * p, 1) for p in (p1, p0)
        ]
        gap = (p1 - p0) / math.sqrt((p1 * (1 - p1) + p0 * (1 - p0)) / 2)
        assert row["Before"] == signed(gap, 2) and row["After"] == "0.00"
    dummies = pd.get_dummies(window[COLUMNS].astype("category"), drop_first=True).to_numpy(float)
    x = np.column_stack([np.ones(len(window)), dummies])
    propensity = GLM(window["arm"].to_numpy(), x, family=families.Binomial()).fit(tol=1e-12).fittedvalues
    weight = np.where(window["arm"] == 1, 1 - propensity, propensity)
    size = [weight[window["arm"] == arm] for arm in (1, 0)]
    like = [round(w.sum() ** 2 / (w**2).sum()) for w in size]
    assert (
        f"{len(virtual)} virtual weigh like {like[0]} and {len(in_person)} in person weigh like {like[1]}"
        in shown.words
    )
    rates = chosen.groupby("mode")[MUST].mean()
    crude = points(rates["virtual"] - rates["in_person"])
    adjusted = points(standardised(window, window[MUST])["gap"])
    assert f"{crude} points crude, {adjusted} like for like" in page.figure("virtual_vs_in_person.ways").words


def test_q16_other_margins_models_periods_and_clusterings(page: Screen, window: pd.DataFrame) -> None:
    """Does the answer survive another margin, model, period, set of offices, or way of clustering?"""
    again = standardised(window, window[MUST])
    smallest = math.ceil(-again["low"] * 1000) / 10
    assert page.figure("virtual_vs_in_person.margin").row("Smallest")["Size"] == f"{smallest:g} points"
    table = page.figure("virtual_vs_in_person.specifications").table
    estimates = sorted(float(each.replace("−", "-")) for each in table["Estimate"])
    assert len(table) == len(table.drop_duplicates(list(table.columns[:5])))
    assert f"estimates run from {signed(estimates[0], 1)} to {signed(estimates[-1], 1)} points" in (
        page.figure("virtual_vs_in_person.specifications").words
    )

    def row(**choices: str) -> dict[str, str]:
        names = ["Adjusted for", "Period", "Left out", "Method", "Errors"]
        keep = np.logical_and.reduce(
            [table[n].eq(choices.get(n.replace(" ", "_"), "As asked")) for n in names]
        )
        assert keep.sum() == 1
        return dict(table[keep].iloc[0])

    few = "Adjusted for risk, kind and location only"
    stratified = row(Adjusted_for=few, Method="Stratified (Mantel–Haenszel)")
    assert stratified["Estimate"] == points(mantel_haenszel(window)[0])
    assert stratified["n"] == f"{len(window):,}"
    model = standardised(window, window[MUST], ["risk", "kind"])
    assert row(Adjusted_for=few)["Estimate"] == points(model["gap"])
    later = window[window["kind"] != "initial"]
    without = row(Left_out="Without initial validations")
    assert without["n"] == f"{len(later):,}"
    columns = [c for c in COLUMNS if c != "kind"]
    assert without["Estimate"] == points(standardised(later, later[MUST], columns)["gap"])
    quarters = sorted(window["quarter"].unique())
    second = window[window["quarter"].isin(quarters[len(quarters) // 2 :])]
    assert row(Period="Second half of the quarters")["n"] == f"{len(second):,}"
    alone = window.assign(specialist_id=range(len(window)))
    low, high = numbers(row(Errors="Errors as of independent validations")["95% interval"])
    single = standardised(alone, alone[MUST])
    assert [low, high] == pytest.approx([100 * single["low"], 100 * single["high"]], abs=0.2)
    rest = window[window["field_office"] != "Miami"]
    assert page.figure("virtual_vs_in_person.leave_out").row("Miami")["Estimate"] == points(
        standardised(rest, rest[MUST])["gap"]
    )


def test_q17_bounds_with_what_was_not_verified(page: Screen, window: pd.DataFrame) -> None:
    """How far could the answer move if what could not be verified were all deficient, or none of it?"""
    shown = page.figure("virtual_vs_in_person.unseen")
    possible = window["possibly_must_deficient"]
    assert possible.sum() > window[MUST].sum()
    for mode, label in (("virtual", "Virtual"), ("in_person", "In person")):
        rows = window[window["mode"] == mode]
        hidden = rows["possibly_must_deficient"] - rows[MUST]
        assert shown.row(label)["Could hide one"] == of(hidden.sum(), len(rows))
        most = 100 * rows["possibly_must_deficient"].mean()
        assert percents(shown.row(label)["At most"]) == [round(most, 1)]
    virtual = window["mode"] == "virtual"
    for label, y in (
        ("Deficient on virtual only", window[MUST].where(~virtual, possible)),
        ("Deficient on both", possible),
        ("Deficient on neither", window[MUST]),
        ("Deficient on in-person only", window[MUST].where(virtual, possible)),
    ):
        again = standardised(window, y)
        assert shown.row(label)["Like for like (95% interval)"] == (
            f"{points(again['gap'])} ({points(again['low'])} to {points(again['high'])})"
        )


def test_q18_what_remains_after_many_looks_and_what_could_be_seen(
    page: Screen, chosen: pd.DataFrame, window: pd.DataFrame
) -> None:
    """Which categories and criteria differ after allowing for all looks, and how large a difference would be found?"""
    categories = page.figure("virtual_vs_in_person.categories")
    for name in ("Physical Security", "Seal Security", "Cyber Security"):
        row = categories.row(name)
        column = f"any_deficiency#{name}"
        for label, counts in zip(("Virtual", "In person"), by_mode(chosen, column).values(), strict=True):
            assert f"({counts})" in row[label]
        assert row["Adjusted difference"] == points(mantel_haenszel(window, column)[0])
    q, tested = criteria_again(window)
    shown = page.figure("virtual_vs_in_person.criteria")
    called = sum(each < 0.05 for each in q.values())
    assert f"{called or 'None'} of {tested} criteria" in shown.words
    for criterion, value in sorted(q.items(), key=lambda each: each[1])[:5]:
        assert float(shown.row(f"{criterion} ")["q"]) == pytest.approx(value, abs=0.0051)
    power = page.figure("virtual_vs_in_person.power").row("Found four times in five")["Value"]
    assert power == f"{points(detectable(window))} points"


def test_q19_whether_a_cause_goes_with_earlier_deficiencies() -> None:
    """Were members with an incident of a cause deficient more often at their last validation before it?"""
    shown = seen("incidents.py", {**INCIDENTS, "cause": CAUSE}).figure("incidents.earlier_deficiencies")
    visits = rows_of("validations", {})
    incidents = rows_of("causes", INCIDENTS).query("cause == @CAUSE and member_id.notna()").sort_values("day")
    cases: dict[str, int] = {}
    for incident in incidents.itertuples():
        before = visits.index[(visits["member_id"] == incident.member_id) & (visits["day"] < incident.day)]
        if len(before):
            cases.setdefault(incident.member_id, before[-1])
    last = visits.groupby("member_id").tail(1)
    others = last[~last["member_id"].isin(cases)]
    everybody = pd.concat([visits.loc[list(cases.values())], others])
    with_one = everybody["member_id"].isin(cases)
    categories = {c: row["category"] for c, row in source().criteria.items()}
    names = list(dict.fromkeys(categories.values()))
    assert f"up to {len(cases)} members" in shown.words and len(shown.table) == len(names)
    for name in names:
        looked = everybody["assessed"].map(lambda found, name=name: any(categories[c] == name for c in found))
        deficient = everybody[f"any_deficiency#{name}"] == 1
        (y1, n1), (y, n) = (((deficient & w & looked).sum(), (looked & w).sum()) for w in (with_one, True))
        row = shown.row(name)
        assert row["With an incident"].startswith(f"{of(y1, n1)} (")
        assert row["All validated members"].startswith(f"{of(y, n)} (")
        assert row["Times as often (95% interval)"].startswith(f"{(y1 / n1) / (y / n):.2f} (")


def test_q20_what_feedback_says_by_mode_and_who_did_not_answer() -> None:
    """How do specialists of an office score, by mode, and after how many validations did nobody answer?"""
    screen = Screen("feedback.py", {})
    screen.do(lambda app: app.multiselect(key="office-shown").set_value(["Houston"]).run())
    screen.open_tables()
    mine: Query = {"office": "Houston", "mode": ["virtual", "in_person"]}
    visits, answers = rows_of("validations", mine), rows_of("feedback", mine)
    labels = {"virtual": "Virtual", "in_person": "In person"}
    table = screen.figure("feedback.response").table
    assert len(table) == 4
    for row in table.to_dict("records"):
        mode = {label: code for code, label in labels.items()}[row["Validation mode"]]
        here = answers[(answers["mode"] == mode) & (answers["respondent"] == row["Respondent"].lower())]
        there = visits[visits["mode"] == mode]["validation_id"]
        silent = ~there.isin(here["validation_id"])
        assert row["Counts"] == of(len(there) - silent.sum(), len(there)) and silent.any()
        assert percents(row["Answered"]) == [round(100 * (1 - silent.mean()), 1)]
    scores = screen.figure("feedback.scores")
    said = answers[answers["respondent"] == "specialist"]
    for item, label in (("confidence", "Confidence in the result"), ("thoroughness", "Thoroughness")):
        row = scores.row(label)
        for mode, name in labels.items():
            given = said.loc[(said["item"] == item) & (said["mode"] == mode), "score"]
            assert row[f"{name}, 4 or 5"].endswith(f"({of((given >= 4).sum(), len(given))})")
            assert row[f"{name}, median"] == f"{given.median():.0f}"
