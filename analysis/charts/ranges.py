"""Ranges: bars of what is possible or tolerable, beside estimates with their intervals, on one axis."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, value_axis
from analysis.charts.rows import interval_lines, labels, points, row_scale, y_of
from analysis.charts.theme import PaletteName, colour, drawable, finished

ROW_HEIGHT = 44
_THICK = 0.13
"""Half the height of a bar, in rows."""


def ranges(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    title: str,
    unit: Unit = "points",
    margin: tuple[float, float] | None = None,
    line: float | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """One row a range or an estimate: bars from ``low`` to ``high``, or a mark with its interval.

    Parameters
    ----------
    frame : pandas.DataFrame
        In reading order. Columns: ``label``, ``role`` (``bar``, ``primary`` or ``alternative``), ``estimate`` (missing for
        bars), ``low``, ``high``, ``result`` (words at the right edge), ``description`` (read out). A bar may reach on, as a
        thin line, from ``from`` to ``to``.
    alt_text, title : str
        Text alternative; axis title with the unit.
    unit : {"points", "ratio", "share", "number"}
        Scale; the line of no difference stands at 1 for ratios, else at 0.
    margin : (float, float), optional
        Shaded zone with dashed edges.
    line : float, optional
        A value to compare every bar with: a dashed line through all rows.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.reset_index(drop=True).copy())
    rows["y"] = rows.index + 0.68
    rows["label_y"] = rows.index + 0.27
    rows["strong"] = rows["role"] == "primary"
    null = 1.0 if unit == "ratio" else 0.0
    ends = [column for column in ("low", "high", "from", "to") if column in rows]
    known = [float(value) for column in ends for value in rows[column].dropna()]
    axis = value_axis(known, unit, include=(null, *(margin or ()), *(() if line is None else (line,))))
    scale = row_scale(len(rows))
    layers: list[alt.Chart | alt.LayerChart] = []

    def across(values: list[float], **style: Any) -> alt.Chart:
        """Uprights, interrupted where the label of a row stands."""
        parts = rows[["label_y"]].merge(pd.DataFrame({"low": values}), how="cross")
        parts = parts.assign(top=parts["label_y"] + 0.18, bottom=parts["label_y"] + 0.73)
        rule = alt.Chart(parts).mark_rule(strokeWidth=1.25, aria=False, **style)
        placed: alt.Chart = rule.encode(
            x=axis.encode("low", title, palette), y=y_of("top", scale), y2=alt.Y2("bottom:Q")
        )
        return placed

    grey, ink = colour("other", palette), colour("ink", palette)
    if margin is not None:
        zone = pd.DataFrame({"low": [margin[0]], "high": [margin[1]]})
        shade = alt.Chart(zone).mark_rect(color=colour("margin", palette), aria=False)
        layers.append(shade.encode(x=axis.encode("low", title, palette), x2=alt.X2("high:Q")))
        layers.append(across(list(margin), strokeDash=[4, 3], color=grey))
    layers.append(across([null], color=ink))
    if line is not None:
        layers.append(across([line], strokeDash=[2, 3], color=ink))
    bars = rows[rows["role"] == "bar"].assign(top=lambda f: f["y"] - _THICK, bottom=lambda f: f["y"] + _THICK)
    if not bars.empty:
        reaching = bars.dropna(subset=["from", "to"]) if "from" in bars else bars.head(0)
        if not reaching.empty:
            wide = reaching.assign(low=reaching["from"], high=reaching["to"])
            layers.append(interval_lines(wide, axis, title, scale, palette, color=grey))
        drawn = alt.Chart(bars).mark_rect(
            fill=colour("inner", palette), stroke=grey, strokeWidth=1.25, clip=True
        )
        layers.append(
            drawn.encode(
                x=axis.encode("low", title, palette), x2=alt.X2("high:Q"), y=y_of("top", scale), y2=alt.Y2("bottom:Q"),
                description=alt.Description("description:N"),
                tooltip=[alt.Tooltip("label:N", title="Range"), alt.Tooltip("result:N", title="From, to")],
            )
        )  # fmt: skip
    for role, shape, hue in (("alternative", "square", grey), ("primary", "circle", ink)):
        part = rows[rows["role"] == role].dropna(subset=["estimate", "low", "high"])
        if part.empty:
            continue
        layers.append(interval_lines(part, axis, title, scale, palette, color=hue))
        shown = {"label": "Row", "result": "Estimate"}
        layers.append(
            points(
                part, axis, title, scale, palette, shown,
                shape=shape, size=95 if role == "primary" else 75, stroke=hue, strokeWidth=1.8, fill=hue,
            )
        )  # fmt: skip
    layers += labels(rows, scale, palette)
    return finished(layers, height=ROW_HEIGHT * max(len(rows), 1), alt_text=alt_text, palette=palette)
