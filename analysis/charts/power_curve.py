"""Power: the chance to find a true effect, by its size, at the size this comparison has."""

from __future__ import annotations

from typing import Any, Literal

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, value_axis
from analysis.charts.theme import NOTE_SIZE, PaletteName, colour, drawable, finished

HEIGHT = 250


def power_curve(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    title: str,
    unit: Unit,
    power: float,
    found: tuple[float, str] | None,
    margin: tuple[float, str] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """A curve of power over true effects, with the effect that is found often enough and the margin.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns: ``effect``, ``power`` (both as fractions, or the effect a ratio).
    alt_text, title : str
        Text alternative; axis title.
    unit : {"points", "ratio"}
        Scale of the effects.
    power : float
        What is often enough: a dashed line.
    found : (float, str), optional
        The smallest effect found with that power, in numbers and words.
    margin : (float, str), optional
        The margin on the side drawn, in numbers and words.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    curve = drawable(frame.copy())
    null = 1.0 if unit == "ratio" else 0.0
    x = value_axis(curve["effect"], unit, include=(null, *((margin[0],) if margin else ())))
    y = value_axis([0.0, 1.0], "share", most_ticks=6)
    scale = alt.Scale(domain=[0.0, 1.0], nice=False, zero=False)
    ink, grey = colour("ink", palette), colour("other", palette)

    def across(field: str) -> alt.X:
        return x.encode(field, title, palette)

    def up(field: str) -> alt.Y:
        axis = alt.Axis(
            title=None,
            values=list(y.ticks),
            labelExpr=y.label_expression,
            grid=True,
            gridColor=colour("grid", palette),
        )
        return alt.Y(field, type="quantitative", scale=scale, axis=axis)

    dashed: dict[str, Any] = {"strokeDash": [4, 3], "strokeWidth": 1.25, "color": grey, "aria": False}
    layers: list[alt.Chart | alt.LayerChart] = [
        alt.Chart(pd.DataFrame({"power": [power]})).mark_rule(**dashed).encode(y=up("power"))
    ]
    if margin is not None:
        layers += _marked(
            pd.DataFrame({"effect": [margin[0]], "words": [margin[1]]}), 0.06, across, up, dashed, palette
        )
    line = alt.Chart(curve).mark_line(color=ink, strokeWidth=2.25, clip=True, aria=False)
    layers.append(line.encode(x=across("effect"), y=up("power"), order=alt.Order("effect:Q")))
    if found is not None:
        at = pd.DataFrame({"effect": [found[0]], "power": [power], "words": [found[1]]})
        point = alt.Chart(at).mark_point(shape="circle", size=95, stroke=ink, fill=ink, opacity=1)
        layers.append(
            point.encode(
                x=across("effect"), y=up("power"), description=alt.Description("words:N"),
                tooltip=[alt.Tooltip("words:N", title="Found four times in five")],
            )
        )  # fmt: skip
        towards: Literal["left", "right"] = "left" if found[0] > null else "right"
        words = alt.Chart(at).mark_text(
            align=towards,
            dx=12 if towards == "left" else -12,
            dy=10,
            baseline="top",
            fontSize=NOTE_SIZE,
            color=ink,
            aria=False,
        )
        layers.append(words.encode(x=across("effect"), y=up("power"), text=alt.Text("words:N")))
    return finished(layers, height=HEIGHT, alt_text=alt_text, palette=palette)


def _marked(
    at: pd.DataFrame, height: float, across: Any, up: Any, dashed: dict[str, Any], palette: PaletteName
) -> list[alt.Chart | alt.LayerChart]:
    """A dashed upright at an effect, with its words near the foot."""
    rule = alt.Chart(at).mark_rule(**dashed).encode(x=across("effect"))
    words = alt.Chart(at.assign(power=height)).mark_text(
        align="left", dx=6, fontSize=NOTE_SIZE, color=colour("muted", palette), aria=False
    )
    return [rule, words.encode(x=across("effect"), y=up("power"), text=alt.Text("words:N"))]
