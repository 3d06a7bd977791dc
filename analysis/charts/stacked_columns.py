"""Stacked columns over time: incidents by transport mode, per month or year.

The parts are greys from dark to paper, told apart by lightness and outline: colours belong to the validation modes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from analysis.charts.months import (
    ROW,
    Annotation,
    annotation_layers,
    month_axis,
    month_key,
    placed_annotations,
)
from analysis.charts.theme import ColourName, PaletteName, colour, drawable, finished

PARTS: tuple[tuple[ColourName, ColourName], ...] = (
    ("ink", "paper"), ("other", "paper"), ("rule", "other"), ("paper", "ink"), ("inner", "ink"), ("margin", "ink"),
)  # fmt: skip
"""Fill and outline of each part, from the bottom of a column upwards; `mark` of the page's key has the same."""


def stacked_columns(
    frame: pd.DataFrame,
    *,
    parts: Sequence[str],
    alt_text: str,
    ticks: Mapping[int, str] | None = None,
    annotations: Sequence[Annotation] = (),
    unit: str = "incidents",
    height: int = 240,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Columns of counts over time, one stack a period.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, in order of time. Columns: ``start`` and ``end`` (month keys: a year covered in part is a narrower column),
        ``period`` (its name), ``part`` and ``n``; a missing ``n`` is not drawn.
    parts : sequence of str
        Parts in the order they are stacked, at most six.
    alt_text : str
        Text alternative of the chart.
    ticks : mapping, optional
        Month key → label under it, where columns are no months.
    annotations : sequence of Annotation
        Drawn only where the axis crosses them.
    unit : str
        What is counted, for tooltips and descriptions.
    height : int
        Height of the plot in pixels.
    palette : {"screen", "light", "dark"}
    """
    columns = drawable(_stacked(frame, parts, unit))
    first, last = int(frame["start"].min()), int(frame["end"].max())
    scale = alt.Scale(domain=[first, last], nice=False, zero=False)
    placed = placed_annotations([a for a in annotations if first < month_key(a.month) < last], first, last)
    head = max((raised + 1 for *_, raised in placed), default=0) * ROW
    x = alt.X(
        "start:Q",
        scale=scale,
        axis=_named_axis(ticks, palette) if ticks else month_axis(first, last, palette),
    )
    y = alt.Y(
        "base:Q",
        scale=alt.Scale(domainMin=0, nice=True, range=[alt.ExprRef("height"), head]),
        axis=alt.Axis(title=None, tickCount=5, grid=True, format=",d", tickMinStep=1),
    )
    layers: list[alt.Chart | alt.LayerChart] = []
    for name, (fill, outline) in zip(parts, PARTS, strict=False):
        part = columns[columns["part"] == name]
        if part.empty:
            continue
        look: dict[str, Any] = {
            "fill": colour(fill, palette),
            "stroke": colour(outline, palette),
            "strokeWidth": 0.75,
        }
        layers.append(
            alt.Chart(part)
            .mark_rect(**look)
            .encode(
                x=x,
                x2=alt.X2("end:Q"),
                y=y,
                y2=alt.Y2("top:Q"),
                description=alt.Description("description:N"),
                tooltip=[
                    alt.Tooltip("period:N", title="Period"),
                    alt.Tooltip("part:N", title="Transport mode"),
                    alt.Tooltip("n:Q", title=unit.capitalize(), format=","),
                    alt.Tooltip("total:Q", title="In all", format=","),
                ],
            )
        )
    for annotation, side, raised in placed:
        layers += annotation_layers(annotation, side, head - (raised + 1) * ROW, scale, palette)
    return finished(layers, height=head + height, alt_text=alt_text, palette=palette)


def _stacked(frame: pd.DataFrame, parts: Sequence[str], unit: str) -> pd.DataFrame:
    order = {name: i for i, name in enumerate(parts)}
    known = frame[frame["n"].notna() & (frame["n"] > 0)].copy()
    known = known.sort_values(
        ["start", "part"], key=lambda c: c.map(order) if c.name == "part" else c, ignore_index=True
    )
    known["top"] = known.groupby("start")["n"].cumsum()
    known["base"] = known["top"] - known["n"]
    known["total"] = known.groupby("start")["n"].transform("sum")
    known["description"] = [
        f"{period}: {n:,.0f} {unit}, {part}"
        for period, n, part in zip(known["period"], known["n"], known["part"], strict=True)
    ]
    return known


def _named_axis(ticks: Mapping[int, str], palette: PaletteName) -> alt.Axis:
    names = ", ".join(f"'{key}': '{label}'" for key, label in ticks.items())
    return alt.Axis(
        title=None, values=list(ticks), labelExpr=f"{{{names}}}[datum.value]", labelAlign="left", grid=False, domain=True,
        ticks=True, tickSize=5, domainColor=colour("rule", palette), labelOverlap=True,
    )  # fmt: skip
