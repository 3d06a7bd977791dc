"""Charts: they draw what they are given, in its order, with the colours of their palette and one scale."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import altair as alt
import pandas as pd
import pytest

from analysis.charts.axes import value_axis
from analysis.charts.forest import forest
from analysis.charts.intervals import interval_rows
from analysis.charts.months import Annotation, time_columns

LABELS = {"virtual": "Virtual", "in_person": "In person"}
WORDS = Annotation(dt.date(2020, 7, 1), ("July 2020", "first virtual validation"))


def months_frame(first: dt.date = dt.date(2019, 1, 1), months: int = 36) -> pd.DataFrame:
    days = [
        dt.date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1)
        for i in range(months)
    ]
    rows = [
        (day, mode, n) for i, day in enumerate(days) for mode, n in (("virtual", i), ("in_person", 40 - i))
    ]
    return pd.DataFrame(rows, columns=["month", "mode", "n"])


def rows_frame() -> pd.DataFrame:
    rows = [
        ("Seal security", "virtual", 0.02, 0.01, 0.03, "Differs: −2.0 points", True),
        ("Seal security", "in_person", 0.04, 0.03, 0.05, "Differs: −2.0 points", True),
        ("Agriculture", "virtual", None, None, None, "too few", False),
        ("Agriculture", "in_person", 0.05, 0.03, 0.09, "too few", False),
    ]
    frame = pd.DataFrame(rows, columns=["label", "arm", "estimate", "low", "high", "result", "strong"])
    return frame.assign(description=frame["label"] + ", " + frame["arm"])


def ways_frame(scale: float = 1.0) -> pd.DataFrame:
    rows = [
        ("Crude", "crude", -0.055, -0.081, -0.029),
        ("Stratified", "alternative", -0.023, -0.047, 0.001),
        ("Standardised", "primary", -0.019, -0.044, 0.006),
        ("Same member", "alternative", None, None, None),
    ]
    frame = pd.DataFrame(rows, columns=["label", "role", "estimate", "low", "high"])
    return frame.assign(result="…", n_words="4,398 validations", description=frame["label"])


CHARTS = {
    "months": lambda palette: time_columns(
        months_frame(), labels=LABELS, alt_text="Months.", annotations=[WORDS], palette=palette
    ),
    "intervals": lambda palette: interval_rows(
        rows_frame(), alt_text="Rows.", title="Deficient, %", arms=LABELS, palette=palette
    ),
    "forest": lambda palette: forest(
        ways_frame(), alt_text="Ways.", title="Points", margin=(-0.05, 0.05), palette=palette
    ),
}
every_chart = pytest.mark.parametrize("name", CHARTS)


def layers_of(chart: alt.LayerChart) -> list[dict[str, Any]]:
    return list(chart.to_dict()["layer"])


def points_of(chart: alt.LayerChart) -> list[dict[str, Any]]:
    return [layer["mark"] for layer in layers_of(chart) if layer["mark"]["type"] == "point"]


def colours_in(chart: alt.LayerChart) -> Iterator[str]:
    spec = {key: value for key, value in chart.to_dict().items() if key not in ("datasets", "$schema")}
    yield from re.findall(r"#[0-9a-fA-F]{3,8}\b", json.dumps(spec))


@every_chart
def test_on_screen_colours_follow_the_theme_and_elsewhere_they_are_fixed(name: str) -> None:
    assert list(colours_in(CHARTS[name]("screen"))) == []
    assert "var(" not in json.dumps(CHARTS[name]("light").to_dict())


@every_chart
def test_all_layers_share_one_scale(name: str) -> None:
    chart = CHARTS[name]("screen")
    for channel in ("x", "y"):
        scales = {
            json.dumps(layer["encoding"][channel]["scale"], sort_keys=True)
            for layer in layers_of(chart)
            if "scale" in layer["encoding"].get(channel, {})
        }
        assert len(scales) == 1


@every_chart
def test_helpers_are_silent_and_data_marks_speak(name: str) -> None:
    for layer in layers_of(CHARTS[name]("screen")):
        assert layer["mark"].get("aria") is False or "description" in layer["encoding"]


@every_chart
def test_it_renders_with_its_words(name: str) -> None:
    convert = pytest.importorskip("vl_convert", reason="drawing charts needs vl-convert-python")
    svg = convert.vegalite_to_svg(CHARTS[name]("light").to_dict())
    expected = {"months": "first virtual validation", "intervals": "Seal security", "forest": "Standardised"}
    assert expected[name] in svg
    assert "NaN" not in svg


def test_annotations_are_drawn_only_where_the_axis_crosses_them() -> None:
    later = months_frame(dt.date(2021, 1, 1), 12)
    chart = time_columns(later, labels=LABELS, alt_text="Later.", annotations=[WORDS])
    assert "first virtual" not in json.dumps(chart.to_dict())


def test_columns_stack_virtual_on_in_person() -> None:
    chart = CHARTS["months"]("screen")
    rows = pd.concat(layer.data for layer in chart.layer if "top" in layer.data)
    june = rows[rows["month_words"] == "Jun 2020"].set_index("mode")
    assert june.loc["in_person", "base"] == 0
    assert june.loc["virtual", "base"] == june.loc["in_person", "top"]
    assert june.loc["virtual", "top"] == 40


def test_virtual_is_filled_and_stands_above_an_open_in_person() -> None:
    virtual, in_person = points_of(CHARTS["intervals"]("screen"))
    assert virtual["fill"] == virtual["stroke"] == "var(--virtual)"
    assert in_person["fill"] == "var(--paper)" and in_person["shape"] == "diamond"
    drawn = [layer.data for layer in CHARTS["intervals"]("screen").layer if "y" in layer.data]
    assert drawn[0]["y"].iloc[0] < drawn[1]["y"].iloc[0]


def test_a_row_that_cannot_be_drawn_keeps_its_label_and_its_reason() -> None:
    chart = interval_rows(rows_frame(), alt_text="Rows.", title="Deficient, %")
    labels = pd.concat(layer.data for layer in chart.layer if layer.mark.type == "text")
    assert set(labels["label"]) == {"Seal security", "Agriculture"}
    assert "too few" in set(labels["result"])


def test_the_primary_way_is_an_ink_circle_and_the_crude_an_open_diamond() -> None:
    marks = {mark["shape"]: mark for mark in points_of(CHARTS["forest"]("screen"))}
    assert marks["circle"]["fill"] == "var(--ink)"
    assert marks["diamond"]["fill"] == "var(--paper)"
    assert marks["square"]["fill"] == "var(--other)"


def test_ratios_stand_on_a_logarithmic_axis_round_one() -> None:
    frame = ways_frame()
    frame[["estimate", "low", "high"]] = frame[["estimate", "low", "high"]] * 4 + 1
    spec = json.dumps(
        forest(frame, alt_text="Ways.", title="Ratio", unit="ratio", margin=(0.9, 1.11)).to_dict()
    )
    assert '"type": "log"' in spec


@pytest.mark.parametrize("values", [[0.0, 0.0], [-1e-6, 1e-6], [0.1], [], [0.99, 1.0], [-0.5, 0.5]])
def test_an_axis_always_has_a_few_round_ticks_that_hold_the_values(values: list[float]) -> None:
    axis = value_axis(values, "points")
    assert 2 <= len(axis.ticks) <= 8
    assert axis.ticks == tuple(sorted(axis.ticks))
    assert all(axis.low <= value <= axis.high for value in values)


@pytest.mark.parametrize("values", [[0.9, 1.1], [0.3, 0.5], [1.2, 4.0], [0.001, 50.0], [1.0]])
def test_a_ratio_axis_reaches_its_values_within_reason(values: list[float]) -> None:
    axis = value_axis(values, "ratio", include=[1.0])
    assert axis.low < axis.high <= axis.right * 1.0001
    assert 1.0 in axis.ticks
