"""Heat map: a number in every cell, darker where it is greater; the row label stands above its cells."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

ROW_HEIGHT = 46
_HEAD = 24
_DARKEST = 0.45
"""Ink stays readable on the strongest tint in both schemes, so numbers need no second colour."""


def heat_map(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    tooltip: Mapping[str, str] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """A grid of shares.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, one row a cell, in reading order. Columns: ``label`` (row), ``column`` (short heading), ``value``
        (fraction; missing where too little was counted), ``words`` (what stands in the cell), ``description``.
    alt_text : str
        Text alternative of the chart.
    tooltip : mapping, optional
        Columns of display strings → titles.
    palette : {"screen", "light", "dark"}
    """
    cells = drawable(frame.copy())
    cells["row"] = pd.factorize(cells["label"])[0]
    cells["at"] = pd.factorize(cells["column"])[0]
    rows, columns = int(cells["row"].max()) + 1, int(cells["at"].max()) + 1
    greatest = cells["value"].max()
    cells["depth"] = (cells["value"] / greatest * _DARKEST).fillna(0.0) if greatest > 0 else 0.0
    cells["top"], cells["bottom"], cells["middle"] = (
        cells["row"] + 0.46,
        cells["row"] + 0.96,
        cells["row"] + 0.71,
    )
    cells["left"], cells["right"], cells["centre"] = cells["at"] + 0.03, cells["at"] + 0.97, cells["at"] + 0.5
    x = alt.Scale(domain=[0, columns], nice=False, zero=False)
    y = alt.Scale(domain=[rows, 0], nice=False, zero=False, range=[alt.ExprRef("height"), _HEAD])

    def across(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=x, axis=None)

    def down(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", scale=y, axis=None)

    base = alt.Chart(cells)
    ink, muted = colour("ink", palette), colour("muted", palette)
    grid = (
        base.mark_rect(fill=colour("other", palette), stroke=colour("grid", palette), strokeWidth=1)
        .encode(
            x=across("left"), x2=alt.X2("right:Q"), y=down("top"), y2=alt.Y2("bottom:Q"),
            fillOpacity=alt.FillOpacity("depth:Q", scale=None),
            description=alt.Description("description:N"),
            tooltip=[alt.Tooltip(c, type="nominal", title=name) for c, name in (tooltip or {}).items()],
        )
    )  # fmt: skip
    numbers = base.mark_text(fontSize=NOTE_SIZE, color=ink, baseline="middle", aria=False).encode(
        x=across("centre"), y=down("middle"), text=alt.Text("words:N")
    )
    heads = alt.Chart(cells.drop_duplicates("at")).mark_text(
        fontSize=NOTE_SIZE, color=muted, baseline="top", aria=False
    ).encode(x=across("centre"), y=alt.YValue(2), text=alt.Text("column:N"))  # fmt: skip
    names = alt.Chart(cells.drop_duplicates("row")).mark_text(
        fontSize=TEXT_SIZE, color=ink, align="left", baseline="middle", aria=False, limit=alt.ExprRef("width")
    ).encode(x=alt.XValue(0), y=down("label_y"), text=alt.Text("label:N")).transform_calculate(label_y="datum.row + 0.26")  # fmt: skip
    return finished(
        [grid, numbers, heads, names], height=_HEAD + ROW_HEIGHT * rows, alt_text=alt_text, palette=palette
    )
