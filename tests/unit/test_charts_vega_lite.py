"""Specifications made for the pages against those Altair makes of the same charts."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest

from analysis.charts.figure import Figure
from analysis.charts.vega_lite import vega_lite
from analysis.datasets.opening import Dataset
from analysis.errors import AnalysisError
from analysis.figures import figure, registry
from analysis.selection import Selection


def test_every_figure_is_what_altair_makes_of_it_without_columns_nobody_draws(demo: Dataset) -> None:
    drawn = 0
    for name in registry():
        try:
            made = figure(name, demo, Selection())
        except AnalysisError:
            continue
        if made.chart is None:
            continue
        drawn += 1
        # Altair's own is checked against the schema of Vega-Lite on the way.
        theirs = made.chart.to_dict()
        named = theirs.pop("datasets", {})
        assert _leaner(made.specification, theirs | {"description": made.alt}, named), name
        assert made.specification is made.specification, name
        json.dumps(made.specification, allow_nan=False)
    assert drawn > 30


def _leaner(ours: Any, theirs: Any, named: dict[str, Any]) -> bool:
    """Whether two parts are equal but for columns that ours leaves out, each of which nothing around it names."""
    if isinstance(ours, dict):
        if set(ours) != set(theirs):
            return False
        rest = json.dumps({key: value for key, value in ours.items() if key != "data"})
        return all(
            _fewer(ours[key]["values"], named[theirs[key]["name"]], rest)
            if key == "data"
            else _leaner(ours[key], theirs[key], named)
            for key in ours
        )
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(
            _leaner(a, b, named) for a, b in zip(ours, theirs, strict=True)
        )
    return bool(ours == theirs)


def _fewer(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], rest: str) -> bool:
    return len(ours) == len(theirs) and all(
        row.items() <= other.items() and not any(f'"{name}"' in rest for name in other.keys() - row.keys())
        for row, other in zip(ours, theirs, strict=True)
    )


def test_values_of_any_kind_are_plain() -> None:
    frame = pd.DataFrame(
        {
            "x": [1.5, np.nan, np.inf],
            "n": pd.array([1, None, 3], "Int64"),
            "on": [dt.date(2021, 6, 30), None, dt.date(2021, 7, 1)],
            "at": pd.to_datetime(["2021-06-30", None, "2021-07-01"]),
            "yes": [np.True_, False, None],
            "words": [["a", "b"], "c", None],
            "unused": [1, 2, 3],
        }
    )
    chart = alt.Chart(frame).mark_point().encode(
        x=alt.X("x:Q"), y=alt.Y("n:Q"), tooltip=[alt.Tooltip(f"{name}:N") for name in ("on", "at", "yes", "words")]
    )  # fmt: skip
    rows = vega_lite(chart)["data"]["values"]
    assert rows == [
        {"x": 1.5, "n": 1, "on": "2021-06-30", "at": "2021-06-30T00:00:00", "yes": True, "words": ["a", "b"]},
        {"x": None, "n": None, "on": None, "at": None, "yes": False, "words": "c"},
        {"x": None, "n": 3, "on": "2021-07-01", "at": "2021-07-01T00:00:00", "yes": None, "words": None},
    ]


def test_a_layer_keeps_what_it_inherits_and_what_it_calculates_with() -> None:
    frame = pd.DataFrame({"left": [1.0], "place": [2.0], "shift": [3.0], "other": [4.0]})
    mark = (
        alt.Chart(frame)
        .mark_point()
        .transform_calculate(at="datum.left + datum.shift")
        .encode(y=alt.Y("at:Q"))
    )
    twice = alt.Chart(pd.DataFrame({"place": [5.0], "other": [6.0]})).mark_rule()
    spec = vega_lite(alt.layer(mark, twice).encode(x=alt.X("place:Q")))
    assert [layer["data"]["values"] for layer in spec["layer"]] == [
        [{"left": 1.0, "place": 2.0, "shift": 3.0}],
        [{"place": 5.0}],
    ]


def test_a_mark_that_names_no_column_keeps_its_rows() -> None:
    chart = alt.Chart(pd.DataFrame({"a": [1, 2]})).mark_text(text="x")
    assert vega_lite(chart)["data"] == {"values": [{}, {}]}


def test_the_chart_stays_as_it_was() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    chart = alt.layer(alt.Chart(frame).mark_point().encode(x=alt.X("a:Q")))
    before = chart.to_dict()
    vega_lite(chart)
    assert chart.to_dict()["datasets"] == before["datasets"]


def test_a_figure_without_a_chart_has_no_specification() -> None:
    with pytest.raises(ValueError, match=r"page\.card has no chart"):
        _ = Figure("page.card", "A card", html="<p>A card</p>").specification
