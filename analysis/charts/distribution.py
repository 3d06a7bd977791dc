"""Distributions of two modes: histograms above each other on one axis, never laid over one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.theme import TEXT_SIZE, PaletteName, colour, drawable, finished

PANEL = 118
"""Height of one histogram with the words above it, in pixels."""
_HEAD = 0.36
"""Share of a panel that is kept for words."""
_LINE = 16


@dataclass(frozen=True, slots=True)
class Middle:
    """What stands above a histogram: the median (None: not reached) and its words."""

    mode: str
    name: str
    median: float | None
    words: str


def stacked_histograms(
    frame: pd.DataFrame,
    middles: Sequence[Middle],
    *,
    alt_text: str,
    title: str,
    ticks: Sequence[float],
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """One histogram a mode, virtual above, on one axis and one scale, with a line at each median.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, one row a mode and column. Columns: ``mode``, ``low``, ``high`` (edges), ``share`` (fraction; missing:
        not drawn), ``range`` (the column in words), ``words`` (share and count) and ``description`` (read out).
    middles : sequence of Middle
        The modes from top to bottom.
    alt_text, title : str
        Text alternative; axis title with the unit.
    ticks : sequence of float
        Where the axis is labelled.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.dropna(subset=["share"]).copy())
    low, high = float(frame["low"].min()), float(frame["high"].max())
    most = float(rows["share"].max()) if len(rows) else 1.0
    base = {middle.mode: len(middles) - 1 - i for i, middle in enumerate(middles)}
    rows["base"] = rows["mode"].map(base).astype(float)
    rows["top"] = rows["base"] + rows["share"] / (most or 1.0) * (1 - _HEAD)
    x_scale = alt.Scale(domain=[low, high], nice=False, zero=False)
    y_scale = alt.Scale(domain=[0, len(middles)], nice=False, zero=False)
    axis = alt.Axis(
        title=title, values=list(ticks), grid=False, domain=True, ticks=True, tickSize=5, labelFlush=False,
        domainColor=colour("rule", palette), labelExpr="format(datum.value, ',')",
    )  # fmt: skip
    x = alt.X("low:Q", scale=x_scale, axis=axis)
    layers: list[alt.Chart | alt.LayerChart] = []
    for middle in middles:
        part = rows[(rows["mode"] == middle.mode) & (rows["share"] > 0)]
        floor = pd.DataFrame({"low": [low], "high": [high], "base": [float(base[middle.mode])]})
        rule = alt.Chart(floor).mark_rule(color=colour("rule", palette), aria=False)
        layers.append(rule.encode(x=x, x2=alt.X2("high:Q"), y=alt.Y("base:Q", scale=y_scale, axis=None)))
        if len(part):
            bars = alt.Chart(part).mark_rect(**_look(middle.mode, palette))
            layers.append(
                bars.encode(
                    x=x,
                    x2=alt.X2("high:Q"),
                    y=alt.Y("base:Q", scale=y_scale, axis=None),
                    y2=alt.Y2("top:Q"),
                    description=alt.Description("description:N"),
                    tooltip=[
                        alt.Tooltip("range:N", title=title),
                        alt.Tooltip("words:N", title=middle.name),
                    ],
                )
            )
        layers += _middle(middle, base[middle.mode], x, y_scale, (low, high), palette)
    return finished(layers, height=PANEL * len(middles), alt_text=alt_text, palette=palette)


def _look(mode: str, palette: PaletteName) -> dict[str, Any]:
    if mode == "virtual":
        return {
            "fill": colour("virtual", palette),
            "stroke": colour("paper", palette),
            "strokeWidth": 0.5,
        }
    return {
        "fill": colour("tint_in_person", palette),
        "stroke": colour("in_person", palette),
        "strokeWidth": 1,
    }


def _middle(
    middle: Middle, base: int, x: alt.X, scale: alt.Scale, ends: tuple[float, float], palette: PaletteName
) -> list[alt.Chart]:
    """The median line of one histogram and the words above it, on the side where there is room."""
    low, high = ends
    median = min(max(middle.median, low), high) if middle.median is not None else low
    at = pd.DataFrame({"low": [median], "base": [float(base)], "top": [base + 1 - _HEAD + 0.03]})
    out = []
    if middle.median is not None:
        line = alt.Chart(at).mark_rule(color=colour("ink", palette), strokeWidth=2, aria=False)
        out.append(line.encode(x=x, y=alt.Y("base:Q", scale=scale, axis=None), y2=alt.Y2("top:Q")))
    place = (median - low) / (high - low)
    side = "left" if place < 0.35 else "right" if place > 0.65 else "center"
    text: dict[str, Any] = {"align": side, "fontSize": TEXT_SIZE, "aria": False, "baseline": "bottom"}
    y = alt.Y("top:Q", scale=scale, axis=None)
    name = alt.Chart(at).mark_text(
        text=middle.name, fontWeight=600, color=colour("virtual" if middle.mode == "virtual" else "in_person", palette),
        dy=-_LINE - 2, **text,
    )  # fmt: skip
    words = alt.Chart(at).mark_text(text=middle.words, color=colour("ink", palette), dy=-2, **text)
    return [*out, name.encode(x=x, y=y), words.encode(x=x, y=y)]
