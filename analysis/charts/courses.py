"""Courses over quarters: one figure of each mode with its interval, and what happened when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from analysis.charts.axes import Unit, value_axis
from analysis.charts.months import (
    ROW,
    Annotation,
    annotation_layers,
    month_axis,
    month_key,
    placed_annotations,
)
from analysis.charts.theme import PaletteName, colour, drawable, finished

HEIGHT = 240
_ASIDE = 0.3
"""Months by which the marks of the two modes stand to either side of the middle of their quarter."""


def courses(
    frame: pd.DataFrame,
    *,
    first: int,
    last: int,
    labels: Mapping[str, str],
    alt_text: str,
    unit: Unit,
    include: Sequence[float] = (),
    annotations: Sequence[Annotation] = (),
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Points with intervals by quarter: virtual filled and solid, in person open and dashed.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy. Columns: ``month`` (key of the first month of the quarter), ``mode``, ``estimate``, ``low``, ``high``,
        ``quarter`` (in words), ``words`` (figure with interval), ``counts`` and ``description``. A quarter that is not
        there interrupts the line.
    first, last : int
        Month keys between which the axis runs.
    labels : mapping
        Mode → its name.
    alt_text : str
        Text alternative.
    unit : {"share", "points", "ratio", "number"}
        How the scale is written.
    include : sequence of float
        Values the scale must reach.
    annotations : sequence of Annotation
        Drawn only where the axis crosses them.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(frame.sort_values("month").copy())
    rows["start"] = rows["month"] + 1.5 + rows["mode"].map({"virtual": -_ASIDE, "in_person": _ASIDE})
    # A line joins neighbouring quarters only.
    rows["stretch"] = rows.groupby("mode")["month"].transform(lambda m: (m.diff() != 3).cumsum())
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    placed = placed_annotations([a for a in annotations if first < month_key(a.month) < last], first, last)
    head = max((raised + 1 for *_, raised in placed), default=0) * ROW
    values = value_axis([*rows["low"], *rows["high"]], unit, include=include, most_ticks=5)
    reach = alt.Scale(
        type="log" if unit == "ratio" else "linear", domain=[values.low, values.high], nice=False, zero=False,
        range=[alt.ExprRef("height"), head],
    )  # fmt: skip
    x = alt.X("start:Q", scale=scale, axis=month_axis(first, last, palette))

    def y_of(field: str) -> alt.Y:
        axis = alt.Axis(
            title=None, values=list(values.ticks), labelExpr=values.label_expression, grid=True,
            gridColor=colour("grid", palette),
        )  # fmt: skip
        return alt.Y(field, type="quantitative", scale=reach, axis=axis)

    layers: list[alt.Chart | alt.LayerChart] = []
    for mode in ("in_person", "virtual"):
        part = rows[rows["mode"] == mode]
        if part.empty:
            continue
        hue = colour("virtual" if mode == "virtual" else "in_person", palette)
        dash = [1, 0] if mode == "virtual" else [5, 3]
        rules = alt.Chart(part).mark_rule(color=hue, strokeWidth=1.75, aria=False)
        layers.append(rules.encode(x=x, y=y_of("low"), y2=alt.Y2("high:Q")))
        line = alt.Chart(part).mark_line(color=hue, strokeWidth=1.5, strokeDash=dash, aria=False)
        layers.append(line.encode(x=x, y=y_of("estimate"), detail=alt.Detail("stretch:N")))
        points = alt.Chart(part).mark_point(
            shape="circle" if mode == "virtual" else "diamond", size=52, opacity=1, stroke=hue, strokeWidth=1.8,
            fill=hue if mode == "virtual" else colour("paper", palette),
        )  # fmt: skip
        layers.append(
            points.encode(
                x=x,
                y=y_of("estimate"),
                description=alt.Description("description:N"),
                tooltip=[
                    alt.Tooltip("quarter:N", title="Quarter"),
                    alt.Tooltip("words:N", title=labels[mode]),
                    alt.Tooltip("counts:N", title="n"),
                ],
            )
        )
    for annotation, side, raised in placed:
        layers += annotation_layers(annotation, side, head - (raised + 1) * ROW, scale, palette)
    return finished(layers, height=head + HEIGHT, alt_text=alt_text, palette=palette)
