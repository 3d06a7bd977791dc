"""Burn-down: what is overdue at the end of each month, above what was done in it by mode, on one time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import value_axis
from analysis.charts.months import (
    ROW,
    Annotation,
    annotation_layers,
    month_axis,
    month_key,
    placed_annotations,
)
from analysis.charts.theme import TEXT_SIZE, PaletteName, colour, drawable, finished

_UPPER, _LOWER, _BETWEEN = 150, 110, 34


def burn_down(
    overdue: pd.DataFrame,
    done: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    heads: tuple[str, str],
    alt_text: str,
    annotations: Sequence[Annotation] = (),
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """A line of what is overdue, and columns of what was done: in person below, virtual above.

    Parameters
    ----------
    overdue : pandas.DataFrame
        Columns: ``month`` (key), ``n``, ``period`` (in words), ``description``; a missing ``n`` interrupts the line.
    done : pandas.DataFrame
        Columns: ``month``, ``mode``, ``n``, ``period``, ``description``.
    labels : mapping
        Mode → its name.
    heads : tuple of str
        What each of the two parts shows.
    alt_text : str
        Text alternative.
    annotations : sequence of Annotation
        Drawn only where the axis crosses them.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    first, last = int(overdue["month"].min()), int(overdue["month"].max()) + 1
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    placed = placed_annotations([a for a in annotations if first < month_key(a.month) < last], first, last)
    words = max((raised + 1 for *_, raised in placed), default=0) * ROW
    top, bottom = words + 20, words + 20 + _UPPER
    height = bottom + _BETWEEN + _LOWER
    x = alt.X("start:Q", scale=scale, axis=month_axis(first, last, palette))
    line = drawable(overdue.dropna(subset=["n"]).assign(start=lambda f: f["month"] + 1))
    line["stretch"] = (line["month"].diff() != 1).cumsum()
    upper = _panel(line["n"], top, bottom, palette)
    columns = drawable(_stacked(done))
    lower = _panel(columns["top"], bottom + _BETWEEN, height, palette)
    ink = colour("ink", palette)
    course = alt.Chart(line).mark_line(color=ink, strokeWidth=2, interpolate="linear", aria=False)
    points = alt.Chart(line).mark_point(shape="circle", size=20, opacity=1, stroke=ink, fill=ink)
    above = _together(
        course.encode(x=x, y=upper("n"), detail=alt.Detail("stretch:N")),
        points.encode(
            x=x,
            y=upper("n"),
            description=alt.Description("description:N"),
            tooltip=[
                alt.Tooltip("period:N", title="End of"),
                alt.Tooltip("n:Q", title=heads[0], format=","),
            ],
        ),
    )
    below = [
        _columns(part, mode, labels[mode], x, lower, palette)
        for mode in ("in_person", "virtual")
        if len(part := columns[columns["mode"] == mode])
    ]
    # Each part in a layer of its own, so that each has one scale and one axis.
    layers: list[alt.Chart | alt.LayerChart] = [above]
    if below:
        layers.append(_together(*below))
    nothing = pd.DataFrame({"start": [first]})
    for text, place in zip(heads, (top - 10, bottom + _BETWEEN - 10), strict=True):
        head = alt.Chart(nothing).mark_text(
            text=text, align="left", baseline="middle", fontSize=TEXT_SIZE, color=colour("muted", palette), aria=False
        )  # fmt: skip
        layers.append(head.encode(x=alt.XValue(0), y=alt.YValue(place)))
    for annotation, side, raised in placed:
        layers += annotation_layers(annotation, side, words - (raised + 1) * ROW, scale, palette)
    chart = finished(layers, height=height, alt_text=alt_text, palette=palette)
    independent: alt.LayerChart = chart.resolve_scale(y="independent")
    return independent


def _together(*layers: alt.Chart) -> alt.LayerChart:
    chart: alt.LayerChart = alt.LayerChart(layer=list(layers))
    return chart


def _panel(values: pd.Series, top: int, bottom: int, palette: PaletteName) -> Any:
    """The y channel of one part of the picture, between two heights in pixels."""
    axis = value_axis([0.0, float(values.max()) if len(values) else 1.0], "number", most_ticks=4)
    scale = alt.Scale(domain=[0, axis.high], nice=False, zero=False, range=[bottom, top])

    def y_of(field: str) -> alt.Y:
        written = alt.Axis(
            title=None, orient="left", values=list(axis.ticks), grid=True, gridColor=colour("grid", palette),
            labelExpr="format(datum.value, ',')",
        )  # fmt: skip
        return alt.Y(field, type="quantitative", scale=scale, axis=written)

    return y_of


def _columns(
    part: pd.DataFrame, mode: str, label: str, x: alt.X, lower: Any, palette: PaletteName
) -> alt.Chart:
    look: dict[str, Any]
    if mode == "virtual":
        look = {"fill": colour("virtual", palette), "stroke": colour("paper", palette), "strokeWidth": 0.5}
    else:
        look = {
            "fill": colour("tint_in_person", palette),
            "stroke": colour("in_person", palette),
            "strokeWidth": 1,
        }
    drawn: alt.Chart = (
        alt.Chart(part)
        .mark_rect(**look)
        .encode(
            x=x,
            x2=alt.X2("end:Q"),
            y=lower("base"),
            y2=alt.Y2("top:Q"),
            description=alt.Description("description:N"),
            tooltip=[alt.Tooltip("period:N", title="Month"), alt.Tooltip("n:Q", title=label, format=",")],
        )
    )
    return drawn


def _stacked(done: pd.DataFrame) -> pd.DataFrame:
    """In person from the ground, virtual upon it."""
    known = done[done["n"].notna() & (done["n"] > 0)].copy()
    below = known[known["mode"] == "in_person"].set_index("month")["n"]
    known["base"] = known["month"].map(below).fillna(0).where(known["mode"] == "virtual", 0.0)
    known["top"] = known["base"] + known["n"]
    return known.assign(start=known["month"], end=known["month"] + 1)
