"""How strong an unmeasured factor must be: curves of the pairs of associations that would do, and recorded factors."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.axes import ValueAxis, value_axis
from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

HEIGHT = 300
_BESIDE: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "dx": 8, "baseline": "middle"},
    "left": {"align": "right", "dx": -8, "baseline": "middle"},
    "below": {"align": "center", "dy": 8, "baseline": "top"},
}


def confounding_curves(
    curves: pd.DataFrame,
    benchmarks: pd.DataFrame,
    *,
    alt_text: str,
    titles: tuple[str, str],
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Both associations as ratios on log axes; a factor on or above a curve would be enough.

    Parameters
    ----------
    curves : pandas.DataFrame
        Columns: ``target`` (``nothing`` or ``margin``), ``label``, ``with_mode``, ``with_outcome``; and ``equal`` (bool), true
        for the one point at which both associations are as strong.
    benchmarks : pandas.DataFrame
        Recorded factors. Columns: ``label``, ``with_mode``, ``with_outcome``, ``words``, ``description``, and ``side``
        (``right``, ``left`` or ``below``), where the name stands.
    alt_text : str
    titles : (str, str)
        Of the horizontal and the vertical axis.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    marks = drawable(benchmarks.copy())
    equal = curves[curves["equal"]]
    x = _axis([*marks["with_mode"], *equal["with_mode"]])
    y = _axis([*marks["with_outcome"], *equal["with_outcome"]])
    # The curves go on for ever: what is drawn ends with the axes.
    lines = curves[(curves["with_mode"] <= x.high) & (curves["with_outcome"] <= y.high)]
    up_scale = alt.Scale(type="log", domain=[y.low, y.high], nice=False)

    def across(field: str) -> alt.X:
        return x.encode(field, titles[0], palette)

    def up(field: str) -> alt.Y:
        axis = alt.Axis(
            title=titles[1], titleAngle=0, titleAlign="left", titleAnchor="start", titleX=0, titleY=-14,
            values=list(y.ticks), labelExpr=y.label_expression, grid=True, gridColor=colour("grid", palette),
        )  # fmt: skip
        return alt.Y(field, type="quantitative", scale=up_scale, axis=axis)

    ink, grey, muted = (colour(name, palette) for name in ("ink", "other", "muted"))
    layers: list[alt.Chart | alt.LayerChart] = []
    for target, hue, dash in (("margin", grey, [5, 3]), ("nothing", ink, [1, 0])):
        part = lines[lines["target"] == target]
        if part.empty:
            continue
        line = alt.Chart(part).mark_line(color=hue, strokeWidth=2, strokeDash=dash, clip=True, aria=False)
        layers.append(
            line.encode(x=across("with_mode"), y=up("with_outcome"), order=alt.Order("with_mode:Q"))
        )
        point = alt.Chart(equal[equal["target"] == target]).mark_point(
            shape="circle",
            size=70,
            stroke=hue,
            fill=hue if target == "nothing" else colour("paper", palette),
            opacity=1,
        )
        layers.append(
            point.encode(
                x=across("with_mode"), y=up("with_outcome"), description=alt.Description("label:N"),
                tooltip=[alt.Tooltip("label:N", title="As strong with both")],
            )
        )  # fmt: skip
        end = part.sort_values("with_mode").tail(1)
        named = alt.Chart(end).mark_text(
            align="right",
            dy=-9 if target == "margin" else 12,
            fontSize=NOTE_SIZE,
            color=ink if target == "nothing" else muted,
            aria=False,
        )
        layers.append(named.encode(x=across("with_mode"), y=up("with_outcome"), text=alt.Text("label:N")))
    if not marks.empty:
        squares = alt.Chart(marks).mark_point(shape="square", size=75, stroke=grey, fill=grey, opacity=1)
        layers.append(
            squares.encode(
                x=across("with_mode"), y=up("with_outcome"), description=alt.Description("description:N"),
                tooltip=[alt.Tooltip("label:N", title="Recorded"), alt.Tooltip("words:N", title="Goes with")],
            )
        )  # fmt: skip
        for side, part in marks.groupby("side"):
            names = alt.Chart(part).mark_text(
                **_BESIDE[str(side)], fontSize=TEXT_SIZE, color=muted, aria=False
            )
            layers.append(names.encode(x=across("with_mode"), y=up("with_outcome"), text=alt.Text("label:N")))
    return finished(
        layers,
        height=HEIGHT,
        alt_text=alt_text,
        palette=palette,
        padding={"left": 2, "right": 2, "top": 22, "bottom": 2},
    )


def _axis(values: list[float]) -> ValueAxis:
    return value_axis([1.0, *(min(value, 10.0) for value in values)], "ratio", include=(1.0, 1.25))
