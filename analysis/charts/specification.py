"""Specification curve: estimates in order of size, with intervals, above the choices that each of them made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, value_axis
from analysis.charts.theme import TEXT_SIZE, PaletteName, colour, drawable, finished

CURVE = 230
"""Height of the curve in pixels."""
ROW = 30
_GAP = 18
_TOP = 8


def specification_curve(
    frame: pd.DataFrame,
    choices: pd.DataFrame,
    *,
    alt_text: str,
    unit: Unit = "points",
    margin: tuple[float, float] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Sorted estimates above a matrix of dots: a dot marks a choice made otherwise than in the answer as asked.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a specification, in order of its estimate. Columns: ``label`` (its choices in words), ``estimate``,
        ``low``, ``high``, ``result``, ``as_asked`` (bool), ``description`` (read out).
    choices : pandas.DataFrame
        One row a dot: ``place`` (position of the specification in `frame`) and ``choice`` (in words), in the order in which
        the rows of the matrix are to stand.
    alt_text : str
        Text alternative of the chart.
    unit : {"points", "ratio"}
        Scale of the estimates.
    margin : (float, float), optional
        Shaded zone with dashed edges.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.reset_index(drop=True).copy())
    rows["x"] = rows.index + 0.5
    names = list(dict.fromkeys(choices["choice"]))
    null = 1.0 if unit == "ratio" else 0.0
    axis = value_axis([*rows["low"], *rows["high"]], unit, most_ticks=5, include=(null, *(margin or ())))
    below = _GAP + ROW * len(names) if names else 0

    def at(pixels: float) -> float:
        """The value that many pixels under the lower end of the curve: the matrix shares the axis of the curve."""
        if unit == "ratio":
            low, high = math.log(axis.low), math.log(axis.high)
            return math.exp(low - pixels * (high - low) / (CURVE - _TOP))
        return axis.low - pixels * (axis.high - axis.low) / (CURVE - _TOP)

    kind: Literal["log", "linear"] = "log" if unit == "ratio" else "linear"
    # The range ends with the curve; the matrix stands beyond the domain, where the scale simply goes on.
    y = alt.Scale(type=kind, domain=[axis.low, axis.high], nice=False, range=[CURVE, _TOP])
    x = alt.Scale(domain=[0, len(rows)], nice=False, zero=False)
    numbers = alt.Axis(
        title=None,
        values=list(axis.ticks),
        labelExpr=axis.label_expression,
        grid=True,
        gridColor=colour("grid", palette),
    )
    grey, ink = colour("other", palette), colour("ink", palette)

    def across(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=x, axis=None)

    def up(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", scale=y, axis=numbers)

    layers: list[alt.Chart | alt.LayerChart] = []
    if margin is not None:
        zone = alt.Chart(pd.DataFrame({"low": [margin[0]], "high": [margin[1]]}))
        layers.append(
            zone.mark_rect(color=colour("margin", palette), aria=False).encode(
                y=up("low"), y2=alt.Y2("high:Q")
            )
        )
        edges = alt.Chart(pd.DataFrame({"low": list(margin)}))
        layers.append(
            edges.mark_rule(color=grey, strokeDash=[4, 3], strokeWidth=1.25, aria=False).encode(y=up("low"))
        )
    nothing = alt.Chart(pd.DataFrame({"low": [null]}))
    layers.append(nothing.mark_rule(color=ink, strokeWidth=1.25, aria=False).encode(y=up("low")))
    asked = rows[rows["as_asked"]]
    if not asked.empty:
        column = alt.Chart(asked).mark_rule(color=ink, strokeWidth=1, strokeDash=[1, 3], aria=False)
        layers.append(column.encode(x=across("x")))
    tooltip = [alt.Tooltip("label:N", title="Specification"), alt.Tooltip("result:N", title="Estimate")]
    for is_primary, shape, size, hue in ((False, "square", 26, grey), (True, "circle", 95, ink)):
        part = rows[rows["as_asked"] == is_primary]
        if part.empty:
            continue
        line = alt.Chart(part).mark_rule(
            strokeWidth=2.25 if is_primary else 1.5, color=hue, aria=False, clip=True
        )
        layers.append(line.encode(x=across("x"), y=up("low"), y2=alt.Y2("high:Q")))
        mark = alt.Chart(part).mark_point(shape=shape, size=size, stroke=hue, fill=hue, opacity=1)
        layers.append(
            mark.encode(
                x=across("x"), y=up("estimate"), tooltip=tooltip, description=alt.Description("description:N")
            )
        )
    layers += _matrix(choices, names, at, across, up, palette)
    return finished(layers, height=CURVE + below, alt_text=alt_text, palette=palette)


def _matrix(
    choices: pd.DataFrame,
    names: list[str],
    at: Callable[[float], float],
    across: Callable[[str], alt.X],
    up: Callable[[str], alt.Y],
    palette: PaletteName,
) -> list[alt.Chart | alt.LayerChart]:
    """One row a choice: its name above its dots."""
    if not names:
        return []
    heads = [_GAP + ROW * i for i in range(len(names))]
    titles = pd.DataFrame(
        {"choice": names, "label_y": [at(h + 8) for h in heads], "line_y": [at(h + 22) for h in heads]}
    )
    dots = choices.merge(titles, on="choice").assign(x=lambda f: f["place"] + 0.5)
    base = alt.Chart(titles)
    lines = base.mark_rule(color=colour("grid", palette), aria=False).encode(y=up("line_y"))
    words = base.mark_text(
        align="left", baseline="middle", fontSize=TEXT_SIZE, color=colour("ink", palette), aria=False
    ).encode(x=alt.XValue(0), y=up("label_y"), text=alt.Text("choice:N"))
    marks = alt.Chart(dots).mark_point(
        shape="circle",
        size=24,
        stroke=colour("ink", palette),
        fill=colour("ink", palette),
        opacity=1,
        aria=False,
    )
    return [lines, words, marks.encode(x=across("x"), y=up("line_y"))]
