"""Every count three ways: from cells, from prepared rows, and in plain pandas from the source rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analysis.counts import counts
from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.selection import LISTS, Selection, day_number
from tests.recount import Recount, plain

Chosen = dict[str, Any]
F = ["field_office", "mode", "month", "entity_type", "risk", "kind", "location"]
SUMS = [
    "n", "any_deficiency", "any_must_deficiency", "has_assessed", "has_must_assessed", "n_deficient",
    "n_must_deficient", "n_assessed", "n_must_assessed", "n_not_verified", "n_verifiable", "passed", "has_outcome",
    "critical", "n_due", "n_closed_on_time",
]  # fmt: skip
FOR_BOUNDS = [
    "possibly_deficient", "possibly_must_deficient", "possibly_critical", "n_must_not_verified", "n_must_verifiable",
]  # fmt: skip
AREAS = ["Corporate Security", "Transportation Security", "People and Physical Security"]
VALUES: dict[str, list[str]] = {
    "field_office": ["Buffalo", "Houston", "Los Angeles", "Miami", "Newark", "New York"],
    "mode": ["virtual", "in_person", "hybrid"],
    "entity_type": [
        "importer",
        "highway_carrier",
        "foreign_manufacturer",
        "sea_carrier",
        "customs_broker",
        "mpto",
    ],
    "risk": ["low", "medium", "high"],
    "kind": ["initial", "revalidation"],
    "location": ["domestic", "foreign"],
    "focus_area": AREAS,
}
days = st.dates(dt.date(2017, 11, 15), dt.date(2023, 2, 15))
firsts = days.map(lambda day: day.replace(day=1))


@st.composite
def choices(draw: st.DrawFn, *, months: bool = False, columns: tuple[str, ...] = tuple(VALUES)) -> Chosen:
    """Filters as column → values, with ``start`` and ``end``; whole months on request."""
    chosen: Chosen = {}
    for column in columns:
        if draw(st.booleans()) and draw(st.booleans()):
            chosen[column] = sorted(draw(st.sets(st.sampled_from(VALUES[column]), min_size=1, max_size=3)))
    start, end = (
        draw(st.none() | (firsts if months else days)),
        draw(st.none() | (firsts if months else days)),
    )
    if start and end and start > end:
        start, end = end, start
    if months and end:
        end -= dt.timedelta(days=1)
    if start and end and start > end:
        end = None
    return chosen | {"start": start, "end": end}


def selection_of(chosen: Chosen) -> Selection:
    fields = {column: name for name, (_, column) in LISTS.items()}
    lists = {fields[c]: tuple(v) for c, v in chosen.items() if c not in ("start", "end")}
    return Selection(start=chosen.get("start"), end=chosen.get("end"), **lists)


def counted(
    dataset: Dataset, table: str, by: list[str], chosen: Chosen, sums: list[str], via: Any
) -> dict[tuple[Any, ...], dict[str, int]]:
    frame = counts(dataset, table, by, selection_of(chosen), sums=sums, via=via)
    assert list(frame.columns) == [*by, *sums]
    keys = [
        tuple(None if pd.isna(row[name]) else row[name] for name in by) for row in frame.to_dict("records")
    ]
    assert len(set(keys)) == len(keys)
    return dict(zip(keys, frame[sums].to_dict("records"), strict=True))


def without_zeros(groups: dict[tuple[Any, ...], dict[str, int]]) -> dict[tuple[Any, ...], dict[str, int]]:
    return {key: sums for key, sums in groups.items() if any(sums.values())}


def same(
    dataset: Dataset, again: Recount, table: str, by: list[str], chosen: Chosen, sums: list[str], via: Any
) -> None:
    expected = plain(again, table, by, chosen, sums)
    assert without_zeros(counted(dataset, table, by, chosen, sums, via)) == without_zeros(expected)


@pytest.fixture(scope="module")
def again(twisted_demo: Dataset) -> Recount:
    return Recount(twisted_demo.path)


@given(choices(), st.sets(st.sampled_from([*F, "quarter", "fiscal_year"]), max_size=3))
@example({"start": None, "end": None}, {"mode", "quarter"})
@example({"start": dt.date(2020, 7, 15), "end": dt.date(2020, 7, 15), "focus_area": AREAS[:2]}, set())
@settings(max_examples=25)
def test_validations_by_rows(twisted_demo: Dataset, again: Recount, chosen: Chosen, by: set[str]) -> None:
    same(twisted_demo, again, "validations", sorted(by), chosen, [*SUMS, *FOR_BOUNDS], "rows")


@given(choices(months=True), st.sets(st.sampled_from(F), max_size=3))
@example({"start": None, "end": None}, set())
@example({"start": None, "end": None, "focus_area": [AREAS[1]]}, {"mode"})
@settings(max_examples=25)
def test_validations_by_cells(twisted_demo: Dataset, again: Recount, chosen: Chosen, by: set[str]) -> None:
    same(twisted_demo, again, "validations", sorted(by), chosen, SUMS, "cells")


@given(choices())
@settings(max_examples=8)
def test_products_come_from_rows(twisted_demo: Dataset, again: Recount, chosen: Chosen) -> None:
    sums = ["n", "n_deficient*n_deficient", "n_assessed*n_assessed", "n_deficient*n_assessed"]
    same(twisted_demo, again, "validations", ["mode"], chosen, sums, "auto")


def test_categories_and_ways_of_seeing(twisted_demo: Dataset, again: Recount) -> None:
    names = list(twisted_demo.vocabulary("category"))
    sums = [f"any_deficiency_c{code}" for code in range(len(names))]
    sums += [f"n_deficient_c{code}" for code in range(len(names))]
    for via in ("cells", "rows"):
        found = counts(twisted_demo, "validations", ["mode"], sums=sums, via=via).set_index("mode")
        frame = again.tables["validations"]
        for code, name in enumerate(names):
            for stem in ("any_deficiency", "n_deficient"):
                expected = frame.groupby("mode")[f"{stem}#{name}"].sum()
                assert found[f"{stem}_c{code}"].to_dict() == expected.to_dict(), (stem, name)
    seen = [f"{stem}_{how}" for how in ("document", "interview", "physical")
            for stem in ("n_deficient", "n_assessed", "n_must_assessed", "n_not_verified")]  # fmt: skip
    same(
        twisted_demo,
        again,
        "validations",
        ["mode", "entity_type"],
        {"start": None, "end": None},
        seen,
        "cells",
    )


def test_applicable_criteria_follow_entity_type_and_day(twisted_demo: Dataset, again: Recount) -> None:
    frame = counts(
        twisted_demo, "validations", ["entity_type", "day"], sums=["n", "n_applicable"], via="rows"
    )
    for row in frame.itertuples():
        day = dt.date(1970, 1, 1) + dt.timedelta(days=int(row.day))
        assert row.n_applicable == row.n * len(again.applicable(row.entity_type, day))


OTHERS: dict[str, tuple[list[str], list[str]]] = {
    # table: columns to group by, of which some at random; sums
    "findings": ([*F, "criterion_id", "category", "focus_area", "seen_by", "level", "answer", "reason"], ["n"]),
    "pairs": (
        [*F, "previous_mode", "previous_any_deficiency", "previous_any_must_deficiency", "any_deficiency",
         "any_must_deficiency"],
        ["n", "n_repeatable", "n_repeat"],
    ),
    "values": ([*F, "metric", "value", "event"], ["n"]),
    "feedback": ([*F, "respondent", "item", "score", "theme"], ["n", "top_two"]),
    "agreement": ([*F, "item", "specialist_score", "member_score"], ["n"]),
}  # fmt: skip


@pytest.mark.parametrize("table", OTHERS)
@given(data=st.data())
@settings(max_examples=10)
def test_other_tables_three_ways(
    twisted_demo: Dataset, again: Recount, table: str, data: st.DataObject
) -> None:
    keys, sums = OTHERS[table]
    by = sorted(data.draw(st.sets(st.sampled_from(keys), max_size=4)))
    columns = tuple(VALUES) if table == "findings" else tuple(set(VALUES) - {"focus_area"})
    chosen = data.draw(choices(months=True, columns=columns))
    same(twisted_demo, again, table, by, chosen, sums, "cells")
    same(twisted_demo, again, table, by, data.draw(choices(columns=columns)), sums, "rows")


@pytest.mark.parametrize("table", OTHERS)
@pytest.mark.parametrize("via", ["cells", "rows"])
def test_other_tables_by_every_column_at_once(
    twisted_demo: Dataset, again: Recount, table: str, via: Any
) -> None:
    keys, sums = OTHERS[table]
    same(twisted_demo, again, table, keys, {"start": None, "end": None}, sums, via)


def test_the_difficult_demo_is_difficult(again: Recount) -> None:
    """Without ties there would be nothing to get wrong."""
    validations, incidents = again.tables["validations"], again.tables["incidents"]
    visits = set(zip(validations["member_id"], validations["day"], strict=True))
    on_a_visit = [pair in visits for pair in zip(incidents["member_id"], incidents["day"], strict=True)]
    assert sum(on_a_visit) >= 10 and validations.duplicated(["member_id", "day"]).sum() >= 10
    ended = [
        row
        for row in again.validations
        if row["followup"][1]
        and (row["member_id"], row["day"] + dt.timedelta(days=row["followup"][0])) in visits
    ]
    assert ended, "no incident on the very day of the next validation"
    assert (incidents["n"] > 1).sum() >= 10 and validations["risk"].isna().any()
    assert validations["n_repeatable"].sum() >= 20


@pytest.mark.parametrize(
    "column", ["concealment_method", "seal_issue", "contraband", "maritime", "has_cause", "cause"]
)
@given(data=st.data())
@settings(max_examples=6)
def test_incidents_three_ways(
    twisted_demo: Dataset, again: Recount, column: str, data: st.DataObject
) -> None:
    table = "causes" if column == "cause" else "incidents"
    keys = ["field_office", "month", "transport_mode", "entity_type", "mode"]
    by = [*sorted(data.draw(st.sets(st.sampled_from(keys), max_size=2))), column]
    chosen = data.draw(choices(months=True, columns=("field_office", "mode", "entity_type")))
    same(twisted_demo, again, table, by, chosen, ["n"], "cells")
    chosen = data.draw(choices(columns=("field_office", "mode", "risk", "kind", "location", "entity_type")))
    chosen["transport_mode"] = ["sea", "highway"]
    same(twisted_demo, again, table, by, chosen, ["n"], "auto")


def test_backlog_two_ways(twisted_demo: Dataset, again: Recount) -> None:
    by = ["field_office", "entity_type", "due_month", "done_month", "left_month"]
    chosen = {"start": None, "end": None, "field_office": ["Miami", "Newark"]}
    same(twisted_demo, again, "backlog", by, chosen, ["n"], "cells")
    same(twisted_demo, again, "backlog", by, {"start": None, "end": None}, ["n"], "rows")


def test_a_period_cannot_choose_among_undated_records(small_demo: Dataset) -> None:
    with pytest.raises(AnalysisError, match="no date"):
        counts(small_demo, "backlog", [], Selection(start=dt.date(2020, 1, 1)))


@pytest.mark.parametrize(
    ("table", "name"), [("incidents", "maritime"), ("pairs", "any_deficiency"), ("feedback", "score")]
)
def test_what_cells_are_grouped_by_is_not_added_up_from_cells(
    small_demo: Dataset, table: str, name: str
) -> None:
    auto = counts(small_demo, table, [], sums=[name])
    pd.testing.assert_frame_equal(auto, counts(small_demo, table, [], sums=[name], via="rows"))


def test_flags_by_focus_area_work_where_cells_lack_the_bits(small_demo: Dataset) -> None:
    chosen = Selection(focus_areas=(AREAS[0],))
    auto = counts(small_demo, "pairs", ["previous_mode"], chosen, sums=["n", "any_deficiency"])
    rows = counts(small_demo, "pairs", ["previous_mode"], chosen, sums=["n", "any_deficiency"], via="rows")
    pd.testing.assert_frame_equal(auto, rows)


def test_nothing_chosen_is_one_row_of_zeros_or_no_group(small_demo: Dataset) -> None:
    nobody = Selection(start=dt.date(2035, 1, 1))
    for via in ("cells", "rows"):
        assert counts(small_demo, "validations", [], nobody, sums=["n", "passed"], via=via).to_dict(
            "records"
        ) == [{"n": 0, "passed": 0}]
        assert counts(small_demo, "validations", ["mode"], nobody, via=via).empty


def test_both_ways_give_the_same_frame_types_and_order_included(twisted_demo: Dataset) -> None:
    by = ["field_office", "mode", "risk"]
    cells = counts(twisted_demo, "validations", by, sums=SUMS, via="cells")
    rows = counts(twisted_demo, "validations", by, sums=SUMS, via="rows")
    assert cells["risk"].isna().any() and {type(v) for v in cells["risk"]} == {str, type(None)}
    assert (cells.dtypes == rows.dtypes).all()
    pd.testing.assert_frame_equal(cells, rows)


def test_the_last_and_the_first_day_count(twisted_demo: Dataset, again: Recount) -> None:
    day = again.tables["validations"]["day"].iloc[0]
    expected = int((again.tables["validations"]["day"] == day).sum())
    assert counts(twisted_demo, "validations", [], Selection(start=day, end=day))["n"].tolist() == [expected]
    assert (
        day_number(day)
        == counts(twisted_demo, "validations", ["day"], Selection(start=day, end=day))["day"][0]
    )


def test_the_end_of_time_is_a_period(small_demo: Dataset) -> None:
    everything = counts(small_demo, "validations", [])
    whole = Selection(start=dt.date.min, end=dt.date.max)
    pd.testing.assert_frame_equal(counts(small_demo, "validations", [], whole), everything)
