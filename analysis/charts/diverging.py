"""Diverging bars: shares of ordered scores, the low ones to the left of the middle and the high ones to the right."""

from __future__ import annotations

import altair as alt
import pandas as pd

from analysis.charts.rows import labels, row_scale, y_of
from analysis.charts.theme import NOTE_SIZE, ColourName, PaletteName, colour, drawable, finished

ROW_HEIGHT = 64
BAR = 0.22
_OFFSETS = (0.44, 0.75)
_REACH = 1.0
_ROOM = 0.34
"""What the words at the left and the numbers at the right take beside the bars, as a part of their width."""
SCORES: tuple[ColourName, ...] = ("other", "rule", "margin", "tint_virtual", "primary")
"""Colours of the scores 1 to 5: two hues that go dark outwards, and a pale middle."""


def diverging_bars(frame: pd.DataFrame, *, alt_text: str, palette: PaletteName = "screen") -> alt.LayerChart:
    """Rows of two bars, virtual above in person, each split into the five scores around the middle.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row for each row, arm and score: ``label`` (row), ``arm`` (0 above, 1 below), ``arm_label``, ``score`` (1–5),
        ``share`` (fraction of that arm), ``result`` (words at the right edge), ``strong`` (bool), ``said`` (tooltip).
    alt_text : str
        Text alternative of the chart.
    palette : {"screen", "light", "dark"}

    Returns
    -------
    altair.LayerChart
    """
    rows = drawable(_placed(frame))
    count = int(rows["row"].max()) + 1 if len(rows) else 0
    scale = row_scale(count)
    x_scale = alt.Scale(domain=[-_REACH - _ROOM / 2, _REACH + _ROOM / 2], nice=False)
    ticks = [-1.0, -0.5, 0.0, 0.5, 1.0]
    axis = alt.Axis(
        title="← scores 1–2, share of answers, scores 4–5 →", values=ticks, grid=True, gridColor=colour("grid", palette),
        labelExpr="format(abs(datum.value) * 100, '~r') + '%'",
    )  # fmt: skip
    layers: list[alt.Chart | alt.LayerChart] = []
    for score, name in enumerate(SCORES, 1):
        part = rows[rows["score"] == score]
        bars = alt.Chart(part).mark_rect(
            color=colour(name, palette), stroke=colour("other", palette), strokeWidth=0.5
        )
        layers.append(
            bars.encode(
                x=alt.X("start:Q", scale=x_scale, axis=axis),
                x2=alt.X2("end:Q"),
                y=y_of("top", scale),
                y2=alt.Y2("bottom:Q"),
                description=alt.Description("said:N"),
                tooltip=[alt.Tooltip("label:N", title="Item"), alt.Tooltip("said:N", title="Answers")],
            )
        )
    arms = rows.drop_duplicates(["row", "arm"])
    words = alt.Chart(arms).mark_text(
        align="left", baseline="middle", fontSize=NOTE_SIZE, color=colour("muted", palette), aria=False
    )
    layers.append(words.encode(x=alt.XValue(0), y=y_of("y", scale), text=alt.Text("arm_label:N")))
    layers += labels(rows.drop_duplicates("row"), scale, palette)
    return finished(layers, height=ROW_HEIGHT * max(count, 1), alt_text=alt_text, palette=palette)


def _placed(frame: pd.DataFrame) -> pd.DataFrame:
    """Where each part begins and ends: score 3 lies across the middle."""
    rows = frame.copy()
    rows["row"] = pd.factorize(rows["label"])[0]
    rows["y"] = rows["row"] + rows["arm"].map(dict(enumerate(_OFFSETS)))
    rows["top"], rows["bottom"] = rows["y"] - BAR / 2, rows["y"] + BAR / 2
    rows["label_y"] = rows["row"] + 0.17
    rows = rows.sort_values(["row", "arm", "score"], kind="stable")
    ends = rows.groupby(["row", "arm"])["share"].cumsum()
    below = rows["share"].where(rows["score"] <= 2, 0.0) + rows["share"].where(rows["score"] == 3, 0.0) / 2
    middle = below.groupby([rows["row"], rows["arm"]]).transform("sum")
    rows["end"], rows["start"] = ends - middle, ends - rows["share"] - middle
    return rows
