"""No count of 1 to 4 is shown in an answer about incidents, nor can one be had by subtracting within it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis import Dataset, Selection, figure, incidents, maritime
from analysis.figures import registry
from analysis.questions.incident_lift import earlier_deficiencies
from analysis.questions.incident_records import (
    ExposureRow,
    IncidentGrid,
    Incidents,
    IncidentSeries,
    LiftRow,
    PeriodRow,
    Point,
    ShareRow,
)
from analysis.questions.incident_series import incident_series
from analysis.questions.incident_shares import incident_grid
from analysis.questions.incidents import _BY
from analysis.questions.maritime import Analyses, Maritime
from analysis.results import Interval
from analysis.suppression import suppressed

SMALL = range(1, 5)
sizes = st.one_of(st.integers(0, 9), st.integers(0, 60))
ANY = Interval(0.1, 0.2)


def safe_parts(shown: list[int | None], whole: int | None) -> None:
    """Parts of a known whole: none small, and what is hidden neither small together nor one alone above zero."""
    assert not [n for n in shown if n in SMALL]
    if whole is not None and None in shown:
        assert whole - sum(n for n in shown if n is not None) not in SMALL
        assert shown.count(None) > 1 or len(shown) == 1 or whole == sum(n or 0 for n in shown)


@given(st.lists(sizes, min_size=1, max_size=8), sizes, st.sampled_from(["contraband", "cause"]))
@settings(max_examples=200)
def test_shares(counts: list[int], missing: int, by: str) -> None:
    recorded = sum(counts) if by != "cause" else max(counts)
    n = recorded + missing
    rows = tuple(
        ShareRow(by, f"v{i}", f"V{i}", k, recorded, k / recorded if recorded else None, ANY)
        for i, k in enumerate(counts)
    )
    answer = suppressed(Incidents(by, rows, n, recorded, 0, "s"))
    given_ = answer.to_dict()
    assert given_["n"] not in SMALL and given_["recorded"] not in SMALL
    shown = [row["count"] for row in given_["rows"]]
    assert not [k for k in shown if k in SMALL]
    for row in given_["rows"]:
        if row["count"] is None:
            assert row["share"] is row["low"] is row["high"] is None
        if row["n"] is not None:
            assert given_["n"] is None or given_["n"] - row["n"] not in SMALL
        if by == "cause" and row["count"] is not None and row["n"] is not None:
            assert row["n"] - row["count"] not in SMALL
    if by != "cause" and shown and given_["n"] is not None:
        known = given_["recorded"] is not None
        parts = shown if known else [*shown, None]
        safe_parts(parts, given_["recorded"] if known else given_["n"])


def tables(most_rows: int, most_columns: int) -> st.SearchStrategy[list[list[int]]]:
    return st.integers(2, most_columns).flatmap(
        lambda width: st.lists(
            st.lists(sizes, min_size=width, max_size=width), min_size=1, max_size=most_rows
        )
    )


@given(tables(7, 3))
@settings(max_examples=150)
def test_periods_and_their_transport_modes(table: list[list[int]]) -> None:
    n = sum(map(sum, table))
    rows = tuple(
        PeriodRow("month", f"2020-{i + 1:02d}", f"M{i}", 24240 + i, 1, 1, sum(parts), n, None, tuple((f"m{j}", k) for j, k in enumerate(parts)))
        for i, parts in enumerate(table)
    )  # fmt: skip
    shown = suppressed(Incidents("month", rows, n, n, 0, "s")).to_dict()
    safe_parts([row["count"] for row in shown["rows"]], shown["n"])
    for row in shown["rows"]:
        parts = list(row["transport_modes"].values())
        if row["count"] is None:
            assert set(parts) == {None} and row["share"] is None
        else:
            safe_parts(parts, row["count"])


@given(st.lists(st.tuples(sizes, sizes, sizes), min_size=1, max_size=7), sizes)
@settings(max_examples=200)
def test_entity_types_and_their_rates(table: list[tuple[int, int, int]], unlinked: int) -> None:
    linked = sum(k for k, _, _ in table)
    rows = tuple(
        ExposureRow(f"e{i}", f"E{i}", k, linked, None, max(k - late, 0), members, 10.0, 0.1, ANY)
        for i, (k, late, members) in enumerate(table)
    )
    answer = suppressed(
        Incidents("entity_type", rows, linked + unlinked, linked, unlinked, "s", (), 1.1, 0.2)
    )
    shown = answer.to_dict()
    assert shown["n"] not in SMALL and shown["unlinkable"] not in SMALL and shown["recorded"] not in SMALL
    for row in shown["rows"]:
        assert row["events"] not in SMALL and row["members"] not in SMALL
        if row["count"] is None:
            assert all(
                row[key] is None
                for key in ("share", "events", "members", "member_years", "rate", "low", "high")
            )
        else:
            assert row["count"] - row["events"] not in SMALL
    counts = [row["count"] for row in shown["rows"]]
    if None in counts:
        assert shown["dispersion"] is shown["p_value"] is None
    if shown["n"] is not None and shown["rows"]:
        safe_parts([*counts, shown["unlinkable"]], shown["n"])


@given(tables(4, 5), sizes)
@settings(max_examples=150)
def test_grids(table: list[list[int]], outside: int) -> None:
    totals = tuple(map(sum, zip(*table, strict=True)))
    n = sum(totals) + outside
    shape = tuple(f"r{i}" for i in range(len(table))), tuple(f"c{i}" for i in range(len(table[0])))
    grid = suppressed(IncidentGrid(*shape, tuple(map(tuple, table)), totals, n))
    if grid.n is not None:
        safe_parts(
            [*grid.totals, None] if None in grid.totals else list(grid.totals),
            grid.n if None in grid.totals else None,
        )
        assert None in grid.totals or grid.n - sum(grid.totals) not in SMALL
    for i, total in enumerate(grid.totals):
        column = [line[i] for line in grid.counts]
        assert total not in SMALL
        if total is None:
            assert set(column) == {None}
        else:
            safe_parts(column, total)


@given(st.lists(sizes, min_size=1, max_size=12))
@settings(max_examples=200)
def test_a_series_keeps_its_limits_only_when_nothing_is_hidden(counts: list[int]) -> None:
    points = tuple(Point(24240 + i, float(k), 6.0, 1.0, 12.0, False) for i, k in enumerate(counts))
    series = suppressed(IncidentSeries("counts", points, sum(counts), 1.1, False))
    values = [None if p.value is None else round(p.value) for p in series.points]
    safe_parts(values, series.n)
    if None in values:
        assert series.spread is None and all(p.high is None and p.expected is None for p in series.points)
    gaps = suppressed(IncidentSeries("gaps", points, sum(counts), None, False))
    assert not gaps.points and "single_incidents" in gaps.caveats


@given(st.tuples(sizes, sizes, sizes, sizes))
@settings(max_examples=200)
def test_lifts(table: tuple[int, int, int, int]) -> None:
    x1, other1, x0, other0 = table
    row = LiftRow(None, "Any", "c", "C", x1, x1 + other1, None, x1 + x0, sum(table), None, 1.2, ANY, 0.3, 0.3)
    shown = suppressed(Incidents("last_deficient_category", (row,), 200, None, 0, "s")).to_dict()["rows"][0]
    if shown["count"] is None:
        assert all(
            shown[key] is None
            for key in ("n", "share", "all_count", "all_n", "lift", "low", "high", "p_value")
        )
    else:
        assert not [k for k in (*table, x1 + other1, x1 + x0, x0 + other0, other1 + other0) if k in SMALL]


@given(
    st.lists(st.tuples(sizes, sizes), min_size=1, max_size=6),
    sizes,
    st.tuples(sizes, sizes),
    st.integers(0, 80),
)
@settings(max_examples=250)
def test_maritime(
    routes: list[tuple[int, int]], no_route: int, analyses: tuple[int, int], elsewhere: int
) -> None:
    """Insiders and others by route: the number of incidents of a route stands in two places."""
    n = sum(k + rest for k, rest in routes) + no_route
    of_routes = sum(k + rest for k, rest in routes)
    insiders = sum(k for k, _ in routes)
    rows = [
        ShareRow("route_origin", f"r{i}", f"R{i}", k + m, of_routes, 0.1, ANY)
        for i, (k, m) in enumerate(routes)
    ]
    rows.append(
        ShareRow("internal_conspiracy", "yes", "All", insiders, of_routes, 0.1, ANY, {"route_origin": "any"})
    )
    rows += [
        ShareRow("internal_conspiracy", "yes", f"R{i}", k, k + m, 0.1, ANY, {"route_origin": f"r{i}"})
        for i, (k, m) in enumerate(routes)
    ]
    opened, closed = sum(analyses), analyses[0]
    found = Analyses(opened, closed, 90.0, (60.0, 120.0), ((2020, opened, closed),))
    shown = suppressed(Maritime(tuple(rows), n, n + elsewhere, 0, found, "s")).to_dict()
    assert shown["n"] not in SMALL and shown["incidents"] not in SMALL
    if shown["n"] is not None:
        assert shown["incidents"] - shown["n"] not in SMALL
    by_route = {row["route_origin"]: row["count"] for row in shown["rows"] if row["by"] == "route_origin"}
    inside = {row["route_origin"]: row for row in shown["rows"] if row["by"] == "internal_conspiracy"}
    if by_route and shown["n"] is not None:
        recorded = next((row["n"] for row in shown["rows"] if row["by"] == "route_origin"), None)
        parts = list(by_route.values())
        safe_parts(
            parts if recorded is not None else [*parts, None], shown["n"] if recorded is None else recorded
        )
    for route, row in inside.items():
        counts = [row["count"], row["n"], None if row["count"] is None else row["n"] - row["count"]]
        assert not [k for k in counts if k in SMALL]
        if route != "any" and row["n"] is not None:
            assert by_route[route] == row["n"]
        if route != "any" and row["n"] is None and inside["any"]["n"] is not None:
            hidden_too = by_route[route] is None
            assert hidden_too or all(r["n"] is None for name, r in inside.items() if name != "any")
    if inside and inside["any"]["count"] is not None:
        for key in ("count", "n"):
            parts = [row[key] for route, row in inside.items() if route != "any"]
            assert inside["any"][key] - sum(k or 0 for k in parts) not in SMALL
        rest = [(row["n"] or 0) - (row["count"] or 0) for route, row in inside.items() if route != "any"]
        assert inside["any"]["n"] - inside["any"]["count"] - sum(rest) not in SMALL
    told = shown["analyses"]
    if told:
        numbers = [told[key] for key in ("opened", "closed", "open")]
        assert not [k for k in numbers if k in SMALL]
        assert not [k for year in told["by_year"] for k in (year["opened"], year["closed"]) if k in SMALL]
        if told["opened"] is not None and shown["n"] is not None:
            assert shown["n"] - told["opened"] not in SMALL or elsewhere < 0


SELECTIONS = [
    Selection(),
    Selection(offices=("Miami",)),
    Selection(transport_modes=("rail",)),
    Selection(offices=("Newark",), risks=("high",)),
]


@pytest.mark.parametrize("selection", SELECTIONS, ids=["all", "office", "rail", "few"])
def test_real_answers_hold_no_small_count(demo: Dataset, selection: Selection) -> None:
    def numbers(value: Any, key: str = "") -> None:
        if isinstance(value, dict):
            for name, inner in value.items():
                numbers(inner, name)
        elif isinstance(value, list):
            for inner in value:
                numbers(inner, key)
        elif key in (
            "count",
            "n",
            "events",
            "members",
            "all_count",
            "all_n",
            "recorded",
            "unlinkable",
            "opened",
            "closed",
            "open",
        ):
            assert value not in SMALL, key

    for by in sorted(set(_BY) - {"concentration", "last_deficient_category"}):
        numbers(json.loads(json.dumps(suppressed(incidents(demo, by, selection)).to_dict(), allow_nan=False)))
    numbers(suppressed(earlier_deficiencies(demo, selection)).to_dict())
    members = suppressed(incidents(demo, "concentration", selection)).to_dict()["rows"]
    numbers([row for row in members if row["unit"] == "member"])
    numbers(suppressed(maritime(demo, selection)).to_dict())
    for answer in (
        incident_series(demo, selection),
        incident_grid(demo, "concealment_method", "transport_mode", selection),
    ):
        suppressed(answer)


@pytest.mark.parametrize("name", [n for n in registry() if n.startswith(("incidents.", "maritime."))])
def test_figures_hide_small_counts_everywhere(demo: Dataset, name: str) -> None:
    made = figure(name, demo, Selection(offices=("Miami",)), suppress=True)
    if made.state is not None:
        assert made.state.fact
        return
    for column in ("count", "n", "events", "members", "opened", "closed"):
        if column in made.data and name != "incidents.concentration":
            assert not [k for k in made.data[column].dropna() if k in SMALL], column
