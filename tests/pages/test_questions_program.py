"""What leadership asks of deficiencies and incidents (questions 6–9 of the 25): on the pages, and counted again."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.pages.screens import Query, Screen, of, percents, seen
from tests.pages.second_way import rows_of, source

FILTERS: Query = {"from_": "2019-10-01", "kind": "revalidation"}
INCIDENTS: Query = {"from_": "2019-07-01"}
CAUSE = "internal_conspiracy"
FEWEST = 30
CATEGORIES = list(dict.fromkeys(row["category"] for row in source().criteria.values()))


@pytest.fixture(scope="module")
def page() -> Screen:
    return seen("msc_deficiencies.py", FILTERS)


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    return rows_of("validations", FILTERS)


@pytest.fixture(scope="module")
def asked(visits: pd.DataFrame) -> pd.DataFrame:
    """One row a criterion and validation that assessed it: deficient or not."""
    columns = ["field_office", "quarter", "fiscal_year", "deficient"]
    long = visits[["assessed", *columns]].explode("assessed").rename(columns={"assessed": "criterion"})
    return long.assign(y=[c in found for c, found in zip(long["criterion"], long["deficient"], strict=True)])


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    rows = rows_of("findings", FILTERS)
    return rows[rows["answer"] == "deficient"]


def trends(asked: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Cochran–Armitage tests over quarters as one family: criterion → direction of the slope and q-value."""
    slopes, p = {}, {}
    for criterion, rows in asked.groupby("criterion"):
        part = rows.groupby("quarter")["y"].agg(["sum", "size"])
        share, score = part["sum"].sum() / part["size"].sum(), part.index.to_numpy(float)
        away = score - np.average(score, weights=part["size"])
        slopes[criterion] = float((part["sum"] * away).sum())
        error = math.sqrt(share * (1 - share) * (part["size"] * away**2).sum())
        p[criterion] = 2 * stats.norm.sf(abs(slopes[criterion]) / error)
    q = multipletests(list(p.values()), method="fdr_bh")[1]
    return {criterion: (slopes[criterion], float(value)) for criterion, value in zip(p, q, strict=True)}


def test_q06_top_deficiencies_by_count_and_rate_must_and_should_rising(
    page: Screen, visits: pd.DataFrame, asked: pd.DataFrame, found: pd.DataFrame
) -> None:
    """Which criteria are deficient most, by count and by rate; Must or Should; and is any of them rising?"""
    counted = asked.groupby("criterion")["y"].agg(["sum", "size"])
    shown = page.figure("msc_deficiencies.criteria")
    assert len(shown.table) == len(counted) and f"n = {len(visits):,} validations" in shown.words
    for row in shown.table.to_dict("records"):
        criterion = row["Criterion"].split(" ")[0]
        y, n = counted.loc[criterion]
        assert (row["Deficient"], row["Assessed"]) == (f"{y:,}", f"{n:,}")
        assert percents(row["Rate (95% interval)"])[0] == pytest.approx(100 * y / n, abs=0.051)
        assert row["Must or Should"].lower() == source().criteria[criterion]["level"]
    rates = (counted["sum"] / counted["size"]).sort_values(ascending=False)
    assert shown.table["Criterion"].iloc[0].startswith(f"{rates.index[0]} ")
    # The order is a choice of the page.
    mine = Screen("msc_deficiencies.py", FILTERS)
    mine.do(lambda app: app.selectbox(key="order-shown").set_value("count").run())
    mine.open_tables()
    shown = mine.figure("msc_deficiencies.criteria")
    assert "Sorted by count" in shown.words
    assert [int(each.replace(",", "")) for each in shown.table["Deficient"]] == sorted(counted["sum"])[::-1]
    categories = page.figure("msc_deficiencies.categories")
    for number, name in enumerate(CATEGORIES, 1):
        row = categories.row(f"{number} {name}")
        part = found[found["category"] == name]
        assert (
            row["Count"] == f"{len(part):,}"
            and row["Of which Must"] == f"{(part['level'] == 'must').sum():,}"
        )
        assert percents(row["Share (95% interval)"])[0] == pytest.approx(
            100 * len(part) / len(found), abs=0.051
        )
    rising = [criterion for criterion, (slope, q) in trends(asked).items() if q < 0.05 and slope > 0]
    said = page.figure("msc_deficiencies.candidates").words
    assert f"{len(rising) or 'none'} rising" in said


def test_q07_why_they_occur(page: Screen, found: pd.DataFrame) -> None:
    """What reasons stand behind deficiencies, overall, by mode, and within a category?"""
    shown = page.figure("msc_deficiencies.reasons")
    reasons = found["reason"].value_counts()
    modes = pd.crosstab(found["reason"], found["mode"])
    assert len(shown.table) == len(reasons)
    for reason, count in reasons.items():
        row = shown.row(str(reason).replace("_", " ").capitalize())
        assert row["Deficiencies"] == of(count, reasons.sum())
        assert percents(row["Share (95% interval)"])[0] == pytest.approx(
            100 * count / reasons.sum(), abs=0.051
        )
        for mode, label in (("virtual", "Virtual"), ("in_person", "In person")):
            assert f"({of(modes.loc[reason, mode], modes[mode].sum())})" in row[label]
    grid = page.figure("msc_deficiencies.reason_categories")
    for (category, reason), count in found.groupby(["category", "reason"]).size().items():
        assert f"({count})" in grid.row(str(category))[str(reason).replace("_", " ").capitalize()]


def test_q08_incidents_by_transport_mode_concealment_cause_and_maritime() -> None:
    """How many incidents by mode of transport, way of concealment and cause; and how many were maritime?"""
    page, rows = seen("incidents.py", {**INCIDENTS, "cause": CAUSE}), rows_of("incidents", INCIDENTS)
    months = page.figure("incidents.over_time").table
    transport = rows["transport_mode"].value_counts()
    for mode, count in transport.items():
        assert months[str(mode).capitalize()].astype(int).sum() == count
    assert months["All"].astype(int).sum() == len(rows)
    assert (
        f"{len(rows)} incidents were recorded, {100 * transport.iloc[0] / len(rows):.1f}% with" in page.words
    )
    concealment = page.figure("incidents.concealment")
    for mode, ways in rows.groupby("transport_mode")["concealment_method"]:
        cells = concealment.column(mode.capitalize())
        assert cells.pop("All") == str(len(ways))
        seen_there = Counter(int(cell.split(" ")[0]) for cell in cells.values())
        seen_there.pop(0, None)
        assert seen_there == Counter(ways.value_counts())
        most = max(cells, key=lambda name: int(cells[name].split(" ")[0]))
        assert most.lower().split(" ")[0].split("/")[0] in ways.value_counts().index[0].replace("_", "-")
    causes = rows_of("causes", INCIDENTS)["cause"].value_counts()
    shown = page.figure("incidents.causes")
    assert Counter(shown.table["Incidents"]) == Counter(of(count, len(rows)) for count in causes)
    assert shown.row("Internal conspiracy")["Incidents"] == of(causes[CAUSE], len(rows))
    sea = seen("maritime.py", INCIDENTS)
    mine = rows[rows["maritime"] == 1]
    insiders = int(mine["internal_conspiracy"].sum())
    assert (
        f"{len(mine)} maritime incidents, {100 * len(mine) / len(rows):.1f}% of all {len(rows)}" in sea.words
    )
    assert sea.figure("maritime.conspiracy").row("All routes")["Incidents"] == of(insiders, len(mine))


def test_q09_candidates_for_revision_or_outreach(page: Screen, asked: pd.DataFrame) -> None:
    """Which criteria are high everywhere and every year: above the common rate in how many offices and fiscal years?"""
    shown = page.figure("msc_deficiencies.candidates")
    pooled = asked["y"].mean()
    rates = asked.groupby("criterion")["y"].mean().sort_values(ascending=False)
    direction = trends(asked)
    assert len(shown.table) and {row.split(" ")[0] for row in shown.table["Criterion"]} == set(
        rates.index[: len(shown.table)]
    )
    for row in shown.table.to_dict("records"):
        mine = asked[asked["criterion"] == row["Criterion"].split(" ")[0]]
        assert percents(row["Rate"])[0] == pytest.approx(100 * mine["y"].mean(), abs=0.051)
        for name, column in (("Offices above", "field_office"), ("Fiscal years above", "fiscal_year")):
            part = mine.groupby(column)["y"].agg(["mean", "size"])
            enough = part.loc[part["size"] >= FEWEST, "mean"]
            assert row[name] == of((enough > pooled).sum(), len(enough))
        slope, q = direction[mine["criterion"].iloc[0]]
        assert row["Direction"] == ("No trend" if q >= 0.05 else "Rising" if slope > 0 else "Falling")
        assert float(row["False-discovery rate"].removeprefix("q = ")) == pytest.approx(q, abs=0.0051)
