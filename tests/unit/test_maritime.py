"""Maritime: routes, terminals, seals, insiders and analyses once more in plain pandas; few are not ranked."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from analysis import Dataset, Selection, deficiencies, figure, maritime
from analysis.questions.maritime import maritime_selection
from analysis.stats.proportions import wilson

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo"
TYPES = ("sea_carrier", "mpto", "consolidator")
SELECTIONS = [
    Selection(),
    Selection(offices=("Houston", "Miami"), start=dt.date(2019, 1, 1), end=dt.date(2021, 12, 31)),
    Selection(transport_modes=("sea",)),
]
every_selection = pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "offices and period", "sea"])


def source_of(selection: Selection) -> pd.DataFrame:
    """Incidents of a selection from source rows, with the kind of member."""
    members = pd.read_parquet(DEMO / "source" / "members.parquet")[["member_id", "entity_type"]]
    rows = pd.read_parquet(DEMO / "source" / "incidents.parquet").merge(members, on="member_id", how="left")
    if selection.offices:
        rows = rows[rows["field_office"].isin(selection.offices)]
    if selection.start:
        rows = rows[rows["occurred_on"].between(selection.start, selection.end)]
    if selection.transport_modes:
        rows = rows[rows["transport_mode"].isin(selection.transport_modes)]
    return rows.assign(maritime=(rows["transport_mode"] == "sea") | rows["entity_type"].isin(TYPES))


@every_selection
def test_breakdowns_are_those_of_plain_pandas(demo: Dataset, selection: Selection) -> None:
    rows = source_of(selection)
    mine = rows[rows["maritime"]]
    answer = maritime(demo, selection)
    given = answer.to_dict()
    assert (given["n"], given["incidents"]) == (len(mine), len(rows))
    assert given["unlinkable"] == mine["member_id"].isna().sum()
    for column in ("route_origin", "terminal", "seal_issue"):
        expected = mine[column].dropna().value_counts()
        assert {row.value: row.count for row in answer.breakdown(column)} == expected.to_dict()
        assert all(row.n == expected.sum() for row in answer.breakdown(column))
    whole, *by_route = answer.breakdown("internal_conspiracy")
    assert (whole.count, whole.n) == (mine["internal_conspiracy"].sum(), len(mine))
    grouped = mine.groupby("route_origin")["internal_conspiracy"].agg(["sum", "size"])
    assert {row.of["route_origin"]: (row.count, row.n) for row in by_route} == {
        str(route): (int(k), int(n))
        for route, k, n in zip(grouped.index, grouped["sum"], grouped["size"], strict=True)
    }
    assert whole.interval == wilson(whole.count or 0, whole.n or 0).interval()


@every_selection
def test_analyses_opened_and_closed(demo: Dataset, selection: Selection) -> None:
    mine = source_of(selection).query("maritime")
    opened, closed = (pd.to_datetime(mine[f"analysis_{what}_on"]) for what in ("opened", "closed"))
    found = maritime(demo, selection).analyses
    assert found is not None
    assert (found.opened, found.closed) == (opened.notna().sum(), closed.notna().sum())
    years = opened.dropna().dt.year.value_counts().sort_index()
    assert [(year, n) for year, n, _ in found.by_year] == list(years.items())
    # Kaplan–Meier by hand: at each day with a closing, one less the share of those still waiting.
    days = (closed.fillna(pd.Timestamp(demo.as_of)) - opened).dt.days[opened.notna()]
    over = closed.notna()[opened.notna()]
    left, median = 1.0, None
    for day in sorted(days[over].unique()):
        left *= 1 - ((days == day) & over).sum() / (days >= day).sum()
        if left <= 0.5 + 1e-9:
            median = float(day)
            break
    assert found.median_days == median


def test_maritime_entity_types_are_asked_with_the_existing_question(demo: Dataset) -> None:
    narrowed = maritime_selection(Selection(offices=("Miami",), transport_modes=("sea",)))
    assert narrowed is not None and set(narrowed.entity_types) == set(TYPES) and not narrowed.transport_modes
    assert maritime_selection(Selection(entity_types=("importer",))) is None
    answer = deficiencies(demo, "category", maritime_selection(Selection()) or Selection())
    shown = figure("maritime.deficiencies", demo).data
    assert shown["count"].sum() == answer.total
    validations = pd.read_parquet(DEMO / "source" / "validations.parquet")
    kinds = pd.read_parquet(DEMO / "source" / "members.parquet").set_index("member_id")["entity_type"]
    entity = validations["entity_type"].fillna(validations["member_id"].map(kinds))
    done = entity[entity.isin(TYPES)].value_counts()
    assert {row.value: row.n for row in maritime(demo).breakdown("entity_type")} == done.to_dict()


def test_few_are_not_ranked(demo: Dataset) -> None:
    few = Selection(transport_modes=("highway",))
    answer = maritime(demo, few)
    assert 0 < (answer.n or 0) < 10 and "small_numbers" in answer.caveats
    assert "largest part" not in answer.sentence and "Insiders" not in answer.sentence
    assert figure("maritime.routes", demo, few).title.startswith("Too few to rank")
    nothing = maritime(demo, Selection(start=dt.date(2035, 1, 1)))
    assert nothing.sentence == "No incidents match these filters." and nothing.n == 0
