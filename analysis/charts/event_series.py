"""A series of events with control limits: a line of points, the zone between the limits, points outside named."""

from __future__ import annotations

from collections.abc import Callable

import altair as alt
import pandas as pd

from analysis.charts.months import month_axis
from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

APART = 0.1
"""Part of the axis between two names: of points outside that stand closer only the first is named in the picture."""


def event_series(
    frame: pd.DataFrame, *, alt_text: str, title: str = "", height: int = 240, palette: PaletteName = "screen"
) -> alt.LayerChart:
    """Points in order of time with their limits.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, in order of time. Columns: ``at`` (place on the time axis, in months since year 0), ``from`` and ``to``
        (between which its limits hold), ``value``, ``expected``, ``low``, ``high`` (missing where there are none),
        ``outside``, ``name`` (what stands beside a point outside), ``words`` and ``limits`` (for tooltips).
    alt_text : str
        Text alternative of the chart.
    title : str
        Unit of the values, where it is not what the page's line under the title says.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}
    """
    points = drawable(frame.copy())
    points["description"] = points["name"] + ": " + points["words"]
    first, last = int(points["from"].min()), int(points["to"].max() + 0.999)
    time = alt.Scale(domain=[first, last], nice=False, zero=False)
    scale = alt.Scale(domainMin=0, nice=True)
    axis = month_axis(first, last, palette)

    def across(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=time, axis=axis)

    def up(field: str) -> alt.Y:
        return alt.Y(
            field, type="quantitative", scale=scale,
            axis=alt.Axis(title=title or None, tickCount=5, grid=True, format=",d", tickMinStep=1),
        )  # fmt: skip

    layers: list[alt.Chart | alt.LayerChart] = []
    limited = points.dropna(subset=["low", "high"])
    if not limited.empty:
        base = alt.Chart(limited)
        zone = base.mark_rect(fill=colour("margin", palette), aria=False)
        layers.append(zone.encode(x=across("from"), x2=alt.X2("to:Q"), y=up("low"), y2=alt.Y2("high:Q")))
        edge = base.mark_rule(color=colour("other", palette), strokeDash=[4, 3], strokeWidth=1, aria=False)
        layers += [edge.encode(x=across("from"), x2=alt.X2("to:Q"), y=up(end)) for end in ("low", "high")]
    expected = points.dropna(subset=["expected"])
    if not expected.empty:
        centre = alt.Chart(expected).mark_rule(color=colour("ink", palette), strokeWidth=1.25, aria=False)
        layers.append(centre.encode(x=across("from"), x2=alt.X2("to:Q"), y=up("expected")))
    known = points.dropna(subset=["value"])
    line = alt.Chart(known).mark_line(color=colour("muted", palette), strokeWidth=1.25, aria=False)
    layers.append(line.encode(x=across("at"), y=up("value")))
    tooltip = [
        alt.Tooltip("name:N", title="When"),
        alt.Tooltip("words:N", title="Value"),
        alt.Tooltip("limits:N", title="Limits"),
    ]
    for outside in (False, True):
        part = known[known["outside"] == outside]
        if part.empty:
            continue
        hue = colour("signal" if outside else "muted", palette)
        look = alt.Chart(part).mark_point(
            shape="triangle-up" if outside else "circle", size=90 if outside else 34, opacity=1, stroke=hue, strokeWidth=1.5,
            fill=hue if outside else colour("paper", palette),
        )  # fmt: skip
        layers.append(
            look.encode(
                x=across("at"), y=up("value"), description=alt.Description("description:N"), tooltip=tooltip
            )
        )
    layers += _named(known, first, last, across, up, palette)
    if not limited.empty:
        layers.append(_zone_label(limited, across, up, palette))
    return finished(layers, height=height, alt_text=alt_text, palette=palette)


def _named(
    points: pd.DataFrame,
    first: int,
    last: int,
    across: Callable[[str], alt.X],
    up: Callable[[str], alt.Y],
    palette: PaletteName,
) -> list[alt.Chart]:
    """Names of points outside, at the side on which there is room; the table names them all."""
    kept: list[int] = []
    outside = points[points["outside"]]
    for i, at in enumerate(outside["at"]):
        if not kept or at - outside["at"].iloc[kept[-1]] > APART * (last - first):
            kept.append(i)
    outside = outside.iloc[kept]
    layers = []
    for right, above in ((True, True), (True, False), (False, True), (False, False)):
        early, high = outside["at"] < first + 0.85 * (last - first), outside["value"] > outside["expected"]
        part = outside[(early == right) & (high == above)]
        if not part.empty:
            words = alt.Chart(part).mark_text(
                align="left" if right else "right", dx=-4 if right else 4, dy=-14 if above else 15, baseline="middle",
                fontSize=TEXT_SIZE, fontWeight=600, color=colour("signal", palette), aria=False,
            )  # fmt: skip
            layers.append(words.encode(x=across("at"), y=up("value"), text=alt.Text("name:N")))
    return layers


def _zone_label(
    limited: pd.DataFrame, across: Callable[[str], alt.X], up: Callable[[str], alt.Y], palette: PaletteName
) -> alt.Chart:
    words = alt.Chart(limited.head(1)).mark_text(
        align="left",
        baseline="top",
        dx=6,
        dy=4,
        fontSize=NOTE_SIZE,
        color=colour("muted", palette),
        aria=False,
    )
    labelled: alt.Chart = words.encode(x=across("from"), y=up("high"), text=alt.TextValue("limits"))
    return labelled
