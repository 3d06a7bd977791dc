"""Calendar grid: one strip of cells a row, one cell a month (or quarter, or year), darker where there is more."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from analysis.charts.theme import NOTE_SIZE, TEXT_SIZE, PaletteName, colour, drawable, finished

ROW_HEIGHT = 36
_HEAD = 22
_FAINTEST, _DARKEST = 0.12, 0.9
_MOST_YEARS = 8


def calendar_grid(
    frame: pd.DataFrame,
    *,
    alt_text: str,
    tooltip: Mapping[str, str] | None = None,
    palette: PaletteName = "screen",
) -> alt.LayerChart:
    """Strips of cells under the name of their row; an empty cell is an outline.

    Parameters
    ----------
    frame : pandas.DataFrame
        Tidy, one row a cell, complete, in reading order. Columns: ``label`` (row), ``start`` (first day of the
        cell), ``depth`` (0 to 1; missing where there is nothing), ``description``.
    alt_text : str
        Text alternative of the chart.
    tooltip : mapping, optional
        Columns of display strings → titles.
    palette : {"screen", "light", "dark"}
    """
    cells = drawable(frame.copy())
    cells["row"] = pd.factorize(cells["label"])[0]
    cells["at"] = pd.factorize(cells["start"])[0]
    rows, columns = int(cells["row"].max()) + 1, int(cells["at"].max()) + 1
    cells["tone"] = (_FAINTEST + cells["depth"] * (_DARKEST - _FAINTEST)).fillna(0.0)
    gap = 0.06 if columns <= 60 else 0.03
    cells["left"], cells["right"] = cells["at"] + gap, cells["at"] + 1 - gap
    cells["top"], cells["bottom"], cells["named"] = (
        cells["row"] + 0.52,
        cells["row"] + 0.95,
        cells["row"] + 0.26,
    )
    # Years are named at their first cell, as many as fit a narrow page.
    heads = cells[cells["row"] == 0].assign(year=[day.year for day in cells.loc[cells["row"] == 0, "start"]])
    heads = heads.drop_duplicates("year").iloc[:: 1 + heads["year"].nunique() // (_MOST_YEARS + 1)]
    heads = heads[["at", "year"]].assign(year=heads["year"].astype(str))
    x = alt.Scale(domain=[0, columns], nice=False, zero=False)
    y = alt.Scale(domain=[rows, 0], nice=False, zero=False, range=[alt.ExprRef("height"), _HEAD])

    def across(name: str) -> alt.X:
        return alt.X(name, type="quantitative", scale=x, axis=None)

    def down(name: str) -> alt.Y:
        return alt.Y(name, type="quantitative", scale=y, axis=None)

    shown = ["left", "right", "top", "bottom", "tone", "description", *(tooltip or {})]
    strips = alt.Chart(cells[list(dict.fromkeys(shown))]).mark_rect(
        fill=colour("other", palette), stroke=colour("rule", palette), strokeWidth=1
    ).encode(
        x=across("left"), x2=alt.X2("right:Q"), y=down("top"), y2=alt.Y2("bottom:Q"),
        fillOpacity=alt.FillOpacity("tone:Q", scale=None),
        description=alt.Description("description:N"),
        tooltip=[alt.Tooltip(c, type="nominal", title=name) for c, name in (tooltip or {}).items()],
    )  # fmt: skip
    names = alt.Chart(cells.drop_duplicates("row")[["label", "named"]]).mark_text(
        fontSize=TEXT_SIZE, color=colour("ink", palette), align="left", baseline="middle", aria=False,
        limit=alt.ExprRef("width"),
    ).encode(x=alt.XValue(0), y=down("named"), text=alt.Text("label:N"))  # fmt: skip
    years = alt.Chart(heads).mark_text(
        fontSize=NOTE_SIZE, color=colour("muted", palette), align="left", baseline="top", aria=False
    ).encode(x=across("at"), y=alt.YValue(2), text=alt.Text("year:N"))  # fmt: skip
    return finished(
        [strips, names, years], height=_HEAD + ROW_HEIGHT * rows, alt_text=alt_text, palette=palette
    )
