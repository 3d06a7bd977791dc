"""Rows of labelled intervals: the drawing shared by interval charts and forests.

The label stands above its line at the left edge and the result at the right edge of the same line, so that
one drawing serves a wide page and a telephone. Rows sit on a quantitative y, which gives exact offsets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import ValueAxis
from analysis.charts.theme import TEXT_SIZE, PaletteName, colour

_LETTER, _GAP = 7.0, 10
"""Width of a bold letter or digit, and the space between a label and its result, in pixels."""


def row_scale(rows: int) -> alt.Scale:
    """Top row first; one unit a row."""
    return alt.Scale(domain=[rows, 0], nice=False, zero=False)


def y_of(field: str, scale: alt.Scale) -> alt.Y:
    """The y channel of a layer of rows."""
    return alt.Y(field, type="quantitative", scale=scale, axis=None)


def labels(frame: pd.DataFrame, scale: alt.Scale, palette: PaletteName) -> list[alt.Chart]:
    """Row labels at the left edge and results at the right edge, strong rows in bold.

    `frame` has ``label_y`` (row units), ``label``, ``result`` and ``strong``; where ``strong_result`` is set, results
    are bold beside plain labels.
    """
    layers = []
    for strong in (False, True):
        part = frame[frame["strong"] == strong]
        if part.empty:
            # A text layer without rows makes Vega warn of an infinite extent.
            continue
        style: dict[str, Any] = {
            "baseline": "middle",
            "fontSize": TEXT_SIZE,
            "fontWeight": 600 if strong else 400,
            "aria": False,
        }
        base = alt.Chart(part).encode(y=y_of("label_y", scale))
        # A label may not enter the right edge, where the longest result is written.
        limit = alt.ExprRef(f"width - {part['result'].str.len().max() * _LETTER + _GAP:.0f}")
        layers.append(
            base.mark_text(align="left", color=colour("ink", palette), limit=limit, **style).encode(
                x=alt.XValue(0), text=alt.Text("label:N")
            )
        )
        standing_out = strong or ("strong_result" in part and bool(part["strong_result"].all()))
        look = style | {
            "color": colour("ink" if standing_out else "muted", palette),
            "fontWeight": 600 if standing_out else 400,
        }
        layers.append(
            base.mark_text(align="right", **look).encode(x=alt.XValue("width"), text=alt.Text("result:N"))
        )
    return layers


def interval_lines(
    frame: pd.DataFrame, axis: ValueAxis, title: str, scale: alt.Scale, palette: PaletteName, **style: Any
) -> alt.Chart:
    """One horizontal line a row from ``low`` to ``high`` at ``y``."""
    lines = alt.Chart(frame).mark_rule(strokeWidth=2.25, aria=False, clip=True, **style)
    placed: alt.Chart = lines.encode(
        x=axis.encode("low", title, palette), x2=alt.X2("high:Q"), y=y_of("y", scale)
    )
    return placed


def points(
    frame: pd.DataFrame,
    axis: ValueAxis,
    title: str,
    scale: alt.Scale,
    palette: PaletteName,
    tooltip: Mapping[str, str],
    **style: Any,
) -> alt.Chart:
    """One mark a row at ``estimate``, read out as ``description``; `tooltip` maps columns to titles."""
    placed: alt.Chart = (
        alt.Chart(frame)
        .mark_point(opacity=1, **style)
        .encode(
            x=axis.encode("estimate", title, palette),
            y=y_of("y", scale),
            description=alt.Description("description:N"),
            tooltip=[alt.Tooltip(column, type="nominal", title=name) for column, name in tooltip.items()],
        )
    )
    return placed
