"""Funnel: units by size, the zone in which chance and the usual spread put them, and those outside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import altair as alt
import pandas as pd

from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

FunnelUnit = Literal["share", "number"]

_LABELS: dict[FunnelUnit, str] = {
    "share": "format(datum.value * 100, '~r') + '%'",
    "number": "format(datum.value, '~r')",
}
_NAMED_AT_MOST = 10


def funnel(
    points: pd.DataFrame,
    limits: pd.DataFrame,
    *,
    centre: float,
    centre_words: str,
    x_title: str,
    alt_text: str,
    unit: FunnelUnit = "share",
    tooltip: Mapping[str, str] | None = None,
    height: int = 300,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Points over zones; up to ten points are all named, of more only those that stand out.

    Parameters
    ----------
    points : pandas.DataFrame
        Tidy, one row a unit. Columns: ``x`` (its size), ``y``, ``name``, ``flagged``, ``description``; further ones may be
        named in `tooltip`.
    limits : pandas.DataFrame
        Columns ``x``, ``low_95``, ``high_95``, ``low_998``, ``high_998``, in order of x; empty where there are none.
    centre : float
        Where an ink line is drawn, named by `centre_words` at its right end.
    x_title : str
        What the size is.
    alt_text : str
        Text alternative of the chart.
    unit : {"share", "number"}
        How values are written on the axis.
    tooltip : mapping, optional
        Columns of display strings → titles; the name always comes first.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    points = drawable(points.copy())
    points["flagged"] = points["flagged"].astype(bool)
    left, right = _reach(points["x"], limits)
    across = alt.Scale(domain=[left, right], nice=False, zero=False)
    shown = limits[(limits["x"] >= left) & (limits["x"] <= right)]
    top = max([*points["y"], *shown["high_95"], centre])
    bottom = min([*points["y"], *shown["low_95"], centre])
    room = 0.06 * (top - bottom or abs(centre) or 1.0)
    up = alt.Scale(domain=[max(bottom - room, 0.0), top + room], nice=True, zero=False)

    def x(field: str) -> alt.X:
        axis = alt.Axis(title=x_title, tickCount=5, grid=False, domain=True, ticks=True, tickSize=5, format=",d")
        return alt.X(field, type="quantitative", scale=across, axis=axis)

    def y(field: str) -> alt.Y:
        axis = alt.Axis(title=None, tickCount=5, grid=True, labelExpr=_LABELS[unit])
        return alt.Y(field, type="quantitative", scale=up, axis=axis)

    layers: list[alt.Chart | alt.LayerChart] = []
    if not limits.empty:
        base = alt.Chart(shown)
        for level, tone in (("998", "margin"), ("95", "inner")):
            fill: Any = colour(tone, palette)  # type: ignore[arg-type]
            zone = base.mark_area(fill=fill, fillOpacity=1, clip=True, aria=False, interpolate="monotone")
            layers.append(zone.encode(x=x("x"), y=y(f"low_{level}"), y2=f"high_{level}:Q"))
            edge = base.mark_line(
                color=colour("other", palette), strokeDash=[4, 3], strokeWidth=1, clip=True, aria=False, interpolate="monotone"
            )
            layers += [edge.encode(x=x("x"), y=y(f"{end}_{level}")) for end in ("low", "high") if level == "95"]
    at = pd.DataFrame({"centre": [centre]})
    line = alt.Chart(at).mark_rule(color=colour("ink", palette), strokeWidth=1.25, aria=False)
    layers.append(line.encode(y=y("centre")))
    words = alt.Chart(at).mark_text(
        align="right", baseline="bottom", dx=-6, dy=-4, fontSize=NOTE_SIZE, color=colour("ink", palette), aria=False
    )
    layers.append(words.encode(x=alt.value("width"), y=y("centre"), text=alt.value(centre_words)))
    if not limits.empty:
        layers += _zone_labels(shown, x, y, palette)
    shown_in_tooltip = {"name": "Name", **(tooltip or {})}
    for flagged in (False, True):
        part = points[points["flagged"] == flagged]
        if part.empty:
            continue
        hue = colour("signal" if flagged else "muted", palette)
        marks = alt.Chart(part).mark_point(
            shape="triangle-up" if flagged else "circle", size=95 if flagged else 52, opacity=1, stroke=hue, strokeWidth=1.6,
            fill=hue if flagged else colour("paper", palette), clip=True,
        )  # fmt: skip
        layers.append(
            marks.encode(
                x=x("x"), y=y("y"), description="description:N",
                tooltip=[alt.Tooltip(column, type="nominal", title=name) for column, name in shown_in_tooltip.items()],
            )
        )  # fmt: skip
    named = points if len(points) <= _NAMED_AT_MOST else points[points["flagged"]]
    layers += _names(named, left, right, x, y, palette)
    return finished(layers, height=height, alt_text=alt_text, palette=palette)


def _reach(sizes: pd.Series, limits: pd.DataFrame) -> tuple[float, float]:  # type: ignore[type-arg]
    """From just below the smallest to just above the largest unit, inside what has limits."""
    low, high = float(sizes.min()), float(sizes.max())
    spare = 0.06 * (high - low or high)
    if not limits.empty:
        return max(low - spare, float(limits["x"].min())), min(high + spare, float(limits["x"].max()))
    return max(low - spare, 0.0), high + spare


def _zone_labels(limits: pd.DataFrame, x: Any, y: Any, palette: PaletteName) -> list[alt.Chart]:
    """The zones' names, inside them and a third along."""
    at = limits.iloc[[len(limits) // 3]]
    layers = []
    for level, words in (("998", "99.8% limits"), ("95", "95% limits")):
        text = alt.Chart(at).mark_text(
            align="left", baseline="top", dy=3, fontSize=NOTE_SIZE, color=colour("muted", palette), clip=True, aria=False
        )
        layers.append(text.encode(x=x("x"), y=y(f"high_{level}"), text=alt.value(words)))
    return layers


def _names(points: pd.DataFrame, left: float, right: float, x: Any, y: Any, palette: PaletteName) -> list[alt.Chart]:
    """Names beside their points, at the side on which there is room; those that stand out in bold."""
    layers = []
    for flagged in (False, True):
        for near_end in (False, True):
            part = points[(points["flagged"] == flagged) & ((points["x"] > left + 0.8 * (right - left)) == near_end)]
            if part.empty:
                continue
            text = alt.Chart(part).mark_text(
                align="right" if near_end else "left", dx=-9 if near_end else 9, baseline="middle", fontSize=TEXT_SIZE,
                fontWeight=600 if flagged else 400, color=colour("signal" if flagged else "ink", palette), aria=False,
            )  # fmt: skip
            layers.append(text.encode(x=x("x"), y=y("y"), text="name:N"))
    return layers
