"""Cumulative risk by mode, with the numbers still followed below the axis: one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.theme import TEXT_SIZE, ColourName, PaletteName, colour, drawable, finished

PLOT = 230
_AXIS, _ROW = 46, 20
ROOM_FOR_NAMES = 0.25
"""Part of the width at the right that is kept for the names of the lines."""
LEAST = 0.04
"""The scale reaches at least this far: a risk of one in a hundred should not fill the picture."""
_APART = 17
"""Names of lines stand at least so many pixels apart."""


def cumulative_risk(
    curves: pd.DataFrame,
    followed: pd.DataFrame,
    *,
    labels: Mapping[str, str],
    alt_text: str,
    title: str,
    ticks: Mapping[int, str],
    marks: pd.DataFrame,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Share with an event by time: solid line and filled band, dashed line and dotted band edges; at-risk table below.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns: ``mode``, ``day``, ``risk``, ``low``, ``high`` (fractions), in order of time; steps hold until the next.
    followed : pandas.DataFrame
        Columns: ``mode``, ``day``, ``words``: how many are still followed, as written under the axis.
    labels : mapping
        Mode → its name, in the order of the rows of the table.
    alt_text, title : str
        Text alternative; what the table under the axis counts.
    ticks : mapping
        Day → its label on the axis.
    marks : pandas.DataFrame
        Columns: ``mode``, ``day``, ``risk``, ``words``, ``description``: points with something to say.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    lines = drawable(curves.fillna({"low": 0.0, "high": 0.0}))
    modes = [mode for mode in labels if (lines["mode"] == mode).any()]
    table = _AXIS + _ROW * (len(modes) + 1)
    high = max(LEAST, _rounded_up(float(lines["high"].max()) if len(lines) else LEAST))
    last = max(ticks)
    x_scale = alt.Scale(domain=[0, last / (1 - ROOM_FOR_NAMES)], nice=False, zero=False)
    y_scale = alt.Scale(domain=[0, high], nice=False, zero=False, range=[PLOT, 0])
    named = ", ".join(f"'{day}': '{words}'" for day, words in ticks.items())
    x = alt.X(
        "day:Q",
        scale=x_scale,
        axis=alt.Axis(
            title=None, values=list(ticks), labelExpr=f"{{{named}}}[datum.value]", grid=False, ticks=True, tickSize=5,
            domain=False, offset=-table, labelFlush=False,
        ),
    )  # fmt: skip
    axis = alt.Axis(
        title=None, values=[i * high / 4 for i in range(5)], grid=True, gridColor=colour("grid", palette),
        labelExpr="format(datum.value * 100, '.3~r') + '%'",
    )  # fmt: skip

    def y_of(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", scale=y_scale, axis=axis)

    y = y_of("risk")
    layers: list[alt.Chart | alt.LayerChart] = []
    for mode in modes:
        layers += _band(lines[lines["mode"] == mode], mode, x, y_of, palette)
    for mode in modes:
        dash: dict[str, Any] = {} if mode == "virtual" else {"strokeDash": [6, 3]}
        line = alt.Chart(lines[lines["mode"] == mode]).mark_line(
            interpolate="step-after", strokeWidth=2.25, color=_hue(mode, palette), aria=False, **dash
        )
        layers.append(line.encode(x=x, y=y))
    for mode in modes:
        part = marks[marks["mode"] == mode]
        if len(part):
            layers.append(_points(part, mode, x, y, palette))
    layers += _names(lines, modes, labels, high, x, palette)
    layers += _table(followed, modes, labels, title, x, palette)
    return finished(layers, height=PLOT + table, alt_text=alt_text, palette=palette)


def _hue(mode: str, palette: PaletteName) -> str:
    return colour(_role(mode), palette)


def _role(mode: str) -> ColourName:
    return "virtual" if mode == "virtual" else "in_person"


def _band(
    lines: pd.DataFrame, mode: str, x: alt.X, y_of: Callable[[str], alt.Y], palette: PaletteName
) -> list[alt.Chart]:
    low, high = y_of("low"), y_of("high")
    if mode == "virtual":
        area = alt.Chart(lines).mark_area(
            interpolate="step-after", color=colour("tint_virtual", palette), opacity=0.6, aria=False
        )
        return [area.encode(x=x, y=low, y2=alt.Y2("high:Q"))]
    edge: dict[str, Any] = {
        "interpolate": "step-after",
        "strokeDash": [1, 3],
        "strokeWidth": 1.5,
        "aria": False,
    }
    return [
        alt.Chart(lines).mark_line(color=_hue(mode, palette), **edge).encode(x=x, y=end)
        for end in (low, high)
    ]


def _points(part: pd.DataFrame, mode: str, x: alt.X, y: alt.Y, palette: PaletteName) -> alt.Chart:
    hue = _hue(mode, palette)
    mark = alt.Chart(part).mark_point(
        shape="circle" if mode == "virtual" else "diamond", size=60, opacity=1, stroke=hue, strokeWidth=1.8,
        fill=hue if mode == "virtual" else colour("paper", palette),
    )  # fmt: skip
    placed: alt.Chart = mark.encode(
        x=x,
        y=y,
        description=alt.Description("description:N"),
        tooltip=[alt.Tooltip("when:N", title="By"), alt.Tooltip("words:N", title="Risk")],
    )
    return placed


def _names(
    lines: pd.DataFrame,
    modes: Sequence[str],
    labels: Mapping[str, str],
    high: float,
    x: alt.X,
    palette: PaletteName,
) -> list[alt.Chart]:
    """The name of each line at its end, moved apart where two would meet."""
    ends = [lines[lines["mode"] == mode].iloc[-1] for mode in modes]
    at = {mode: PLOT * (1 - float(end["risk"]) / high) for mode, end in zip(modes, ends, strict=True)}
    if len(modes) == 2:
        upper, lower = sorted(modes, key=lambda mode: at[mode])
        gap = max(_APART - (at[lower] - at[upper]), 0)
        at[lower] = min(at[lower] + gap / 2, PLOT - 6)
        at[upper] = min(at[upper], at[lower] - _APART)
    out = []
    for mode, end in zip(modes, ends, strict=True):
        name = alt.Chart(pd.DataFrame({"day": [float(end["day"])]})).mark_text(
            text=labels[mode], align="left", baseline="middle", dx=7, fontSize=TEXT_SIZE, fontWeight=600,
            color=_hue(mode, palette), aria=False,
        )  # fmt: skip
        out.append(name.encode(x=x, y=alt.YValue(max(at[mode], 6))))
    return out


def _table(
    followed: pd.DataFrame,
    modes: Sequence[str],
    labels: Mapping[str, str],
    title: str,
    x: alt.X,
    palette: PaletteName,
) -> list[alt.Chart]:
    """Rows of numbers under the axis, each in the colour of its line and with its name."""
    nothing = pd.DataFrame({"day": [0.0]})
    text: dict[str, Any] = {"baseline": "middle", "fontSize": TEXT_SIZE, "aria": False}
    head = alt.Chart(nothing).mark_text(text=title, align="left", color=colour("muted", palette), **text)
    out = [head.encode(x=alt.XValue(-14), y=alt.YValue(PLOT + _AXIS))]
    for i, mode in enumerate(modes):
        row = alt.YValue(PLOT + _AXIS + _ROW * (i + 1))
        hue = _hue(mode, palette)
        part = followed[followed["mode"] == mode]
        if len(part):
            numbers = alt.Chart(part).mark_text(color=hue, **text | {"aria": True})
            out.append(
                numbers.encode(
                    x=x, y=row, text=alt.Text("words:N"), description=alt.Description("description:N")
                )
            )
        name = alt.Chart(nothing).mark_text(
            text=labels[mode], align="right", color=hue, fontWeight=600, **text
        )
        out.append(name.encode(x=alt.XValue("width"), y=row))
    return out


def _rounded_up(value: float) -> float:
    """The next round number whose quarters are round too.

    >>> _rounded_up(0.05), _rounded_up(0.3)
    (0.08, 0.4)
    """
    magnitude = 10.0 ** math.floor(math.log10(value)) if value > 0 else 0.01
    steps = (1, 2, 4, 8, 10)
    return min(round(next(s for s in steps if s * magnitude >= value * 0.999) * magnitude, 10), 1.0)
